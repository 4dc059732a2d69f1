"""The Synapse on NATS as a process: what `SynapseProcess` is on ZeroMQ."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable
from typing import Unpack

import attrs

from ...registry import SynapseState
from ...runtime import clock
from ...telemetry.liveness import STALLED_S, Judgement, LoopPulse
from ..limits import Limits, settings_of
from ..peers import OnNotice, log_notice
from ..release import release
from ..sightings import MessageTap, Sighting
from ..synapse_figures import synapse_state
from .place import NatsPlace
from .router import NatsRouter
from .router_state import summed_state

MIN_DEAD_AFTER_S = 3.0
"""The least `dead_after_s`: a Dendrite says a word every 2 s."""
MAX_DEAD_AFTER_S = 3600.0
_LOOKS = 10


class NatsSynapseProcess:
    """A Synapse on NATS that runs in the thread which calls `run`.

    It listens nowhere: it connects to a nats-server, and goes on trying while there is none. Any
    number of them may serve at the same nats-servers, and share the namespaces.

    Args:
        url: Where the nats-servers are, such as `nats://host:4222`.
        namespaces: The namespaces that are served; empty for any. All that serve at the same
            nats-servers must have the same ones.
        on_signal: Is called with every Signal; must not block.
        creds: The path of a file of NATS credentials.
        always_publish: True to publish every Signal on the subject of its type, though no Dendrite
            listens to it.
        dead_after_s: After how many seconds without a word a Dendrite counts as lost, 3 to 3,600.
        on_role: Is told what changes among the Synapses, in the thread of `run`; must not block. By
            default it is logged.
        limits: See `Limits`.

    Attributes:
        pulse: Whether its loop turns, and how late it is.
        url: The URL, with a password masked.
        carrier: `nats`.

    Raises:
        InvalidUrl: The URL is invalid, or a file that it names cannot be used.
        InvalidName: A namespace is not a valid name.
        MissingExtra: A package is not installed that the credentials need.
        ValueError: A limit is out of range.
    """

    carrier = "nats"
    keys = None
    ipc_url = None
    announced_as = None
    peers: tuple[str, ...] = ()

    def __init__(
        self,
        url: str,
        namespaces: Iterable[str] = (),
        on_signal: Callable[[Sighting], None] | None = None,
        *,
        creds: str | None = None,
        always_publish: bool = False,
        dead_after_s: float = 15.0,
        on_role: OnNotice = log_notice,
        **limits: Unpack[Limits],
    ) -> None:
        if not MIN_DEAD_AFTER_S <= dead_after_s <= MAX_DEAD_AFTER_S:
            raise ValueError(
                f"dead_after_s must be {MIN_DEAD_AFTER_S:g} to {MAX_DEAD_AFTER_S:,.0f} s, not "
                f"{dead_after_s!r:.100}: a Dendrite says a word every 2 s"
            )
        settings = settings_of(namespaces, limits)
        place = NatsPlace.of(url, creds)
        self.url = place.text
        self.pulse = LoopPulse()
        self._started_s = time.monotonic()
        self._router = NatsRouter(
            place,
            settings,
            tap=None if on_signal is None else MessageTap(on_signal),
            always_publish=always_publish,
            dead_after_s=dead_after_s,
            on_news=on_role,
        )
        self._router.on_tick = self.pulse.beat

    def state(self) -> SynapseState:
        """Return its load and its counters, of all namespaces; safe from another thread."""
        for _ in range(_LOOKS):
            with contextlib.suppress(RuntimeError):  # a table grew in its own thread meanwhile
                return self._state()
        return self._state()

    def _state(self) -> SynapseState:
        router, now_s = self._router, time.monotonic()
        draining = router.draining
        states = [each.questions.whole_state(draining, now_s) for each in router.engines.values()]
        uptime_s = now_s - self._started_s
        whole = summed_state(states, self.counts, uptime_s, draining=draining)
        return synapse_state(attrs.evolve(whole, release=release(), ts=clock.now_ts()), self.url)

    def judge(self) -> Judgement:
        """Return whether its loop turns, and it is connected and serves; safe from every thread."""
        alive = self.pulse.judge()
        if not alive.ok or self._router.ready.is_set():
            return alive
        return Judgement(False, f"no nats-server answers at {self.url}")

    def judge_start(self, stalled_s: float = STALLED_S) -> Judgement:
        """Return whether its loop turns, and it has served at all; safe from every thread.

        A service manager that restarts it while nats-server is away would help nobody.
        """
        alive = self.pulse.judge(stalled_s)
        if not alive.ok or self._router.has_served:
            return alive
        return Judgement(False, f"no nats-server has answered at {self.url} yet")

    @property
    def waiting_bytes(self) -> int | None:
        """How many bytes wait for all Dendrites."""
        return self._router.queued_bytes

    def run(self) -> None:
        """Route until asked to stop; then drain for at most 1 s, and close."""
        asyncio.run(self._router.run())

    def ask_to_stop(self) -> None:
        """Make `run` return; safe from a signal handler and from another thread."""
        self._router.ask_to_stop()

    @property
    def counts(self) -> dict[str, int]:
        """Every drop, bounce, copy and refusal so far, by name."""
        return {name: count for name, count in self._router.counts.items() if count}
