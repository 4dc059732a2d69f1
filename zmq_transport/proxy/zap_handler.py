"""Let in who has a key: the socket at which libzmq asks, in the loop of the proxy.

Spec: docs/spec/11-access.md. `access.zap` answers. While the loop stands still nobody is answered,
so nobody gets in.
"""

from __future__ import annotations

from collections.abc import Callable

from ..access import zap
from ..access.rights import Access
from ..sockets import multipart, options
from .poller import Poller

_BATCH = 256
_NOBODY = Access(users={}, grants={})


class ZapHandler:
    """Answers for the sockets of one proxy, which are made in its context.

    Args:
        access: Tells who may come in now.
        poller: Says when to read.

    Attributes:
        context: The context of the sockets: there is one list of who may come in for each.
    """

    def __init__(self, access: Callable[[], Access | None], poller: Poller) -> None:
        self._listed = access
        self.context = options.own_context()
        self._poller = poller
        self._socket = options.zap_handler(self.context)
        poller.watch_socket(self._socket, self._receive)

    def user_of(self, user_id: str) -> str:
        """Return the user of a connection; empty if it may not be here any more."""
        return zap.user_of(user_id, self._access)

    @property
    def _access(self) -> Access:
        return self._listed() or _NOBODY

    def close(self) -> None:
        """End the context; call it when all other sockets in it are closed. Idempotent."""
        if not self.context.closed:
            self._socket.close()
            self.context.term()

    def _receive(self, now_s: float, events: int, alone: bool) -> None:
        """Answer a bounded number of questions."""
        for _ in range(_BATCH):
            message = multipart.receive(self._socket)
            if message is None:
                return
            message[-1] = message[-1].bytes
            answer = zap.answer(message, self._access)
            if answer is not None:
                multipart.send(self._socket, *answer)
        self._poller.touch(self._socket)
