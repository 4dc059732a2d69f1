"""What is told when a program cannot be loaded: one line, with file and line.

A mistake that only its user can mend is final. Anything else may be of the moment: it is tried
again, and its traceback is told at the end.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Sequence
from types import ModuleType, TracebackType
from typing import Any

from ..errors import (
    AccessRefused,
    CosmonapseError,
    MemoryFileError,
    PortInUse,
    RegistryStoreError,
    SynapseRefused,
    SynapseUnreachable,
    ToolServerUnreachable,
)
from ..raised import described, is_of_users, safely
from ..runtime.uncaught import MISTAKES
from .program_files import own_path
from .supervisor import Failure
from .targets import BadTarget
from .watched_files import homes_of
from .wrong_calls import is_wrong_call, meant

USAGE, ERROR, NOBODY_THERE, ACCESS_REFUSED = 2, 1, 3, 5
_PACKAGE = __package__.partition(".")[0]
_MAY_PASS = (MemoryFileError, RegistryStoreError, ToolServerUnreachable)
_ENDS = (SystemExit, KeyboardInterrupt)
_MAX_TRACE = 16_384


def failure_of(error: BaseException, folders: Sequence[str]) -> Failure:
    """Return why a process did not get ready, for the person who started it.

    Args:
        error: What was raised.
        folders: Where the program is; the place that is named is in one of them if possible.
    """
    if isinstance(error, SynapseRefused):
        refused = ACCESS_REFUSED if isinstance(error, AccessRefused) else ERROR
        return Failure(str(error), refused, is_final=True, in_program=False)
    if isinstance(error, BadTarget):
        return Failure(str(error), USAGE, is_final=True, in_program=error.is_in_program)
    if isinstance(error, SyntaxError):
        place = f"{error.filename}:{error.lineno}: " if error.filename else ""
        return Failure(f"{place}{type(error).__name__}: {error.msg}", ERROR, is_final=True)
    place = _place(error.__traceback__, folders)
    reason = f"{place}{_text(error)}"
    code = _final_code(error, folders)
    if code is None:
        missed = NOBODY_THERE if isinstance(error, SynapseUnreachable) else ERROR
        trace = "" if isinstance(error, CosmonapseError) else _trace(error)
        return Failure(reason, missed, trace=trace)
    is_of_command_line = isinstance(error, MISTAKES) and not place
    return Failure(reason, code, is_final=True, in_program=not is_of_command_line)


def _final_code(error: BaseException, folders: Sequence[str]) -> int | None:
    """Return the exit code for a mistake that only its user can mend; None for anything else."""
    if isinstance(error, (*_ENDS, PortInUse)) or _is_misspelt(error):
        return ERROR
    if isinstance(error, _MAY_PASS):
        return None if error.may_pass else USAGE
    if isinstance(error, (*MISTAKES, ImportError)):
        return None if isinstance(error, SynapseUnreachable) else USAGE
    files = [frame.filename for frame in traceback.extract_tb(error.__traceback__)]
    own = [each for each in files if own_path(each, folders)]
    return USAGE if is_wrong_call(error, files, own, _public) else None


def _is_misspelt(error: BaseException) -> bool:
    """Return whether a name is not there, on its own or in a module."""
    of_module = isinstance(error, AttributeError) and isinstance(error.obj, ModuleType)
    return of_module or isinstance(error, NameError)


def _public(name: str) -> Any:
    """Return what this package has under a name; it is loaded, as this module is of it."""
    package = sys.modules[_PACKAGE]
    return getattr(package, name) if name in package.__all__ else None


def _text(error: BaseException) -> str:
    text: str = safely(described, error, otherwise="an exception that cannot be described")
    text = text.removesuffix(": ")  # as of exit(), which says nothing
    if isinstance(error, ModuleNotFoundError):
        return f"{text}; install what has it where cosmo is, in {sys.prefix}, or correct the name"
    if _is_misspelt(error):
        shown = traceback.TracebackException.from_exception(error).format_exception_only()
        return next(shown).strip()  # with what Python thinks was meant
    return meant(text, _public) if isinstance(error, TypeError) else text


def _trace(error: BaseException) -> str:
    """Return the traceback from the program on, without what of ours called it."""
    trace = error.__traceback__
    while trace is not None and not is_of_users(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    lines = traceback.format_exception(type(error), error, trace or error.__traceback__)
    return "".join(lines).rstrip()[-_MAX_TRACE:]


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
