"""A TCP relay with faults: `python -m tools.soak.relay FROM_HOST TO_HOST PORT ...`.

It listens on the ports at one address and hands every connection on to the same port at another.
Prints `ready`. A line on its stdin makes a fault, and a line says when it is done:

    reset          end every connection with RST, on both sides
    stall          move no byte, on old connections and on new ones, until `flow`
    flow           move on
    half_open far  end the far side (TO_HOST) of every connection and say nothing to the near one
    half_open near the same the other way round

`half_open` is done when the ends that were left alone have given up by themselves.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import sys

_CHUNK_BYTES = 64 * 1024
_RST = struct.pack("ii", 1, 0)


def reset(writer: asyncio.StreamWriter) -> None:
    """End one side of a connection with RST: nothing that waits is sent."""
    with contextlib.suppress(OSError):
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST)
    writer.transport.abort()


class Connection:
    """One connection: its near side, towards the client, and its far side.

    Args:
        near: Where bytes come from and go to on the client's side.
        far: The same on the other.
        flows: Set while bytes may move.
    """

    def __init__(
        self,
        near: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        far: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        flows: asyncio.Event,
    ) -> None:
        self._near, self._far = near, far
        self._flows = flows
        self._left_alone = False
        self._pumps: list[asyncio.Task[None]] = []

    async def run(self) -> None:
        """Move bytes both ways until one side ends, and end the other."""
        self._pumps = [
            asyncio.create_task(self._pump(self._near[0], self._far[1])),
            asyncio.create_task(self._pump(self._far[0], self._near[1])),
        ]
        await asyncio.wait(self._pumps, return_when=asyncio.FIRST_COMPLETED)
        if self._left_alone:
            await asyncio.wait(self._pumps)
        self.reset()

    def reset(self) -> None:
        """End both sides with RST."""
        for pump in self._pumps:
            pump.cancel()
        reset(self._near[1])
        reset(self._far[1])

    def half_open(self, side: str) -> None:
        """End one side; discard the data of the other until it closes."""
        self._left_alone = True
        reset(self._far[1] if side == "far" else self._near[1])

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while some := await reader.read(_CHUNK_BYTES):
                await self._flows.wait()
                if self._left_alone:
                    continue
                writer.write(some)
                await writer.drain()


class Relay:
    """All connections, and the faults.

    Args:
        from_host: The address where it listens.
        to_host: The address that it stands for.
    """

    def __init__(self, from_host: str, to_host: str) -> None:
        self._from_host, self._to_host = from_host, to_host
        self._connections: dict[Connection, asyncio.Task[None] | None] = {}
        self._flows = asyncio.Event()
        self._flows.set()
        self._servers: list[asyncio.Server] = []

    async def listen(self, port: int) -> None:
        """Accept connections on a port."""

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                far = await asyncio.open_connection(self._to_host, port)
            except OSError:
                reset(writer)
                return
            connection = Connection((reader, writer), far, self._flows)
            self._connections[connection] = asyncio.current_task()
            try:
                await connection.run()
            finally:
                del self._connections[connection]

        self._servers.append(await asyncio.start_server(connected, self._from_host, port))

    async def obey(self, line: str) -> None:
        """Make the fault that a line names, and return when it is done."""
        match line.split():
            case ["reset"]:
                for connection in list(self._connections):
                    connection.reset()
            case ["stall"]:
                self._flows.clear()
            case ["flow"]:
                self._flows.set()
            case ["half_open", side]:
                running = [each for each in self._connections.values() if each is not None]
                for connection in list(self._connections):
                    connection.half_open(side)
                if running:
                    await asyncio.wait(running)


async def main(from_host: str, to_host: str, *ports: str) -> None:
    """Relay until stdin ends."""
    relay = Relay(from_host, to_host)
    for port in ports:
        await relay.listen(int(port))
    print("ready", flush=True)
    while line := await asyncio.to_thread(sys.stdin.readline):
        await relay.obey(line)
        print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
