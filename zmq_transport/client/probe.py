"""Ask an endpoint whether a proxy of our version answers there."""

from __future__ import annotations

import asyncio

from ..access.curve_keys import ClientKeys
from ..errors import AccessFault, Refused, Unreachable, WireError
from ..sockets.carriers import DEFAULT_CARRIER
from ..sockets.endpoints import Endpoint, Target
from ..wire import heads
from ..wire.greetings import unpack_map
from ..wire.heads import Verb
from .dialer import Dialer
from .handshake import OnWaiting, waiting
from .lines import line_of
from .refusals import refused
from .zmq_carrier import curve_for

_MAX_ANSWER_BYTES = 64 * 1024


async def probe(
    target: Target,
    timeout_s: float | None,
    on_waiting: OnWaiting | None = None,
    carrier: str = DEFAULT_CARRIER,
    keys: ClientKeys | None = None,
) -> None:
    """Return when a proxy of our version answers there.

    Args:
        target: The directed endpoint of the proxy; of several, one that answers is enough.
        timeout_s: Maximum wait in seconds; None waits for ever.
        on_waiting: Is called every 10 s of the wait.
        carrier: What moves the messages: `zmtp` or `libzmq`.
        keys: The keys, see `ZmqCarrier`.

    Raises:
        Unreachable: Not within `timeout_s` seconds; the reason describes the attempt.
        Refused: The far end is not a proxy of our version.
        AccessRefused: The far end refuses this client for its key.
    """
    where = str(target)
    answer = _Answer()
    curve = curve_for(target, keys)

    def on_refused(address: Endpoint, fault: AccessFault) -> None:
        error = refused(str(address), fault, "" if curve is None else curve.user)
        answer.end(error)

    line = line_of(carrier, curve)(answer, _MAX_ANSWER_BYTES)
    dialer = Dialer(line, target, lambda: None, on_refused, curve)

    def unreachable() -> Unreachable:
        if dialer.is_established:
            seen = f"connected to {dialer.address}, but it did not ask who we are in time"
            return Unreachable(where, seen)
        found = dialer.diagnosis()
        return Unreachable(where, found.text, found.cause)

    try:
        dialer.start()
        async with asyncio.timeout(timeout_s), waiting(timeout_s, on_waiting, unreachable):
            message = await answer.message
        _check_versions(str(dialer.address), *message)
    except TimeoutError as error:
        raise unreachable() from error
    except WireError as error:
        raise Refused(str(dialer.address), f"it does not speak our protocol: {error}") from error
    finally:
        dialer.close()


class _Answer:
    """Waits for the first message of a line."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.message: asyncio.Future[tuple[bytes, bytes]] = loop.create_future()

    def on_message(self, head: bytes, body: bytes) -> None:
        """Keep the first."""
        if not self.message.done():
            self.message.set_result((head, body))

    def end(self, error: Exception) -> None:
        """Raise in whoever waits."""
        if not self.message.done():
            self.message.set_exception(error)

    def on_writable(self) -> None:
        """Nothing waits to be sent."""

    def on_dropped(self, reason: str) -> None:
        """Take a message of other frames for one without a meaning."""
        self.on_message(b"", b"")


def _check_versions(where: str, head: bytes, body: bytes) -> None:
    speaks = _versions_in(head, body)
    if speaks is None:
        raise Refused(where, "it answers, but not as a proxy of our version does")
    if heads.VERSION not in range(*_range(speaks)):
        raise Refused(
            where,
            f"it speaks versions {speaks}, we speak {heads.VERSION}: "
            "install the same release at both ends",
        )


def _versions_in(head: bytes, body: bytes) -> object:
    """Return the value of `speaks` in a WHO; None if the message is not one."""
    fields = heads.fields_of(head) if head else None
    if fields is None or fields.verb != Verb.WHO:
        return None
    return unpack_map(body).get("speaks", ())


def _range(speaks: object) -> tuple[int, int]:
    """Return the versions as a half-open range; an invalid answer is an empty range."""
    if not isinstance(speaks, list) or len(speaks) != 2:
        return 0, 0
    lowest, highest = speaks
    if not isinstance(lowest, int) or not isinstance(highest, int):
        return 0, 0
    return lowest, highest + 1
