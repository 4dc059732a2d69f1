"""Under which path a file belongs to a program, also where a link leads to it."""

from __future__ import annotations

import os
from collections.abc import Iterable

from .watched_files import is_of_program


def own_path(path: str, folders: Iterable[str]) -> str | None:
    """Return the path of a file as it is in one of the folders, or None if it is in none.

    A folder may be reached by a link, and then the file has two paths.
    """
    # No file: <string>, and uvloop/loop.pyx of what was compiled elsewhere.
    if path.startswith("<") or not (os.path.isabs(path) or os.path.exists(path)):
        return None
    whole = os.path.abspath(path)
    if is_of_program(whole, folders):
        return whole
    real = os.path.realpath(path)
    return real if is_of_program(real, folders) else None
