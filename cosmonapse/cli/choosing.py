"""The options that choose Signals, for the verbs that show or record them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import attrs
import click

from ..doppler.failed import TYPES, FailedOnly
from ..doppler.signal_filter import Choose, SignalFilter
from ..names import checked_name
from ..signals import SignalType
from .options import complete_type, signal_types, trace_option

F = TypeVar("F", bound=Callable[..., Any])
_PRESENCE = frozenset({SignalType.REGISTER, SignalType.HEARTBEAT, SignalType.DEREGISTER})


def choice_options(verb: str) -> Callable[[F], F]:
    """Return what adds `--type`, `--trace` and `--neuron`.

    Args:
        verb: What is done with the Signals, such as `Show`.
    """
    kinds = click.option(
        "--type",
        "types",
        metavar="T",
        callback=signal_types,
        shell_complete=complete_type,
        multiple=True,
        help=f"{verb} this type only, such as ERROR; repeatable.",
    )
    trace = click.option(
        "--trace",
        metavar="ID",
        callback=trace_option,
        help=f"{verb} this workflow only: its trace id, or at least its first 8 characters.",
    )
    neuron = click.option(
        "--neuron", metavar="ID", help=f"{verb} only Signals from this neuron and TASKs for it."
    )
    return lambda function: kinds(trace(neuron(function)))


def hiding_options(function: F) -> F:
    """Add `--no-type`, `--presence` and `--failed`."""
    hidden = click.option(
        "--no-type",
        "hidden",
        metavar="T",
        callback=signal_types,
        shell_complete=complete_type,
        multiple=True,
        help="Hide this type; repeatable.",
    )
    presence = click.option(
        "--presence", is_flag=True, help="Show REGISTER, HEARTBEAT and DEREGISTER too."
    )
    failed = click.option(
        "--failed", is_flag=True, help="Show only ERRORs, each below the TASKs that it failed in."
    )
    return hidden(presence(failed(function)))


@attrs.frozen(kw_only=True)
class Choice:
    """Which Signals are shown; the fields are the options of `cosmo doppler`."""

    types: frozenset[SignalType]
    hidden: frozenset[SignalType]
    presence: bool
    failed: bool
    trace: str | None
    neuron: str | None

    @property
    def is_any(self) -> bool:
        """Whether one of the options is given."""
        return any(attrs.astuple(self, recurse=False))

    def wanted(self) -> SignalFilter:
        """Return the filter of what the Synapse sends.

        Raises:
            UsageError: No type is left, or the options contradict each other.
            InvalidName: The neuron has no valid id.
        """
        if self.neuron is not None:
            checked_name("--neuron", self.neuron)
        if self.failed:
            if self.types or self.hidden or self.presence:
                raise click.UsageError("--failed shows ERRORs: remove the options that name types")
            return SignalFilter(TYPES, self.trace, self.neuron)
        shown = self.types or frozenset(SignalType) - (frozenset() if self.presence else _PRESENCE)
        if not shown - self.hidden:
            raise click.UsageError("no type of Signal is left: --no-type hides every --type")
        return SignalFilter(shown - self.hidden, self.trace, self.neuron)

    def choose(self) -> Choose:
        """Return what chooses among the Signals that come."""
        wanted = self.wanted()
        return FailedOnly(wanted) if self.failed else wanted.choose
