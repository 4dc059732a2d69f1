"""The names of the loggers of this package: one tree for whoever embeds it, whatever is on top."""

from __future__ import annotations

import logging

_TREE = "cosmonapse"  # the only name of what is on top that this package knows


def logger_of(module: str) -> logging.Logger:
    """Return the logger of a module: its name, below that of the tree.

    The tree says nothing below WARNING, unless the program has given it a level.

    A service that gives the tree a level, a handler or a filter means the connections below it,
    too. So do `dictConfig` and `fileConfig`, which know a tree by its names alone.
    """
    tree = logging.getLogger(_TREE)
    if tree.level == logging.NOTSET:  # INFO of the root logger is what a service says of itself
        tree.setLevel(logging.WARNING)
    return logging.getLogger(f"{_TREE}.{module}")
