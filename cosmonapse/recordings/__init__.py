"""Recordings: what passed in a namespace, in a file. Its format: docs/recordings.md."""
