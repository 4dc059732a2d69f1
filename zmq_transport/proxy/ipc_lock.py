"""The right to listen at a path: nobody's socket is taken over, what the dead left is cleared.

libzmq replaces whatever has the name of the socket that it binds, a living one and a plain file
too, and leaves its own behind. So a lock is held as long as somebody listens, and the system lets
go of it when that process dies.
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
        endpoint: Where somebody is going to listen.

    Raises:
        EndpointInUse: Somebody listens there, something that is no socket is there, or the
            directory does not exist or is not ours to write to.
    """

    def __init__(self, endpoint: IpcEndpoint) -> None:
        self._endpoint = endpoint
        self._lock = f"{endpoint.path}.lock"
        with self._told():
            self._descriptor = self._locked()
        try:
            with self._told():
                for file in endpoint.files:
                    self._clear(file)
        except BaseException:
            self._unlock()
            raise

    def release(self) -> None:
        """Remove the files, once nobody listens there any more."""
        for file in self._endpoint.files:
            with suppress(OSError):
                os.unlink(file)
        self._unlock()

    def _locked(self) -> int:
        """Return the descriptor of the lock, held; one that its owner removed meanwhile is none."""
        for _ in range(_TRIES):
            descriptor = os.open(self._lock, _FLAGS, 0o600)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.path.samestat(os.fstat(descriptor), os.stat(self._lock)):
                    return descriptor
            except FileNotFoundError:
                pass
            except BlockingIOError:
                os.close(descriptor)
                break
            os.close(descriptor)
        raise self._taken("another process listens there")

    def _unlock(self) -> None:
        with suppress(OSError):
            os.unlink(self._lock)  # while it is held: whoever waits for it looks again
        os.close(self._descriptor)

    def _clear(self, file: str) -> None:
        """Remove the socket that a dead process left, and nothing else."""
        try:
            mode = os.lstat(file).st_mode
        except FileNotFoundError:
            return
        if not stat.S_ISSOCK(mode):
            raise self._taken(f"{file} is no socket")
        with network.socket(network.AF_UNIX, network.SOCK_STREAM) as knock:
            knock.setblocking(False)
            try:
                knock.connect(file)
            except ConnectionRefusedError:
                os.unlink(file)
                return
            except BlockingIOError:  # its queue is full: somebody listens
                pass
        raise self._taken("another process listens there")

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Turn what the system says into an error of ours."""
        try:
            yield
        except EndpointInUse:
            raise
        except (FileNotFoundError, NotADirectoryError) as error:
            folder = os.path.dirname(self._endpoint.path)
            raise self._taken(f"there is no directory {folder}") from error
        except OSError as error:
            raise self._taken((error.strerror or str(error)).lower()) from error

    def _taken(self, reason: str) -> EndpointInUse:
        return EndpointInUse(str(self._endpoint), reason)
