"""A Synapse that is found on the LAN: `cosmo://auto`. Spec: docs/spec/13-discovery.md."""

from __future__ import annotations

import asyncio
import logging
import math
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import attrs

import zmq_transport as wire_side

from ..errors import SeveralSynapses, SynapseUnreachable
from ..keys import Key, fingerprint
from ..lan.browser import NoMulticast
from ..lan.choice import Found, Place, chosen
from ..lan.look import look
from ..lan.zeroconf_use import zeroconf
from ..runtime.reachable import REPORT_EVERY_S
from ..runtime.threads import in_thread
from .adapter import mapped
from .url import AUTO, DEFAULT_PORT, Endpoint, auto_namespace
from .zmq import ZmqSynapse

_LOG = logging.getLogger(__name__)
ANSWER_S: Final = 0.75
"""How long a place may take to answer the question whether a Synapse is there."""
_SHORTEST_LOOK_S: Final = 0.3
_AGAIN_S: Final = 1.0
"""How long to look once more where several answer."""
_LOOK_S: Final = 2.0 + _AGAIN_S
_LONGEST_LOOK_S: Final = 5.0
_PAUSE_S: Final = 0.1
_USE_A_URL: Final = "use the URL of the Synapse, cosmo://HOST:7070"
_HINT: Final = f"'cosmo find' shows what is there; or {_USE_A_URL}"


def found_on_lan(
    most_s: float, is_enough: Callable[[Sequence[Found]], bool] = lambda found: False
) -> list[Found]:
    """Return the Synapses that are announced, each asked whether it answers. It blocks.

    Args:
        most_s: How long to look, in seconds.
        is_enough: Whether to end earlier with what was found.

    Raises:
        MissingExtra: The package `zeroconf` is not installed.
        SynapseUnreachable: This machine has no network to look on.
    """
    try:
        return look(_answers, most_s, is_enough)
    except NoMulticast as error:
        raise SynapseUnreachable(f"cosmo://{AUTO}", str(error), _USE_A_URL) from None


def _answers(place: Place) -> bool:
    return wire_side.greets(wire_side.TcpEndpoint(*place), ANSWER_S)


class _Finder:
    """Finds the one Synapse of a URL, again and again; for several threads.

    Args:
        url: `cosmo://auto` or `cosmo://auto/NAMESPACE`.
        prints: The fingerprints of the Synapses that the user's key names.
    """

    def __init__(self, url: str, prints: Iterable[str]) -> None:
        self._url = url
        self._namespace = auto_namespace(url)
        self._prints = frozenset(prints)
        self._lock = threading.Lock()
        self._looks_count = 0
        self._looked_at_s = 0.0
        self._last: tuple[wire_side.TcpEndpoint, ...] = ()
        self.fault = "it was not looked for"
        """Why it was not found at the last time."""

    def look(self, most_s: float) -> None:
        """Find out where it is now. It blocks.

        Args:
            most_s: How long, in seconds. If there is room for two looks the last second is for the
                second one.

        Raises:
            SynapseUnreachable: None that fits answers.
            SeveralSynapses: Several do.
            MissingExtra: The package `zeroconf` is not installed.
        """

        def choose(found: Sequence[Found]) -> tuple[Place, ...]:
            return chosen(self._url, self._namespace, found, self._prints)

        def is_clear(found: Sequence[Found]) -> bool:
            try:
                return bool(choose(found))
            except (SynapseUnreachable, SeveralSynapses):
                return False  # two may have been started this moment, and not know each other yet

        first_s = most_s - _AGAIN_S
        has_room = first_s >= _SHORTEST_LOOK_S
        try:
            places = choose(found_on_lan(first_s if has_room else most_s, is_clear))
        except SeveralSynapses:
            if not has_room:
                raise
            # Each announces the other a moment after it heard it, and what was asked within the
            # last second is not answered again: so ask anew before it is called an error.
            places = choose(found_on_lan(_AGAIN_S, is_clear))
        before, self._last = self._last, tuple(wire_side.TcpEndpoint(*each) for each in places)
        self._looks_count = 0
        self.fault = ""
        if before and set(before) != set(self._last):
            _LOG.warning("%s is at %s now", self._url, " and ".join(map(str, self._last)))

    def known(self) -> tuple[wire_side.TcpEndpoint, ...]:
        """Return where it was last; nothing if it was never found."""
        return self._last

    def find(self) -> tuple[wire_side.TcpEndpoint, ...]:
        """Return where it is now; where it was last if it is not found. It blocks, never raises.

        Those who ask while it is being looked for get that answer too. As long as it is not found
        each look is longer than the one before, and hears at once what is announced meanwhile.
        """
        asked_at_s = time.monotonic()
        with self._lock:
            if self._looked_at_s < asked_at_s:
                self._look_again()
                self._looked_at_s = time.monotonic()
            return self._last

    def _look_again(self) -> None:
        self._looks_count += 1
        try:
            self.look(min(_LONGEST_LOOK_S, self._looks_count) + _AGAIN_S)
        except SynapseUnreachable as error:
            self.fault = error.reason
        except SeveralSynapses as error:
            if str(error) != self.fault:
                _LOG.warning("%s; until then only the last one is tried", error)
            self.fault = str(error)
        except Exception:  # noqa: BLE001  # the last door of this thread: what was known stays
            if threading.main_thread().is_alive():  # no thread starts while a program ends
                _LOG.exception("looking for %s failed; it is tried again", self._url)


class AutoSynapse(ZmqSynapse):
    """The Synapse that is announced on the LAN; see `cosmonapse.transport.Synapse`.

    It is looked for at `connect`, and again when a connection is lost.

    Args:
        url: `cosmo://auto` or `cosmo://auto/NAMESPACE`.
        carrier: What moves the directed messages: `zmtp` or `libzmq`.
        key: The key to show, with which `libzmq` then moves the messages.

    Raises:
        InvalidUrl: The URL has another form.
        InvalidKey: The two halves of the key do not belong together.
        MissingExtra: The package `zeroconf` is not installed.
    """

    def __init__(
        self, url: str, carrier: str = wire_side.DEFAULT_CARRIER, key: Key | None = None
    ) -> None:
        prints = () if key is None else map(fingerprint, key.synapse)
        self._finder = finder = _Finder(url, prints)
        zeroconf()
        super().__init__(Endpoint(AUTO, DEFAULT_PORT), carrier, key)
        self.where = attrs.evolve(self.where, url=url, hint=lambda cause: _HINT)
        self._target = wire_side.FoundEndpoint(url, finder.known, finder.find, lambda: finder.fault)

    async def connect(self, timeout_s: float | None) -> None:
        """See the port."""
        until_s = math.inf if timeout_s is None else time.monotonic() + timeout_s
        await self._find_first(until_s)
        left_s = max(until_s - time.monotonic(), _SHORTEST_LOOK_S)
        with mapped(self.where):
            await wire_side.probe(
                self._target,
                None if timeout_s is None else left_s,
                self.where.log_wait,
                self._carrier_name,
                self._keys,
            )

    async def _find_first(self, until_s: float) -> None:
        """Return when it is found.

        Raises:
            SynapseUnreachable: It was not, in time.
            SeveralSynapses: More than one was.
        """
        began_s = time.monotonic()
        report_at_s = began_s + REPORT_EVERY_S
        while True:
            left_s = until_s - time.monotonic()
            try:
                look_s = min(_LOOK_S, max(left_s, _SHORTEST_LOOK_S))
                await in_thread(self._finder.look, look_s, name="lan look")
                return
            except SynapseUnreachable as error:
                now_s = time.monotonic()
                if until_s - now_s <= _SHORTEST_LOOK_S:
                    raise
                if until_s == math.inf and now_s >= report_at_s:
                    report_at_s += REPORT_EVERY_S
                    _LOG.warning("%s; still looking after %.0f s", error, now_s - began_s)
            await asyncio.sleep(_PAUSE_S)
