"""What the key of a Dendrite may do. Spec: docs/spec/11-access.md; page: docs/keys.md.

The Synapse decides; it says the rights in its WELCOME, so that a program learns of a missing one
before anything is sent, in words and with the command that helps. Without keys nothing is limited.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable

from ..errors import AccessRefused
from ..rights import Rights
from ..signals import SignalType
from ..transport import Transport

_NARROWEST_FIRST = ("serve", "dispatch", "decide", "broadcast", "watch")


class OwnRights:
    """The rights that the Synapse last told.

    Args:
        transport: Has what the WELCOME said.
        url: The URL of the Synapse, for error texts.

    Attributes:
        url: That URL.
        limits_dispatch: True unless TASKs may go to every neuron: the one test of each TASK.
    """

    def __init__(self, transport: Transport, url: str) -> None:
        self._transport = transport
        self.url = url
        self._rights: Rights | None = None
        self.limits_dispatch = False

    def on_welcomed(self) -> None:
        """Take over what the last WELCOME said."""
        has_keys = self._transport.user != ""
        self._rights = Rights.told(self._transport.may) if has_keys else None
        self.limits_dispatch = self._rights is not None and self._rights.dispatches is not None

    def may_hear(self, signal_type: SignalType | None) -> bool:
        """Tell whether it may listen to a type, or to a trace (None)."""
        return self._rights is None or self._rights.may_hear(signal_type)

    def may_emit(self, signal_type: SignalType) -> bool:
        """Tell whether it may publish a type."""
        return self._rights is None or self._rights.may_emit(signal_type)

    def check_dispatch(self, neuron: str | None) -> None:
        """Check that TASKs may go to a neuron, or by capabilities to any neuron (None).

        Raises:
            AccessRefused: They may not.
        """
        rights = self._rights
        if rights is None or rights.dispatches is None:
            return
        if neuron is None:
            if not rights.dispatches:
                raise self._refused("send TASKs", "dispatch")
        elif not rights.may_dispatch_to(neuron):
            raise self._refused(f"send TASKs to neuron {neuron!r}", f"dispatch={neuron}")

    def check_serve(self, neurons: Iterable[str]) -> None:
        """Check that it may host the Axons of some neurons.

        Raises:
            AccessRefused: It may not host one of them.
        """
        for neuron in neurons:
            if self._rights is not None and not self._rights.may_serve(neuron):
                raise self.refused_to_serve(neuron)

    def check_hear(self, types: Iterable[SignalType], trace_id: str | None, who: str = "") -> None:
        """Check that it may listen to some types, or to a trace.

        Args:
            types: The types; they do not matter with a trace.
            trace_id: The trace, if it is about one.
            who: What wants to listen, for the text.

        Raises:
            AccessRefused: It may not.
        """
        if self._rights is None:
            return
        by = f", as {who} does" if who else ""
        if trace_id is not None:
            if not self._rights.may_hear(None):
                raise self._refused(f"listen to a trace{by}", "watch")
            return
        for each in sorted(types):
            if not self._rights.may_hear(each):
                word = _word_with(Rights.may_hear, each)
                raise self._refused(f"listen to {each.value}{by}", word)

    def check_emit(self, signal_type: SignalType) -> None:
        """Check that it may publish a type.

        Raises:
            AccessRefused: It may not.
        """
        if not self.may_emit(signal_type):
            word = _word_with(Rights.may_emit, signal_type)
            raise self._refused(f"publish a {signal_type.value}", word)

    def refused_to_serve(self, neuron: str) -> AccessRefused:
        """Return the error for an Axon that this Dendrite may not host."""
        return self._refused(f"host an Axon of neuron {neuron!r}", f"serve={neuron}")

    def _refused(self, what: str, word: str) -> AccessRefused:
        user = self._transport.user
        name = user.replace(":", "-", 1)  # over a Unix socket uid:1000, in the folder uid-1000
        return AccessRefused(
            self.url,
            f"the key {user!r} may not {what}",
            # With +, as what we know of its rights is neither new nor, perhaps, all.
            f"to let it, run where the keys of the Synapse are: cosmo keys allow {name} "
            f"--may {shlex.quote(f'+{word}')}",
        )


def _word_with(allows: Callable[[Rights, SignalType], bool], signal_type: SignalType) -> str:
    """Return the narrowest right that allows a type; `serve` for one that no right publishes."""
    each_alone = ((each, Rights.of([each])) for each in _NARROWEST_FIRST)
    return next((word for word, alone in each_alone if allows(alone, signal_type)), "serve")
