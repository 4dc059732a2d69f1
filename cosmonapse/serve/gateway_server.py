"""A gateway as a process: one Dendrite and one HTTP server, until an OS signal."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from ..exposition.gateway_source import GatewaySource
from ..runtime.extras import missing_extra
from ..runtime.os_signals import stop_signal
from .admission import Admission
from .gate import Gate
from .gateway import Face, Gateway
from .gateway_app import make_app

if TYPE_CHECKING:
    from ..http_server.uvicorn_server import HttpServer

MAX_IDLE_CONNECTIONS = 1024
"""The most connections without a request under way."""
REQUEST_S = 30.0
"""How long a request may take to arrive."""
_END_S = 2
"""How long uvicorn waits for its connections at the end."""
_SAID_AFTER_S = 2.0
"""How long the Synapse may be silent before the observer is told."""
_IDLE_S = 75
"""How long a connection may wait for its next request. Proxies and clients keep theirs for up to a
minute: one that is closed under them fails a POST, which most of them may not send again."""
_FLUSH_S = 0.3
"""How long clients may still read what was written to them; uvicorn looks every 0.1 s."""


class GatewayObserver(Protocol):
    """Is told how far a gateway is; each method is called once at most."""

    def on_listening(self) -> None:
        """It listens."""

    def on_waiting(self) -> None:
        """The Synapse has not answered for 2 s."""

    def on_connected(self) -> None:
        """The Synapse has answered."""

    def on_ending(self, open_count: int) -> None:
        """A signal has come, and so many requests are under way."""


async def serve(
    gateway: Gateway,
    faces: Sequence[Face],
    admission: Admission,
    listeners: list[socket.socket],
    source: GatewaySource,
    observer: GatewayObserver,
    *,
    grace_s: float = 10.0,
    logs_by_itself: bool = True,
) -> int:
    """Serve the faces until an OS signal; return its number.

    It listens at once. Until the Synapse has answered requests get 503.

    Args:
        gateway: What the faces share; its Dendrite is started here, and stopped.
        faces: What it speaks.
        admission: Decides which requests go on.
        listeners: From `http_server.listening`; they are closed at the end.
        source: Tells whether the Dendrite is connected.
        observer: Is told how far it is.
        grace_s: How long plain calls may take after the signal; a second signal ends that.
        logs_by_itself: False where the process has a log of its own for what uvicorn says.

    Raises:
        MissingExtra: uvicorn is not installed.
        SynapseRefused: The Synapse refuses this namespace, or is full.
        AccessRefused: The Synapse and the key do not fit.
    """
    dendrite = gateway.dendrite
    connecting = asyncio.create_task(dendrite.start(None), name="connect")
    gate = Gate(
        make_app(gateway, faces, source.ready),
        admission,
        gateway.settings.max_body_bytes,
        lambda: connecting.done(),
        gateway.counts,
    )
    server = _http_server(gate, logs_by_itself, observer.on_listening)
    serving = asyncio.create_task(server.serve(listeners), name="http")
    ending = asyncio.create_task(stop_signal(), name="stop signal")
    try:
        await _first_of(ending, serving, connecting, observer)
        gate.is_ending = True
        if ending.done():
            await _end_requests(gateway, gate, grace_s, observer)
    finally:
        server.should_exit = True
        if not ending.done():
            ending.cancel()
        await asyncio.wait({serving}, timeout=_FLUSH_S)
        server.cut_unread()
        await asyncio.wait({serving, ending})
        await dendrite.stop("signal", drain_s=0.0)
        connecting.cancel()
        await asyncio.wait({connecting})
    for task in (connecting, serving):
        if not task.cancelled() and not _number_of(ending):
            task.result()
    return _number_of(ending)


def _number_of(ending: asyncio.Task[int]) -> int:
    """Return the number of the signal that came; 0 for none."""
    return ending.result() if ending.done() and not ending.cancelled() else 0


async def _first_of(
    ending: asyncio.Task[int],
    serving: asyncio.Task[None],
    connecting: asyncio.Task[None],
    observer: GatewayObserver,
) -> None:
    """Wait for a signal, the end of the server, or the refusal of the Synapse."""
    all_three = {ending, serving, connecting}
    done, _ = await asyncio.wait(
        all_three, timeout=_SAID_AFTER_S, return_when=asyncio.FIRST_COMPLETED
    )
    if not done:
        observer.on_waiting()
        await asyncio.wait(all_three, return_when=asyncio.FIRST_COMPLETED)
    if connecting.done() and connecting.exception() is None:
        observer.on_connected()
        await asyncio.wait({ending, serving}, return_when=asyncio.FIRST_COMPLETED)


async def _end_requests(
    gateway: Gateway, gate: Gate, grace_s: float, observer: GatewayObserver
) -> None:
    """End the streams at once and the plain calls in time; a second signal ends all at once."""
    again = asyncio.create_task(stop_signal(), name="second signal")
    await asyncio.sleep(0)  # it listens from here on: who reads the line may send one at once
    observer.on_ending(gate.open_count)
    await gateway.close_streams()
    draining = asyncio.create_task(gate.drain(grace_s), name="drain")
    await asyncio.wait({again, draining}, return_when=asyncio.FIRST_COMPLETED)
    draining.cancel()
    again.cancel()
    await asyncio.wait({again, draining})
    await gate.drain(0.0)


def _http_server(gate: Gate, logs_by_itself: bool, on_listening: Callable[[], None]) -> HttpServer:
    try:
        from ..http_server.timed_http import Connections
        from ..http_server.uvicorn_server import HttpServer
    except ImportError as error:
        raise missing_extra("uvicorn", "serve", error) from None

    return HttpServer(
        gate,
        Connections(gate.counts, MAX_IDLE_CONNECTIONS, REQUEST_S),
        idle_s=_IDLE_S,
        end_s=_END_S,
        logs_by_itself=logs_by_itself,
        has_lifespan=True,
        on_listening=on_listening,
    )
