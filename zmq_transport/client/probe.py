"""Ask an endpoint whether a proxy of our version answers there."""

from __future__ import annotations

import asyncio
from typing import Any

from ..errors import Refused, Unreachable, WireError
from ..sockets import options
from ..sockets.endpoints import Endpoint
from ..wire import heads
from ..wire.greetings import unpack_map
from ..wire.heads import Verb
from .dialer import Dialer
from .handshake import OnWaiting, waiting
from .socket_reader import SocketReader

_MAX_ANSWER_BYTES = 64 * 1024


async def probe(
    endpoint: Endpoint, timeout_s: float | None, on_waiting: OnWaiting | None = None
) -> None:
    """Return when a proxy of our version answers there.

    Args:
        endpoint: The directed endpoint of the proxy.
        timeout_s: Maximum wait in seconds; None waits for ever.
        on_waiting: Is called every 10 s of the wait.

    Raises:
        Unreachable: Not within `timeout_s` seconds; the reason describes the attempt.
        Refused: The far end is not a proxy of our version.
    """
    where = str(endpoint)
    answered: asyncio.Future[list[Any]] = asyncio.get_running_loop().create_future()

    def on_message(message: list[Any]) -> None:
        if not answered.done():
            answered.set_result(message)

    socket = options.dealer(_MAX_ANSWER_BYTES)
    reader = SocketReader(socket, on_message)
    dialer = Dialer(socket, endpoint, lambda: None, reader.poll_soon)

    def unreachable() -> Unreachable:
        if dialer.is_established:
            seen = f"connected to {dialer.address}, but it did not ask who we are in time"
            return Unreachable(where, seen)
        found = dialer.diagnosis()
        return Unreachable(where, found.text, found.cause)

    try:
        dialer.start()
        async with asyncio.timeout(timeout_s), waiting(timeout_s, on_waiting, unreachable):
            message = await answered
        _check_versions(where, message)
    except TimeoutError as error:
        raise unreachable() from error
    except WireError as error:
        raise Refused(where, f"it does not speak our protocol: {error}") from error
    finally:
        reader.close()
        dialer.close()
        socket.close()


def _check_versions(where: str, message: list[Any]) -> None:
    speaks = _versions_in(message)
    if speaks is None:
        raise Refused(where, "it answers, but not as a proxy of our version does")
    if heads.VERSION not in range(*_range(speaks)):
        raise Refused(
            where,
            f"it speaks versions {speaks}, we speak {heads.VERSION}: "
            "install the same release at both ends",
        )


def _versions_in(message: list[Any]) -> object:
    """Return the value of `speaks` in a WHO; None if the message is not one."""
    if len(message) != 2:
        return None
    head, body = message
    fields = heads.fields_of(head)
    if fields is None or fields.verb != Verb.WHO:
        return None
    return unpack_map(body.bytes).get("speaks", ())


def _range(speaks: object) -> tuple[int, int]:
    """Return the versions as a half-open range; an invalid answer is an empty range."""
    if not isinstance(speaks, list) or len(speaks) != 2:
        return 0, 0
    lowest, highest = speaks
    if not isinstance(lowest, int) or not isinstance(highest, int):
        return 0, 0
    return lowest, highest + 1
