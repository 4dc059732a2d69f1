"""Keep the directed connection of a client up: look up, try, pause, again.

Spec: docs/spec/06-sockets.md, Connecting. `DialPlan` decides, this carries out. ZeroMQ would go on
trying the first address of a name for ever, and gives up for good when another kind of socket
answers once.
"""

from __future__ import annotations

import asyncio
import enum
import os
from collections.abc import Callable, Sequence

from ..errors import AccessFault, Cause
from ..sockets import options
from ..sockets.endpoints import (
    Endpoint,
    FoundEndpoint,
    IpcEndpoint,
    Target,
    TcpEndpoint,
    places_of,
)
from .curve import Curve
from .diagnosis import Diagnosis, FailedAttempts, Fault, nameless
from .dial_plan import Attempt, DialPlan
from .found_resolver import FoundResolver
from .line import Line
from .refusals import Answer, Refusals
from .resolve import Resolver
from .stranger_report import StrangerReport

_GRACE_S = 0.5
_LOOK_AFTER_S = 1.0
_NAMELESS_PAUSE_S = 0.25
_NEARLY = 0.9


class _DialState(enum.Enum):
    WAITING = enum.auto()
    TRYING = enum.auto()
    ESTABLISHED = enum.auto()


class Dialer:
    """Makes the connections of one line, one after the other.

    Args:
        line: Makes the attempts; it is closed with the dialer.
        target: Where the proxy is, or one of several; names are looked up for every attempt.
        on_disconnected: Is called when an established connection ends.
        on_refused: Is called with an address that refuses this client for its key, once every
            address was tried, and again if one does so for another reason.
        curve: The keys of the line, if it has some.
    """

    def __init__(
        self,
        line: Line,
        target: Target,
        on_disconnected: Callable[[], None],
        on_refused: Callable[[Endpoint, AccessFault], None],
        curve: Curve | None = None,
    ) -> None:
        self._line = line
        self._target = target
        self._on_disconnected = on_disconnected
        self._loop = asyncio.get_running_loop()
        self._plan = DialPlan(options.dice.random)
        self._resolver = (
            FoundResolver(target) if isinstance(target, FoundEndpoint) else Resolver(target)
        )
        self._record = FailedAttempts()
        self._on_refused = on_refused
        self._curve = curve
        self._refusals: dict[Endpoint, Refusals] = {}
        self._told: tuple[Endpoint, AccessFault] | None = None
        self._met: dict[Endpoint, None] = {}
        self._is_round_over = False
        self._strangers = StrangerReport(self._record, "ROUTER", curve is not None, self._on_answer)
        self._attempt: Attempt | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._look: asyncio.TimerHandle | None = None
        self._is_nameless = False
        self._is_connected = False
        self._since_s = 0.0
        self._state = _DialState.WAITING
        line.open(self)

    @property
    def is_established(self) -> bool:
        """Tell whether the handshake with the far end succeeded."""
        return self._state is _DialState.ESTABLISHED

    @property
    def address(self) -> Endpoint:
        """The address of the current attempt; the first place before the first one."""
        return places_of(self._target)[0] if self._attempt is None else self._attempt.address

    @property
    def is_alone(self) -> bool:
        """Tell whether every address was tried since the last WELCOME, and none let this in."""
        return self._plan.is_alone

    @property
    def has_met_standby(self) -> bool:
        """Tell whether a proxy that stands by was met since the last WELCOME."""
        return Fault.STANDBY in self._record.faults.values()

    def start(self) -> None:
        """Begin an attempt; others follow until `close`."""
        self._resolver.resolve(self._dial)

    def on_welcomed(self) -> None:
        """Note that the proxy at the current address let this client in."""
        if self._state is not _DialState.ESTABLISHED:
            return
        self._plan.on_welcomed()
        self._resolver.keep_only(self.address)
        self._record.clear()
        self._strangers.clear()
        self._refusals.clear()
        self._told = None
        self._met.clear()

    def pass_over(self, named: Sequence[str], others: Sequence[TcpEndpoint]) -> None:
        """Leave the proxy at the current address, which does not lead, and try the next.

        Args:
            named: The other proxies that it named, for people.
            others: The same, as far as they are to be tried behind those that are known.
        """
        if self._state is not _DialState.ESTABLISHED:
            return
        self._record.add_standby(self.address, named)
        self._line.hang_up()
        has_named_others = self._resolver.add(others)
        self._go_on_after(self._plan.on_standby(has_named_others=has_named_others))

    def close(self) -> None:
        """Stop, and close the line."""
        self._cancel_timers()
        self._resolver.close()
        self._strangers.close()
        self._line.close()

    def diagnosis(self) -> Diagnosis:
        """Return what was seen since the socket was last connected."""
        target = self._target
        if isinstance(target, IpcEndpoint) and _is_barred(target.path):
            text = "this user may not write to the socket: it belongs to another one"
            return Diagnosis(Cause.BARRED, text)
        unresolved = self._resolver.unresolved
        if unresolved and isinstance(target, FoundEndpoint):
            return Diagnosis(Cause.NAME, target.fault())
        if unresolved and (self._is_nameless or self._attempt is None):
            return nameless(unresolved)
        if self._is_connected and self._state is _DialState.TRYING:
            self._record.add(self.address, Fault.STRANGER)
        return self._record.diagnosis(unresolved)

    def _dial(self, addresses: list[Endpoint]) -> None:
        self._is_nameless = not addresses
        if not addresses:
            self._pause(_NAMELESS_PAUSE_S * (0.5 + options.dice.random()))
            return
        self._state = _DialState.TRYING
        self._is_round_over = False
        self._refusals = {at: each for at, each in self._refusals.items() if at in addresses}
        self._attempt = attempt = self._plan.next_attempt(addresses)
        self._is_connected = False
        if self._curve is not None:
            self._curve.turn_to(attempt.address)
        self._since_s = self._loop.time()
        limit_s = attempt.connect_s + attempt.handshake_s + _GRACE_S
        self._timer = self._loop.call_later(limit_s, self._on_failed)
        self._line.dial(attempt)

    # -- events of the line ----------------------------------------------------------------------

    def on_connected(self) -> None:
        """Expect the handshake."""
        if self._state is _DialState.TRYING:
            self._is_connected = True
            self._look = self._loop.call_later(_LOOK_AFTER_S, self._on_no_handshake)

    def on_established(self) -> None:
        """Note that messages flow."""
        if self._state is not _DialState.TRYING:
            return
        self._cancel_timers()
        self._plan.on_established()
        if self._curve is not None:
            self._curve.on_good()
        # All else is forgotten at a WELCOME: a proxy that stands by says nothing of the others.
        self._record.forget(self.address)
        self._refusals.pop(self.address, None)
        self._met.pop(self.address, None)
        self._since_s = self._loop.time()
        self._state = _DialState.ESTABLISHED

    def on_down(self, *, is_unlisted: bool = False, is_silent: bool = False) -> None:
        """Make the next attempt, after a pause."""
        if self._state is _DialState.ESTABLISHED:
            self._on_ended(is_silent)
        elif self._state is _DialState.TRYING:
            self._on_failed(is_unlisted)

    # -- what follows ----------------------------------------------------------------------------

    def _on_no_handshake(self) -> None:
        self._record.add(self.address, Fault.STRANGER)
        self._strangers.look_at(self.address)

    def _on_ended(self, is_silent: bool) -> None:
        self._line.hang_up()
        lasted_s = self._loop.time() - self._since_s
        self._pause(self._plan.on_ended(lasted_s, silent=is_silent))
        self._on_disconnected()

    def _on_failed(self, is_unlisted: bool = False) -> None:
        self._cancel_timers()
        self._line.hang_up()
        fault = self._fault()
        is_silent = fault is Fault.NO_ANSWER or self._took_its_time()
        self._record.add(self.address, fault)
        if fault is not Fault.STRANGER:
            self._refusals_at(self.address).on_nobody()
            self._go_on_after(self._plan.on_failed(silent=is_silent))
            return
        self._met[self.address] = None
        again = False
        if is_unlisted:
            self._refusals_at(self.address).on_unlisted()
        else:
            again = self._on_no_greeting(is_silent)
        self._go_on_after(self._plan.on_failed(stranger=True, silent=is_silent, again=again))

    def _go_on_after(self, pause_s: float) -> None:
        self._is_round_over = pause_s > 0.0
        self._pause(pause_s)
        if self._is_round_over:
            self._end_round()

    def _end_round(self) -> None:
        # Only now, as every address was tried: another one may let us in.
        if not self._met:
            self._strangers.hurry()
        for address in self._met:
            fault = self._refusals_at(address).fault
            if fault is not None:
                self._rest(address, fault)
                break
        self._met.clear()

    def _on_no_greeting(self, is_silent: bool) -> bool:
        """Find out whether it is the key that the far end does not like.

        Returns:
            True if the far end may have another public key, which was not tried yet.
        """
        if not is_silent:
            self._refusals_at(self.address).on_failed(self._loop.time())
        has_another = self._curve is not None and self._curve.expect_next()
        self._strangers.look_at(self.address)
        return has_another and not is_silent

    def _on_answer(self, address: Endpoint, answer: Answer) -> None:
        refusals = self._refusals_at(address)
        before = refusals.fault
        refusals.on_answer(answer)
        fault = refusals.fault
        is_pausing = self._state is _DialState.WAITING and self._is_round_over
        if fault is not None and fault is not before and is_pausing:
            self._rest(address, fault)

    def _rest(self, address: Endpoint, fault: AccessFault) -> None:
        """Try again later, as it is refused."""
        self._cancel_timers()
        self._pause(self._plan.on_refused(fault))
        if (address, fault) != self._told:
            self._told = address, fault
            self._on_refused(address, fault)

    def _refusals_at(self, address: Endpoint) -> Refusals:
        return self._refusals.setdefault(address, Refusals(self._curve is not None))

    def _took_its_time(self) -> bool:
        took_s = self._loop.time() - self._since_s
        return self._attempt is not None and took_s >= _NEARLY * self._attempt.handshake_s

    def _fault(self) -> Fault:
        if self._is_connected:
            return Fault.STRANGER
        connect_s = 0.0 if self._attempt is None else self._attempt.connect_s
        took_s = self._loop.time() - self._since_s
        return Fault.NO_ANSWER if took_s >= _NEARLY * connect_s else Fault.CLOSED_PORT

    def _pause(self, pause_s: float) -> None:
        self._state = _DialState.WAITING
        self._timer = self._loop.call_later(pause_s, self.start)

    def _cancel_timers(self) -> None:
        for timer in (self._timer, self._look):
            if timer is not None:
                timer.cancel()


def _is_barred(path: str) -> bool:
    return os.path.exists(path) and not os.access(path, os.W_OK, effective_ids=True)
