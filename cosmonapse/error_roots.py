"""The roots of the tree of errors, which is drawn in `errors.py`. Pure."""

from __future__ import annotations


class CosmonapseError(Exception):
    """Root of every error that this package raises itself."""


class LocalError(CosmonapseError):
    """An error that this program can correct."""


class RemoteError(CosmonapseError):
    """A failure of another process, or of the network."""
