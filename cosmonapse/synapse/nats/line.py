"""One connection to a nats-server, made anew by us. Spec: docs/spec/14-nats.md, "Connections".

A `Client` of nats-py serves for one connection and is thrown away then: it would subscribe again,
and send what waited, before anybody could say that this belongs to the past. Its coroutines that
do not wait are run at once, so that nothing here waits.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
from collections.abc import Callable, Coroutine
from typing import Any, Final, Protocol
from urllib.parse import ParseResult

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import SlowConsumerError

from .errors_of import Fault, fault_of
from .half_done import begun
from .place import NatsPlace
from .server_rotation import NatsAddress, ServerRotation

_LOG = logging.getLogger(__name__)
CONNECT_S: Final = 2.0
"""Limit of each step of an attempt to connect; three times as much for all of it."""
PING_S: Final = 2.0
"""How often a nats-server is asked for a sign of life."""
MAX_PINGS: Final = 3
"""So many may be without an answer: they wait behind a large message on a slow way."""
CLOSE_S: Final = 1.0
"""How long what was published before `close` may take to leave."""
_LOOK_S: Final = 0.5
_FLUSH_S: Final = 3600
_PENDING_BYTES: Final = 1 << 40
_NO_RESPONDERS = "503"


class LineEvents(Protocol):
    """The events of a line, on the event loop."""

    def on_up(self) -> None:
        """Handle a new connection: no subscription of an earlier one is left."""

    def on_down(self, why: str) -> None:
        """Handle the end of the connection; the line is making the next one."""

    def on_fault(self, fault: Fault) -> None:
        """Handle what the nats-server does not allow, or cannot do; it may come again and again."""


class NatsLine:
    """Keeps one connection to a nats-server up.

    Args:
        place: Where the nats-servers are, and what they are shown.
        name: Of the connection, for whoever looks at the nats-server.
        events: Takes the events.
        ping_s: How often the nats-server is asked for a sign of life; after `MAX_PINGS` without an
            answer the connection ends.
        only: The one nats-server that it connects to; None for those of `place` and those that
            these name, one after the other.

    Attributes:
        address: The nats-server of the last connection; None before the first one.
        attempts: How many connections were tried.
        last_error: What went wrong last, for people; empty if nothing did.
        has_connected: Whether any attempt succeeded.
        slow: Messages that nats-py dropped, as it found no room for them.
    """

    def __init__(
        self,
        place: NatsPlace,
        name: str,
        events: LineEvents,
        ping_s: float = PING_S,
        only: NatsAddress | None = None,
    ) -> None:
        self._place = place
        self._ping_s = ping_s
        self._name = name
        self._events = events
        self._only = only
        self._servers = ServerRotation(place.servers, random.random)
        self._client: Client | None = None
        self._ended: asyncio.Future[str] | None = None
        self._task: asyncio.Task[None] | None = None
        self._pings: set[asyncio.Task[None]] = set()
        self._closings: set[asyncio.Task[None]] = set()
        self._is_closed = False
        self.address: NatsAddress | None = None
        self.attempts = 0
        self.last_error = ""
        self.has_connected = False
        self.slow = 0

    @property
    def is_connected(self) -> bool:
        """Return whether something may be published."""
        return self._client is not None and self._client.is_connected

    @property
    def max_payload(self) -> int:
        """The limit of one message in bytes, as the nats-server says; 0 before the first one."""
        return 0 if self._client is None else int(self._client.max_payload)

    @property
    def waiting_bytes(self) -> int:
        """The bytes that were published and wait for room in the socket."""
        return 0 if self._client is None else int(self._client.pending_data_size)

    def start(self) -> None:
        """Begin to connect, and go on until `close`."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name=f"line {self._name}")

    def close(self) -> None:
        """End now; what was published before still leaves, in the background."""
        if self._is_closed:
            return
        self._is_closed = True
        if self._task is not None:
            self._task.cancel()
        client, self._client = self._client, None
        if client is not None:
            self._dispose(client)

    async def closed(self) -> None:
        """Return when nothing of it is left; call it after `close`."""
        everything: list[asyncio.Task[None]] = [*self._closings]
        if self._task is not None:
            everything.append(self._task)
        if everything:
            await asyncio.wait(everything)
            if self._closings:  # of an attempt that was under way
                await asyncio.wait(self._closings)

    # -- what is done by it, all without waiting -------------------------------------------------

    def publish(self, subject: str, data: bytes, reply: str = "") -> bool:
        """Hand a message over; False, and nothing is kept, when there is no connection.

        Args:
            subject: Where it goes.
            data: At most `max_payload` bytes.
            reply: Where the nats-server says that nobody reads there; empty for nowhere.
        """
        client = self._client
        if client is None or not client.is_connected:
            return False  # nats-py would keep it, and send it once it is too late
        try:
            _at_once(client.publish(subject, data, reply))
        except NatsError as error:
            self._note(error)
            return False
        return True

    def subscribe(self, subject: str, take: Callable[[Msg], None]) -> Callable[[], None]:
        """Take the messages of a subject until the connection ends; nothing without one.

        Messages of several subscriptions come in the order in which the nats-server sent them.

        Args:
            subject: The subject, or a pattern.
            take: Is called with each message, as it is read.

        Returns:
            What ends the subscription.
        """
        client = self._client
        if client is None or not client.is_connected:
            return _nothing
        hand: asyncio.Future[Msg] = _Hand(take)
        try:
            subscription = _at_once(client.subscribe(subject, future=hand))
        except NatsError as error:
            self._note(error)
            return _nothing

        def end() -> None:
            if client is self._client and client.is_connected:
                try:
                    _at_once(subscription.unsubscribe())
                except NatsError as error:
                    self._note(error)

        return end

    def new_inbox(self) -> str:
        """Return a subject that nobody used before, which this user may read."""
        return "" if self._client is None else str(self._client.new_inbox())

    async def flush(self) -> bool:
        """Return True when the nats-server has read everything that was published.

        False when the connection ended meanwhile.
        """
        client, ended = self._client, self._ended
        if client is None or ended is None or not client.is_connected:
            return False
        await asyncio.sleep(0)  # nats-py writes what was published
        # Its PING goes ahead of what it could not write yet, and behind that the second time.
        for _ in range(2 if client.pending_data_size else 1):
            ping = asyncio.create_task(client.flush(_FLUSH_S), name=f"flush {self._name}")
            self._pings.add(ping)
            ping.add_done_callback(self._on_ping_done)
            waits_for: list[asyncio.Future[Any]] = [ping, ended]
            await asyncio.wait(waits_for, return_when=asyncio.FIRST_COMPLETED)
            if client is not self._client or ended.done() or not _succeeded(ping):
                return False
        return True

    def _on_ping_done(self, ping: asyncio.Task[None]) -> None:
        self._pings.discard(ping)
        if not ping.cancelled():
            ping.exception()  # the end of the connection is told by another way

    # -- the connections -------------------------------------------------------------------------

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            lasted_s = 0.0
            server = self._only or self._servers.next()
            try:
                client = await self._connected(server)
            except Exception as error:  # noqa: BLE001  # nats-py raises what ssl, json, nkeys raise
                self._note(error)
                self._tell_fault(error)
            else:
                since_s = loop.time()
                self.address = server
                await self._serve(client)
                lasted_s = loop.time() - since_s
            await asyncio.sleep(self._servers.pause_after_s(lasted_s))

    async def _connected(self, server: NatsAddress) -> Client:
        """Return a client that is connected, or raise what nats-py, ssl or the system raises."""
        client = Client()
        self.attempts += 1

        async def on_error(error: Exception) -> None:
            if client is not self._client:
                raise error  # or it would try the same server for ever
            self._on_error(error)

        async def on_closed() -> None:
            self._end(client)

        try:
            async with asyncio.timeout(3 * CONNECT_S):
                await client.connect(
                    **self._options(server),
                    error_cb=on_error,
                    closed_cb=on_closed,
                )
            _check_connected(client)
        except BaseException:
            self._dispose(client)
            raise
        return client

    def _options(self, server: NatsAddress) -> dict[str, Any]:
        options = dict(self._place.options)
        if "tls" in options and server.tls_name:
            options.setdefault("tls_hostname", server.tls_name)
        return {
            "name": self._name,
            "servers": [server.url],
            "allow_reconnect": False,
            "connect_timeout": CONNECT_S,
            "ping_interval": self._ping_s,
            "max_outstanding_pings": MAX_PINGS,
            "pending_size": _PENDING_BYTES,
            "flusher_queue_size": 0,
            **options,
        }

    async def _serve(self, client: Client) -> None:
        """Return when the connection has ended and that was told."""
        loop = asyncio.get_running_loop()
        ended = self._ended = loop.create_future()
        self._client = client
        self.has_connected = True
        self._servers.on_connected(_told_by(client))
        _LOG.debug("%s: connected to a nats-server at %s", self._name, self._place.text)
        self._told(self._events.on_up)
        while not ended.done():
            # It says nothing when it ends as the far end does not read any more.
            await asyncio.wait({ended}, timeout=_LOOK_S)
            if not client.is_connected:
                self._end(client)
        self._client = None
        self._dispose(client)
        if client.last_error is not None:
            self._tell_fault(client.last_error)
        self._told(lambda: self._events.on_down(ended.result()))

    def _end(self, client: Client) -> None:
        if client is not self._client or self._ended is None or self._ended.done():
            return
        if client.last_error is not None:
            self._note(client.last_error)
        self._ended.set_result(self.last_error or "the nats-server closed the connection")

    def _on_error(self, error: Exception) -> None:
        self._note(error)
        if isinstance(error, SlowConsumerError):
            self.slow += 1
        else:
            self._tell_fault(error)

    def _note(self, error: Exception) -> None:
        fault = fault_of(error)
        self.last_error = fault.text if fault is not None else _text_of(error)

    def _tell_fault(self, error: Exception) -> None:
        fault = fault_of(error)
        if fault is not None:
            self._told(lambda: self._events.on_fault(fault))

    def _told(self, event: Callable[[], None]) -> None:
        if self._is_closed:
            return
        try:
            event()
        except Exception:  # noqa: BLE001  # the last door: the line goes on
            _LOG.exception("an event of the connection to NATS could not be handled")

    def _dispose(self, client: Client) -> None:
        """Close a client; what it still has to write leaves in the background."""
        pings, self._pings = self._pings, set()
        rest = begun(client.close(), CLOSE_S, f"close {self._name}")
        if rest is None:
            _cancel(pings)
            return
        self._closings.add(rest)
        rest.add_done_callback(self._closings.discard)
        rest.add_done_callback(lambda _: _cancel(pings))


class _Hand(asyncio.Future[Msg]):
    """Takes every message of a subscription at once, where nats-py sets the result of a request.

    With a callback it would have a queue and a task for each subscription, and messages of two of
    them would change places: an output could come before its stream.
    """

    def __init__(self, take: Callable[[Msg], None]) -> None:
        super().__init__()
        self._take = take

    def set_result(self, result: Msg) -> None:
        """Take a message."""
        try:
            self._take(result)
        except Exception:  # noqa: BLE001  # the last door: one message must not stop the rest
            _LOG.exception("a message could not be handled and is dropped")


def is_no_responders(message: Msg) -> bool:
    """Return whether the nats-server says that nobody reads where a message went."""
    headers = message.headers or {}
    return not message.data and headers.get("Status") == _NO_RESPONDERS


def _at_once(step: Coroutine[Any, Any, Any]) -> Any:
    """Return the result of a coroutine of nats-py that does not wait here."""
    try:
        step.send(None)
    except StopIteration as done:
        return done.value
    step.close()  # it has taken the message, and would wait until that is written
    return None


def _check_connected(client: Client) -> None:
    """Raise why a client that has connected is not connected any more, if it is so."""
    if not client.is_connected:
        raise client.last_error or ConnectionError("the far end closed the connection")


def _cancel(pings: set[asyncio.Task[None]]) -> None:
    """Cancel those that wait for an answer, once none is read: an earlier end breaks nats-py."""
    for ping in list(pings):
        ping.cancel()


def _succeeded(ping: asyncio.Task[None]) -> bool:
    return ping.done() and not ping.cancelled() and ping.exception() is None


def _told_by(client: Client) -> list[NatsAddress]:
    """Return the servers that a server named; the certificates have the name of that one."""
    own = client.connected_url
    name = (own.hostname if own is not None else None) or ""
    return [NatsAddress(_url_of(each), name) for each in client.discovered_servers]


def _url_of(server: ParseResult) -> str:
    return f"{server.scheme}://{server.netloc.rpartition('@')[2]}"


def _text_of(error: Exception) -> str:
    """Return an error for people; asyncio puts the address into those of the system."""
    if isinstance(error, OSError) and error.errno is not None and error.errno > 0:
        return os.strerror(error.errno)
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__


def _nothing() -> None:
    """End a subscription that was never made."""
