"""What is told when a program cannot be loaded: one line, with file and line."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from types import TracebackType

from ..errors import AccessRefused, SynapseRefused
from ..raised import described, safely
from ..runtime.uncaught import MISTAKES
from .program_files import own_path
from .supervisor import Failure
from .targets import BadTarget
from .watched_files import homes_of

USAGE, ERROR, ACCESS_REFUSED = 2, 1, 5
_FINAL = (*MISTAKES, SystemExit, KeyboardInterrupt)  # beside what has a branch of its own


def failure_of(error: BaseException, folders: Sequence[str]) -> Failure:
    """Return why a process did not get ready, for the person who started it.

    Args:
        error: What was raised.
        folders: Where the program is; the place that is named is in one of them if possible.
    """
    if isinstance(error, AccessRefused):
        return Failure(str(error), ACCESS_REFUSED, is_final=True)
    if isinstance(error, SynapseRefused):
        return Failure(str(error), ERROR, is_final=True)
    if isinstance(error, BadTarget):
        return Failure(str(error), USAGE, is_final=True)
    if isinstance(error, SyntaxError):
        place = f"{error.filename}:{error.lineno}: " if error.filename else ""
        return Failure(f"{place}{type(error).__name__}: {error.msg}", ERROR, is_final=True)
    text = safely(described, error, otherwise="an exception that cannot be described")
    text = text.removesuffix(": ")  # as of exit(), which says nothing
    code = USAGE if isinstance(error, MISTAKES) else ERROR
    is_final = isinstance(error, _FINAL)
    return Failure(f"{_place(error.__traceback__, folders)}{text}", code, is_final)


def files_of(error: BaseException, folders: Sequence[str]) -> list[str]:
    """Return the files whose change may mend an error: those that it came from, or that lack."""
    found = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError) and error.filename:
        found.append(error.filename)
    missing = error.module if isinstance(error, BadTarget) else None
    if isinstance(error, ModuleNotFoundError):
        missing = error.name
    files = [own for each in found if (own := own_path(each, folders))]
    return files + (homes_of(missing, folders) if missing else [])


def _place(trace: TracebackType | None, folders: Sequence[str]) -> str:
    """Return file and line in the program where an error came from, with a colon after them."""
    frames = traceback.extract_tb(trace)
    own = [(path, each.lineno) for each in frames if (path := own_path(each.filename, folders))]
    return "{}:{}: ".format(*own[-1]) if own else ""
