"""Asking an endpoint whether a proxy of our version answers there."""

from __future__ import annotations

import asyncio
from typing import Any

from ..errors import Refused, Unreachable, WireError
from ..sockets import options
from ..sockets.endpoints import Endpoint
from ..wire import heads
from ..wire.greetings import unpack_map
from ..wire.heads import Verb
from .connection_monitor import ConnectionMonitor, resolve
from .socket_reader import SocketReader

_MAX_ANSWER_BYTES = 64 * 1024


async def probe(endpoint: Endpoint, timeout_s: float) -> None:
    """Return when a proxy of our version answers there.

    Raises:
        Unreachable: Not within `timeout_s` seconds; the reason says what was seen.
        Refused: Somebody of another version answers.
    """
    loop = asyncio.get_running_loop()
    resolved = await resolve(endpoint)
    where = str(resolved)
    answered: asyncio.Future[list[Any]] = loop.create_future()

    def on_message(message: list[Any]) -> None:
        if not answered.done():
            answered.set_result(message)

    socket = options.dealer(_MAX_ANSWER_BYTES)
    knock = ConnectionMonitor(socket, lambda: None)
    pump = SocketReader(socket, on_message)
    try:
        socket.connect(where)
        async with asyncio.timeout(timeout_s):
            message = await answered
        single = heads.unpack_single(message[0]) if len(message) == 2 else None
        if single is None or single[1] != Verb.WHO:
            raise Refused(where, "it answers, but not as a proxy of our version does")
        speaks = unpack_map(message[1].bytes).get("speaks")
        if not isinstance(speaks, list) or heads.VERSION not in range(*_range(speaks)):
            raise Refused(
                where,
                f"it speaks versions {speaks}, we speak {heads.VERSION}: "
                "install the same release at both ends",
            )
    except TimeoutError as error:
        raise Unreachable(where, knock.diagnosis(resolved)) from error
    except WireError as error:
        raise Refused(where, f"it does not speak our protocol: {error}") from error
    finally:
        pump.close()
        knock.close()
        socket.close()


def _range(speaks: list[Any]) -> tuple[int, int]:
    """Return the versions as a half-open range; an odd answer is an empty one."""
    if len(speaks) == 2 and all(isinstance(each, int) for each in speaks):
        return speaks[0], speaks[1] + 1
    return 0, 0
