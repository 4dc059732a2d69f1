"""Why a server cannot be reached, in one line. Pure.

The client of MCP raises groups of groups; what matters is the first leaf that is no cancellation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

_MAX_TEXT = 300
_NO_METHOD = -32601
_OF_PATH = "name the URL of its streamable HTTP, often /mcp"
_HINTS: Mapping[int, str] = {
    401: "give the right token= or headers=",
    403: "give a token= or headers= with the right to use it",
    404: _OF_PATH,
    405: _OF_PATH,
}


def leaves(error: BaseException) -> Iterator[BaseException]:
    """Yield the exceptions in a group, in nested groups too, or the one that is none."""
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from leaves(each)
    else:
        yield error


def first_leaf(error: BaseException) -> BaseException:
    """Return the exception that says most: the first that is no cancellation, if there is one."""
    found = list(leaves(error))
    return next((each for each in found if isinstance(each, Exception)), found[0])


def cannot_be_run(error: BaseException, command: str | None) -> bool:
    """Return whether a command is not there, or may not be run; None stands for a URL."""
    faults = FileNotFoundError | NotADirectoryError | PermissionError
    return command is not None and isinstance(first_leaf(error), faults)


def reason_of(error: BaseException, command: str | None) -> str:
    """Return why a server could not be reached.

    Args:
        error: What the client raised.
        command: The program that was to be started; None for a URL.
    """
    leaf = first_leaf(error)
    if command is not None and isinstance(leaf, FileNotFoundError):
        if leaf.filename not in (None, command):
            return f"there is no folder {leaf.filename}"
        return f"there is no command {command!r}: install it, or name its whole path"
    if command is not None and isinstance(leaf, PermissionError):
        return f"{command!r} may not be run"
    return _of_client(leaf) or " ".join(str(leaf).split())[:_MAX_TEXT] or type(leaf).__name__


def _of_client(leaf: BaseException) -> str:
    """Return in our words what the client of MCP says in its own, "" for another exception."""
    if type(leaf).__name__ == "SubscriptionLost":
        return "its connection ended"
    if getattr(leaf, "code", None) == _NO_METHOD:
        return "it has no tools: it does not know the method tools/list"
    if str(leaf).startswith("Failed to parse JSON"):
        return "it answered what is no message of MCP: name the URL of an MCP server, often /mcp"
    return ""


def refusal(status: int, phrase: str) -> str:
    """Return why a server cannot be reached that answered with a status of 400 or more."""
    hint = _HINTS.get(status, "")
    return f"it answered {status} {phrase}".rstrip() + (f": {hint}" if hint else "")


def with_last_lines(reason: str, lines: Sequence[str]) -> str:
    """Return a reason, and what the server wrote last."""
    return f"{reason}; it wrote: {' | '.join(lines)}" if lines else reason
