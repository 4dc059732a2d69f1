"""Options of several verbs, parsed. A wrong value is a mistake of usage."""

from __future__ import annotations

import json
import math
from typing import Any

import click

from ..errors import BadSignal
from ..ids import id_bytes
from ..runtime.printable import printable

TIMEOUT_S = click.FloatRange(0, 2_592_000, min_open=True)


def read_json(context: click.Context, option: click.Parameter, text: str | None) -> Any:
    """Return the value behind JSON; None if the option was not given.

    Raises:
        BadParameter: It is invalid JSON.
    """
    if text is None:
        return None
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


def trace(context: click.Context, option: click.Parameter, value: str | None) -> str | None:
    """Return a valid trace id.

    Raises:
        BadParameter: It is not a trace id.
    """
    if value is None:
        return None
    try:
        id_bytes(value)
    except BadSignal as error:
        raise click.BadParameter(printable(str(error))) from None
    if not value.startswith("trc_"):
        raise click.BadParameter(f"a trace id begins with trc_, and this one is {value!r:.80}")
    return value
