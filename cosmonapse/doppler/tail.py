"""Doppler as a process: receives, filters and prints Signals until an OS signal ends it."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple, TextIO

import attrs

from ..registry import NeuronRecord
from ..runtime.os_signals import stop_signal
from ..runtime.reachable import when_reachable
from ..signals import Directed, Signal, SignalType
from ..synapse.connect import KeyLike
from .durations import TaskDurations
from .observed import ObservedSignal
from .observer import Listener, Observer
from .printing import MOST_WAITING, Printer, Printing
from .signal_filter import Choose, Past, SignalFilter

_OPEN_S = 3.0
_ASK_S = 5.0


class Before(NamedTuple):
    """What is shown before the Signals that come.

    Attributes:
        since_ts: Earlier Signals are not shown, wall clock.
        past: Returns what is known of before, given namespace and URL of the Synapse; it may block.
    """

    since_ts: float
    past: Callable[[str, str], Past]


class Tail:
    """Prints the Signals of one namespace.

    Args:
        url: URL of the Synapse.
        namespace: The namespace to observe.
        wanted: The Signals to show.
        choose: Returns what to show at a Signal that the Synapse sends.
        out: The output.
        printing: How Signals and reports are printed.
        say: Reports to the user, one line at a time.
        key: Its key, see `synapse_from_url`.
        before: What is shown first; None: nothing.

    Raises:
        InvalidUrl: `url` names no endpoint.
        InvalidKey: The key cannot be used.
        InvalidName: `namespace` is not a valid name.
    """

    def __init__(
        self,
        url: str,
        namespace: str,
        wanted: SignalFilter,
        choose: Choose,
        out: TextIO,
        printing: Printing,
        say: Callable[[str], None],
        key: KeyLike | None = None,
        before: Before | None = None,
    ) -> None:
        self._listener = Listener(self._on_signal, self._on_missed, self._on_link)
        self._observer = Observer(
            url,
            namespace,
            self._listener,
            types=wanted.types,
            trace_id=wanted.whole_trace,
            key=key,
        )
        self._wanted = wanted
        self._choose = choose
        self._before = before
        self._held: deque[ObservedSignal] | None = None if before is None else deque()
        self._say = say
        self._out = out
        self._printing = printing
        self._durations = TaskDurations()
        self._printer: Printer
        self._shown = 0
        self._missed = 0
        self._is_away = False
        self._joined = False

    async def run(self, since_start: bool) -> int | None:
        """Show Signals until an OS signal; return its number, or None if the reader is gone.

        A Synapse that is not there yet is waited for.

        Args:
            since_start: Whether the Axons already there are shown first, as REGISTER.

        Raises:
            SynapseRefused: The Synapse refuses this namespace, or is full.
            OSError: The output cannot be written, as on a full disk.
        """
        loop = asyncio.get_running_loop()
        gone: asyncio.Future[None] = loop.create_future()

        def on_gone(error: Exception) -> None:
            if gone.done():
                return
            is_full = isinstance(error, OSError) and not isinstance(error, BrokenPipeError)
            gone.set_exception(error) if is_full else gone.set_result(None)

        self._printer = Printer(
            self._out, self._printing, lambda error: _from_thread(loop, lambda: on_gone(error))
        )
        ending = asyncio.create_task(stop_signal(), name="stop signal")
        try:
            await self._begin(since_start, ending)
            ends: set[asyncio.Future[Any]] = {gone, ending}
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            return ending.result() if ending.done() else gone.result()
        finally:
            ending.cancel()
            await self._observer.close()
            self._printer.close()
            if self._joined and not gone.done():
                self._say(self._summary())

    def _summary(self) -> str:
        bad = self._listener.counts["bad_signal"]
        unreadable = f", {bad:,} messages were invalid" if bad else ""
        return f"{self._shown:,} Signals shown, {self._missed:,} missed{unreadable}"

    async def _begin(self, since_start: bool, ending: asyncio.Task[int]) -> None:
        """Join, unless an OS signal arrives before that."""
        opening = asyncio.create_task(self._open(since_start), name="open")
        await asyncio.wait({opening, ending}, return_when=asyncio.FIRST_COMPLETED)
        opening.cancel()
        try:
            await opening
        except asyncio.CancelledError:
            if not ending.done():
                raise

    async def _open(self, since_start: bool) -> None:
        await when_reachable(lambda: self._observer.open(_OPEN_S), self._say)
        self._joined = True
        self._say(
            f"showing {self._observer.namespace} at {self._observer.synapse.url}; Ctrl-C ends it"
        )
        if self._before is not None:
            await self._show_past(self._before)
        if since_start:
            there = attrs.evolve(self._wanted, types=frozenset())
            for record in await self._observer.roster(_ASK_S):
                registered = _registered(record)
                if there(registered):
                    self._show(registered)

    async def _show_past(self, before: Before) -> None:
        """Show what was before, then what came meanwhile, each Signal once."""
        observer = self._observer
        earlier = await asyncio.to_thread(before.past, observer.namespace, observer.synapse.url)
        behind_s = time.time() - time.monotonic()
        for at_ts, observed in earlier:
            chosen = self._choose(self._durations.note(observed, at_ts - behind_s))
            if at_ts >= before.since_ts:
                for each in chosen:
                    self._show(each)
        known = {observed.signal.id for _, observed in earlier}
        held, self._held = self._held or deque(), None
        for observed in held:
            if observed.signal.id not in known:
                self._on_signal(observed)

    def _on_signal(self, observed: ObservedSignal) -> None:
        if self._held is not None:
            self._held.append(observed)
            if len(self._held) > MOST_WAITING:
                self._held.popleft()
                self._on_missed(1)
            return
        for each in self._choose(self._durations.note(observed, time.monotonic())):
            self._show(each)

    def _show(self, observed: ObservedSignal) -> None:
        self._shown += 1
        self._printer.put(observed)

    def _on_missed(self, count: int) -> None:
        self._missed += count
        self._printer.missed(count)

    def _on_link(self, connected: bool, reason: str | None) -> None:
        if not connected and not self._is_away:
            self._report(f"the Synapse is not reachable ({reason}): waiting for it")
        elif connected and self._is_away:
            self._report("the Synapse is back; Signals sent in between were not seen")
        self._is_away = not connected

    def _report(self, line: str) -> None:
        (self._printer.note if self._printing.is_shared else self._say)(line)


def _registered(record: NeuronRecord) -> ObservedSignal:
    """Return the REGISTER of an Axon, as far as the Synapse still has it."""
    payload = {
        "role": record.role,
        "capabilities": list(record.capabilities),
        "version": record.version,
    }
    signal = Signal(
        type=SignalType.REGISTER,
        payload={key: value for key, value in payload.items() if value is not None},
        directed=Directed(record.neuron_id, "neuron", record.capabilities),
        meta={
            "dendrite": record.dendrite_id,
            "instance": record.instance,
            "from": "roster",
            "state": record.state,
        },
    )
    return ObservedSignal(signal, b"", b"", bytes.fromhex(record.instance))


def _from_thread(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(call)
