"""Reads the folder of a Synapse's keys again when it changes, in a thread of its own."""

from __future__ import annotations

import logging
import os
import queue
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

import zmq_transport as wire_side

from ..errors import InvalidKey
from ..key_ring import KeyRing, stamp_of
from .access import access_of

_LOG = logging.getLogger(__name__)
LOOK_S: Final = 0.5
"""How often the folder is looked at: who is revoked has left within a second."""


class KeyWatch:
    """Gives a proxy the keys of a folder, and again when they change.

    Of a file that is broken, what was read last stays in force, and a warning names the fault once.

    Args:
        folder: The folder.
        use: Is called with what was read, in the thread of this watch or of `reload`.

    Raises:
        InvalidKey: The folder cannot be used.
    """

    def __init__(
        self, folder: str | os.PathLike[str], use: Callable[[wire_side.Access], None]
    ) -> None:
        self._folder = os.fspath(folder)
        self._use = use
        self._stamp: object = None
        self._fault = ""
        self._lock = threading.Lock()
        # Unlike an Event it may be used from a handler of an OS signal.
        self._asked: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._stamp = stamp_of(self._folder)
        self.ring = KeyRing.read(self._folder)
        self.public = self.ring.public

    def __enter__(self) -> Self:
        """Look at the folder from now on."""
        self._thread = threading.Thread(target=self._run, name="keys of the Synapse", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """End the thread."""
        self._asked.put(False)
        if self._thread is not None:
            self._thread.join()

    def ask(self) -> None:
        """Read the folder soon, changed or not; safe from a signal handler."""
        self._asked.put(True)

    def reload(self) -> None:
        """Read the folder now.

        Raises:
            InvalidKey: A file is broken: what it said before stays in force.
        """
        with self._lock:
            self._stamp = stamp_of(self._folder)  # before: what changes meanwhile is seen next time
            ring, faults = self.ring.reread()
            self._use(access_of(ring))
            has_other_key = ring.public != self.public
            self.ring = ring
        if faults:
            raise faults[0]
        if has_other_key:
            raise InvalidKey(self._folder, "the Synapse has a new key of its own: start it again")

    def _run(self) -> None:
        while True:
            try:
                if not self._asked.get(timeout=LOOK_S):
                    return
            except queue.Empty:
                if stamp_of(self._folder) == self._stamp:
                    continue
            self._try_to_reload()

    def _try_to_reload(self) -> None:
        try:
            self.reload()
        except (InvalidKey, OSError) as error:
            if str(error) != self._fault:
                self._fault = str(error)
                _LOG.warning("not all keys could be read again: %s", error)
        except Exception:  # noqa: BLE001  # the last door: who is revoked must not stay for a defect of ours
            _LOG.exception("the keys could not be read again; the next change is tried too")
        else:
            if self._fault:
                self._fault = ""
                _LOG.warning("the keys in %s are whole again, and in force", self._folder)
