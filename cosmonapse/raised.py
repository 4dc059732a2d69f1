"""What an exception says and where the user's code was, for an ERROR and for the log. Pure.

Spec: docs/spec/07-signals.md, "Errors". An exception comes from the code of users: its text, its
attributes and its class may be broken. Nothing here raises.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from types import FrameType, TracebackType
from typing import Any

_MAX_LEAVES = 20
_INSTALLED = ("/site-packages/", "/dist-packages/")


def _slashed(file: str) -> str:
    return file.replace("\\", "/")


_OURS = _slashed(__file__).rpartition("/")[0] + "/"
_PYTHON = _slashed(contextlib.__file__).rpartition("/")[0] + "/"


def safely(function: Callable[..., Any], *arguments: Any, otherwise: Any) -> Any:
    """Return the result of a function that may run code of an exception; `otherwise` if it raises.

    Its `__str__` may raise anything, and that must not become the outcome of the task.
    """
    try:
        return function(*arguments)
    except BaseException:  # noqa: BLE001  # see above
        return otherwise


def described(error: BaseException) -> str:
    """Return kind and text of an exception; for a group also those of its leaves, nested or not."""
    text = _kind_and_text(error)
    if not isinstance(error, BaseExceptionGroup):
        return text
    leaves = list(leaves_of(error))
    shown = [_kind_and_text(leaf) for leaf in leaves[:_MAX_LEAVES]]
    if len(leaves) > _MAX_LEAVES:
        shown.append(f"and {len(leaves) - _MAX_LEAVES} more")
    return f"{text}: {'; '.join(shown)}"


def leaves_of(error: BaseException) -> Iterator[BaseException]:
    """Yield the exceptions of a group that are no groups, from left to right; else itself."""
    waiting = [error]
    while waiting:
        each = waiting.pop()
        if isinstance(each, BaseExceptionGroup):
            waiting.extend(reversed(each.exceptions))
        else:
            yield each


def place_of(error: BaseException, function: Any = None) -> str:
    """Return file, line and function of the user's code that raised an exception.

    Args:
        error: The exception. Of a group, the first leaf counts.
        function: The function that was called, for an exception without a line of the user's.
    """
    leaf = next(leaves_of(error), error)
    chain = (leaf.__cause__, error, leaf)  # what was raised last in it is looked at first
    frames = [frame for each in chain if each for frame in _frames(each.__traceback__)]
    best = min(reversed(frames), key=lambda frame: _rank(frame[0]), default=None)
    if best is None or _rank(best[0]) == _NOT_THE_USERS:
        users = getattr(function, "__wrapped_neuron__", function)
        code = getattr(users, "__code__", None)
        if code is not None:
            best = code.co_filename, code.co_firstlineno, code.co_qualname
    return "an unknown place" if best is None else "{}:{} in {}".format(*best)


def place_in(frame: FrameType) -> str:
    """Return file, line and function of the innermost frame of a stack that is the user's code."""
    frames = []
    innermost: FrameType | None = frame
    while innermost is not None:
        code = innermost.f_code
        if code.co_filename.startswith(_PYTHON) and code.co_name in _LOOPS:
            break  # what called the loop does not run now
        frames.append((code.co_filename, innermost.f_lineno, code.co_qualname))
        innermost = innermost.f_back
    best = min(frames, key=lambda each: _rank(each[0]), default=None)
    return "an unknown place" if best is None else "{}:{} in {}".format(*best)


_LOOPS = frozenset({"_run_once", "run_forever", "run_until_complete"})


def _frames(traceback: TracebackType | None) -> Iterator[tuple[str, int, str]]:
    while traceback is not None:
        code = traceback.tb_frame.f_code
        yield code.co_filename, traceback.tb_lineno, code.co_qualname
        traceback = traceback.tb_next


_NOT_THE_USERS = 2


def is_ours(file: str) -> bool:
    """Return whether a file is one of this package."""
    return _slashed(file).startswith(_OURS)


def is_of_users(file: str) -> bool:
    """Return whether a file is neither of Python nor of this package."""
    return _rank(file) != _NOT_THE_USERS


def _rank(file: str) -> int:
    """Return 0 for the user's code, 1 for an installed package, 2 for Python's and ours."""
    file = _slashed(file)
    if file.startswith(("<frozen", _OURS)):
        return _NOT_THE_USERS
    if any(part in file for part in _INSTALLED):
        return 1
    return _NOT_THE_USERS if file.startswith(_PYTHON) else 0


def _kind_and_text(error: BaseException) -> str:
    text = safely(str, error, otherwise="(its text raised an exception)")
    return f"{type(error).__name__}: {text}"
