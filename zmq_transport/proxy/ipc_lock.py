"""Own an IPC path exclusively: never replace a live socket, remove stale ones.

Spec: docs/spec/06-sockets.md. libzmq replaces any file at the path that it binds, a live socket and
a plain file too, and leaves its own socket in place at the end. So a lock is held as long as the
proxy listens; the system releases it when the process dies.
"""

from __future__ import annotations

import fcntl
import os
import socket as network
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from ..errors import EndpointInUse
from ..sockets.endpoints import IpcEndpoint

_TRIES = 10
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


class IpcLock:
    """Holds the paths of one endpoint until `release`.

    Args:
        endpoint: The endpoint to own.

    Raises:
        EndpointInUse: Another process listens there, a file that is not a socket is there, or the
            directory does not exist or is not writable.
    """

    def __init__(self, endpoint: IpcEndpoint) -> None:
        self._endpoint = endpoint
        self._lock = f"{endpoint.path}.lock"
        with self._as_endpoint_in_use():
            self._descriptor = self._locked()
        try:
            with self._as_endpoint_in_use():
                for file in endpoint.files:
                    self._clear(file)
        except BaseException:
            self._unlock()
            raise

    def release(self) -> None:
        """Remove the files and release the lock; call it after the sockets are unbound."""
        for file in self._endpoint.files:
            with suppress(OSError):
                os.unlink(file)
        self._unlock()

    def _locked(self) -> int:
        """Return the descriptor of the lock, which is held."""
        for _ in range(_TRIES):
            descriptor = os.open(self._lock, _FLAGS, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                # A lock on a file that its former owner has removed meanwhile locks nothing.
                if os.path.samestat(os.fstat(descriptor), os.stat(self._lock)):
                    return descriptor
            except FileNotFoundError:
                pass
            except BlockingIOError:
                os.close(descriptor)
                break
            os.close(descriptor)
        raise self._in_use("another process listens there")

    def _unlock(self) -> None:
        with suppress(OSError):
            os.unlink(self._lock)  # while it is held: a process that waits for it compares the file
        os.close(self._descriptor)

    def _clear(self, file: str) -> None:
        """Remove the socket of a dead process, and nothing else."""
        try:
            mode = os.lstat(file).st_mode
        except FileNotFoundError:
            return
        if not stat.S_ISSOCK(mode):
            raise self._in_use(f"{file} is not a socket")
        with network.socket(network.AF_UNIX, network.SOCK_STREAM) as probe:
            probe.setblocking(False)
            try:
                probe.connect(file)
            except ConnectionRefusedError:
                os.unlink(file)
                return
            except BlockingIOError:  # its queue is full: a process listens
                pass
        raise self._in_use("another process listens there")

    @contextmanager
    def _as_endpoint_in_use(self) -> Iterator[None]:
        """Raise `EndpointInUse` for an error of the system."""
        try:
            yield
        except EndpointInUse:
            raise
        except (FileNotFoundError, NotADirectoryError) as error:
            folder = os.path.dirname(self._endpoint.path)
            raise self._in_use(f"the directory {folder} does not exist") from error
        except OSError as error:
            raise self._in_use((error.strerror or str(error)).lower()) from error

    def _in_use(self, reason: str) -> EndpointInUse:
        return EndpointInUse(str(self._endpoint), reason)
