"""Wait for WELCOME at the start and for GOODBYE at the end; repeat HELLO in between.

Spec: docs/spec/02-session.md. The link decides when a HELLO is due; this holds the futures and the
timer.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from ..errors import LinkClosed, Refused, Unreachable

HELLO_INTERVAL_S = 1.0
"""02, Greeting 4: a client that waits for WELCOME repeats HELLO once a second."""


NOTE_S = 10.0
"""How often one who waits without a limit says so."""

OnWaiting = Callable[[float, Unreachable], None]
"""Gets the seconds waited so far, and what was seen in this time."""


@asynccontextmanager
async def waiting(
    timeout_s: float | None, on_waiting: OnWaiting | None, unreachable: Callable[[], Unreachable]
) -> AsyncIterator[None]:
    """Call `on_waiting` every 10 s while a wait without a limit lasts.

    Args:
        timeout_s: The limit of the wait; with one nothing is called.
        on_waiting: Is called; None for nobody.
        unreachable: Returns what was seen so far.
    """
    if timeout_s is not None or on_waiting is None:
        yield
        return
    loop = asyncio.get_running_loop()
    since_s = loop.time()
    timer: asyncio.TimerHandle

    def arm() -> None:
        nonlocal timer
        timer = loop.call_later(NOTE_S, note)

    def note() -> None:
        arm()
        on_waiting(loop.time() - since_s, unreachable())

    arm()
    try:
        yield
    finally:
        timer.cancel()


class Handshake:
    """The start and the end of one client, as futures of the running loop.

    Args:
        repeat_hello: Sends HELLO if the session waits for a WELCOME.
    """

    def __init__(self, repeat_hello: Callable[[], None]) -> None:
        self._repeat_hello = repeat_hello
        self._loop = asyncio.get_running_loop()
        self._welcomed: asyncio.Future[None] = self._loop.create_future()
        self._left: asyncio.Future[None] = self._loop.create_future()
        self._away_since_s: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._arm()

    @property
    def away_s(self) -> float | None:
        """For how long the proxy has been away since the last WELCOME; None while it is there."""
        return None if self._away_since_s is None else self._loop.time() - self._away_since_s

    def _arm(self) -> None:
        """Repeat HELLO from now on; a client that is welcome needs no timer."""
        if self._timer is None:
            self._timer = self._loop.call_later(HELLO_INTERVAL_S, self._on_timer)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _on_timer(self) -> None:
        self._timer = None
        self._arm()
        self._repeat_hello()

    async def wait_until_welcomed(self) -> None:
        """Return after the first WELCOME.

        Raises:
            Refused: The proxy refused the client.
            LinkClosed: The client was closed meanwhile.
        """
        await asyncio.shield(self._welcomed)

    async def wait_until_left(self, timeout_s: float) -> bool:
        """Return after GOODBYE was answered; False after `timeout_s` seconds without an answer."""
        try:
            async with asyncio.timeout(timeout_s):
                await asyncio.shield(self._left)
        except TimeoutError:
            return False
        return True

    def on_welcomed(self) -> bool:
        """Record a WELCOME; return whether it is the first one."""
        self._away_since_s = None
        self._disarm()
        if self._welcomed.done():
            return False
        self._welcomed.set_result(None)
        return True

    def on_refused(self, error: Refused) -> bool:
        """Record a refusal; return whether it ends the opening of the client."""
        if self._welcomed.done():
            return False
        self._welcomed.set_exception(error)
        return True

    def on_away(self) -> None:
        """Record the end of a connection."""
        if self._away_since_s is None:
            self._away_since_s = self._loop.time()
        self._arm()

    def on_left(self) -> None:
        """Record that the proxy has read everything that was sent."""
        if not self._left.done():
            self._left.set_result(None)

    def close(self) -> None:
        """End the timer and every wait."""
        self._disarm()
        if not self._welcomed.done():
            self._welcomed.set_exception(LinkClosed("the link was closed while it opened"))
            self._welcomed.exception()  # its waiter may be gone: asyncio must not report it
        self._left.cancel()
