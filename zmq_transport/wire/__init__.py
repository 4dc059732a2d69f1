"""Bytes on the wire, the same at both ends. Pure."""
