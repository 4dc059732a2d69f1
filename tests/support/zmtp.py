"""The far end of a ZMTP connection over a plain TCP socket: bytes as they are on the wire."""

import contextlib
import socket

TIMEOUT_S = 10.0
COMMAND, LONG, MORE = 4, 2, 1


class Wire:
    """One connection; it reads exactly what is there and adds nothing of its own."""

    def __init__(self, connection):
        self._connection = connection
        connection.settimeout(TIMEOUT_S)

    def send(self, data):
        """Send bytes."""
        self._connection.sendall(data)

    def read(self, size):
        """Return the next `size` bytes.

        Raises:
            ConnectionError: The far end closed the connection.
        """
        data = b""
        while len(data) < size:
            some = self._connection.recv(size - len(data))
            if not some:
                raise ConnectionError(f"closed by the far end after {data!r}")
            data += some
        return data

    def frame(self):
        """Return the next frame as it is on the wire: its flags, its size and its bytes."""
        flags = self.read(1)
        size = self.read(8 if flags[0] & LONG else 1)
        return flags + size + self.read(int.from_bytes(size, "big"))

    def frames(self):
        """Yield every frame up to the end of the connection."""
        with contextlib.suppress(ConnectionError):
            while True:
                yield self.frame()

    def hang_up(self):
        """End the connection, also for a thread that reads from it."""
        self._connection.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def wire_to(port):
    """Connect to a port of this machine."""
    with socket.create_connection(("127.0.0.1", port), TIMEOUT_S) as connection:
        yield Wire(connection)


@contextlib.contextmanager
def wire_from(socket_of, dial):
    """Let a ZeroMQ socket connect to a plain one; yield the far end of it.

    Args:
        socket_of: Makes the ZeroMQ socket.
        dial: Connects it to an endpoint.
    """
    with socket.create_server(("127.0.0.1", 0)) as server, socket_of() as connecting:
        server.settimeout(TIMEOUT_S)
        dial(connecting, f"tcp://127.0.0.1:{server.getsockname()[1]}")
        connection, _ = server.accept()
        with connection:
            yield Wire(connection), connecting
