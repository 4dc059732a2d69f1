"""Options of several verbs, parsed. A wrong value is a mistake of usage."""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Callable
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from ..doppler.signal_filter import checked_trace
from ..errors import BadSignal
from ..runtime.printable import printable
from ..signals import SignalType
from ..tasks import MAX_TIMEOUT_S

F = TypeVar("F", bound=Callable[..., Any])
TIMEOUT_S = click.FloatRange(0, MAX_TIMEOUT_S, min_open=True)


def json_option(context: click.Context, option: click.Parameter, text: str | None) -> Any:
    """Return the value behind JSON; None if the option was not given.

    Raises:
        BadParameter: It is invalid JSON.
    """
    return None if text is None else read_json(text)


def read_json(text: str) -> Any:
    """Return the value behind JSON.

    Raises:
        BadParameter: It is invalid JSON.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        hint = """write such as '{"prompt": "hello"}'"""
        raise click.BadParameter(f"invalid JSON: {error}; {hint}") from None


def no_nan(context: click.Context, option: click.Parameter, value: float | None) -> float | None:
    """Return a number other than NaN.

    Raises:
        BadParameter: It is NaN.
    """
    if value is not None and math.isnan(value):
        raise click.BadParameter("expected a number of seconds, got nan")
    return value


def grace_option(what: str) -> Callable[[F], F]:
    """Return the option `--grace`: how long what is under way may take at the end.

    Args:
        what: Its help.
    """
    return click.option(
        "--grace",
        "grace_s",
        type=click.FloatRange(0, 86_400),
        callback=no_nan,
        default=10.0,
        show_default=True,
        help=what,
    )


def not_empty(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """Return a text, which may be absent but not empty, as where a variable was not set.

    Raises:
        BadParameter: It is empty.
    """
    if value == "":
        raise click.BadParameter("it is empty")
    return value


def trace_option(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """Return a valid trace id, or the valid beginning of one.

    Raises:
        BadParameter: It is neither.
    """
    try:
        return None if value is None else checked_trace(value)
    except BadSignal as error:
        raise click.BadParameter(printable(str(error))) from None


def signal_types(
    context: click.Context, option: click.Parameter, names: tuple[str, ...]
) -> frozenset[SignalType]:
    """Return the types of these names; small letters and hyphens are accepted.

    Raises:
        BadParameter: No type has such a name.
    """
    return frozenset(map(signal_type, names))


def signal_type(given: str) -> SignalType:
    """Return the type of a name; small letters and hyphens are accepted.

    Raises:
        BadParameter: No type has that name.
    """
    name = given.upper().replace("-", "_")
    if name in SignalType.__members__:
        return SignalType[name]
    near = difflib.get_close_matches(name, SignalType.__members__, 1)
    guess = f"did you mean {near[0]}? " if near else ""
    known = ", ".join(sorted(SignalType.__members__))
    raise click.BadParameter(f"no type has the name {given!r:.80}: {guess}The types are {known}")


def complete_type(
    context: click.Context, option: click.Parameter, incomplete: str
) -> list[CompletionItem]:
    """Return the types that begin so."""
    wanted = incomplete.upper().replace("-", "_")
    return [CompletionItem(each) for each in SignalType.__members__ if each.startswith(wanted)]
