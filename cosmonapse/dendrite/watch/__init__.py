"""Handlers, the order of their Signals, publishing, the roster."""
