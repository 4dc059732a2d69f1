"""The soak: real processes under load, faults by seeded dice, and a checker that reads the logs.

Run it with `python -m tools.soak`, or `make soak`. What it does and how to read what it says stands
in docs/design/soak.md. Not part of the package.
"""
