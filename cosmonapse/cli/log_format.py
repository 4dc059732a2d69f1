"""The option `--log-format`: everything that a long-running verb tells is in one form."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import Any, Final, TypeVar

import click

from ..configuration import chosen_for_process
from ..runtime.environment import LOG_FORMAT_VARIABLE
from .std_streams import route_complaints
from .variables import in_the_environment

F = TypeVar("F", bound=Callable[..., Any])
FORMATS: Final = ("text", "json")
_CHOSEN: Final = "cosmonapse.log_format"
_LOG: Final = logging.getLogger("cosmonapse.cli")


def log_format_option(function: F) -> F:
    """Add `--log-format`; the verb calls `begin_logs`."""
    option = click.option(
        "--log-format",
        type=click.Choice(FORMATS),
        expose_value=False,
        callback=_note,
        help="Tell everything as log lines in this form, on stderr; or COSMO_LOG_FORMAT.",
    )
    return option(function)


def _note(context: click.Context, option: click.Parameter, name: str | None) -> None:
    setting = chosen_for_process("log_format", name)
    if setting.value is not None and setting.value not in FORMATS:
        raise click.UsageError(
            f"{LOG_FORMAT_VARIABLE} is {setting.value!r:.100}, and may be text or json", context
        )
    context.meta[_CHOSEN] = setting.value


def chosen_format(context: click.Context) -> str | None:
    """Return the format that the option or the variable names; None for neither."""
    named: str | None = context.meta.get(_CHOSEN)
    return named


def begin_logs() -> str | None:
    """Log from now on as the option says, for what this verb starts, too; return the format."""
    context = click.get_current_context()
    named = chosen_format(context)
    if named is None:
        return None
    from .. import logs

    logs.configure(format=named)
    _LOG.setLevel(logging.INFO)
    route_complaints(tell)
    context.with_resource(in_the_environment({LOG_FORMAT_VARIABLE: named}))
    return named


def tell(text: str, level: int = logging.INFO, **facts: Any) -> None:
    """Log a line of a verb itself."""
    _LOG.log(level, "%s", text, extra={"pid": os.getpid(), **facts})
