"""What presence costs a Synapse: `python -m tools.presence --help`."""
