"""The names of the loggers of this package: one tree for whoever embeds it, whatever is on top."""

from __future__ import annotations

import logging

_TREE = "cosmonapse"  # the only name of what is on top that this package knows


def logger_of(module: str) -> logging.Logger:
    """Return the logger of a module: its name, below that of the tree.

    A service that gives the tree a level, a handler or a filter means the connections below it,
    too. So do `dictConfig` and `fileConfig`, which know a tree by its names alone.
    """
    return logging.getLogger(f"{_TREE}.{module}")
