"""Announces a Synapse on the LAN while it runs. Spec: docs/spec/13-discovery.md."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from types import TracebackType
from typing import Any, Final, Self

import attrs

from ..runtime.addresses import reached_at
from .lan_record import SERVICE, Record, texts_of
from .zeroconf_use import zeroconf

_LOG = logging.getLogger(__name__)
LOOK_S: Final = 0.5
"""How often it is looked whether an address or a fact has changed."""
TTL_S: Final = 120
"""How long others may remember what was announced: a Synapse that was killed withdraws nothing."""


class Announcer:
    """Announces a Synapse in a thread of its own, at all addresses at which others reach it.

    Args:
        host: The host that it listens on.
        record: Returns what to announce; its addresses are not used.

    Raises:
        MissingExtra: The package `zeroconf` is not installed.
    """

    def __init__(self, host: str, record: Callable[[], Record]) -> None:
        self._library = zeroconf()
        self._host = host
        self._record = record
        # Unlike an Event it may be used from a handler of an OS signal.
        self._ended: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._zeroconf: Any = None
        self._announced: Record | None = None
        self._fault = ""

    def __enter__(self) -> Self:
        """Announce it from now on."""
        self._thread = threading.Thread(target=self._run, name="lan announcer", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Withdraw the announcement."""
        self.ask_to_stop()
        if self._thread is not None:
            self._thread.join()

    def ask_to_stop(self) -> None:
        """Withdraw it soon; safe from a signal handler."""
        self._ended.put(None)

    def _run(self) -> None:
        while True:
            self._try(self._renew)
            try:
                self._ended.get(timeout=LOOK_S)
            except queue.Empty:
                continue
            self._try(self._withdraw)
            return

    def _try(self, work: Callable[[], None]) -> None:
        try:
            work()
        except (OSError, RuntimeError, self._library.Error) as error:
            self._say(f"{type(error).__name__}: {error}")
        except Exception:  # noqa: BLE001  # the last door: the Synapse is worth more than this
            _LOG.exception("the Synapse is not announced on the LAN; it is tried again")

    def _renew(self) -> None:
        """Announce what there is now, if it is not what was announced."""
        own = reached_at(self._host)
        record = attrs.evolve(self._record(), addresses=tuple(sorted(own)))
        before = self._announced
        if record == before:
            return
        if before is not None and record.addresses == before.addresses:
            self._zeroconf.update_service(self._info(record))
        else:
            self._withdraw()
            if not own:
                self._say("this machine has no network address besides loopback")
                return
            at = [each for each in own if ":" not in each] or own
            self._zeroconf = self._library.Zeroconf(interfaces=at)
            # Its name is one that no other has: nobody needs to be asked first.
            self._zeroconf.register_service(self._info(record), cooperating_responders=True)
        self._announced = record
        self._fault = ""

    def _withdraw(self) -> None:
        opened, self._zeroconf, self._announced = self._zeroconf, None, None
        if opened is not None:
            opened.close()

    def _info(self, record: Record) -> Any:
        return self._library.ServiceInfo(
            SERVICE,
            f"{record.instance}.{SERVICE}",
            port=record.port,
            properties=texts_of(record),
            server=f"cosmo-{record.start_id}.local.",
            parsed_addresses=list(record.addresses),
            host_ttl=TTL_S,
            other_ttl=TTL_S,
        )

    def _say(self, fault: str) -> None:
        """Log a fault, once."""
        if fault != self._fault:
            self._fault = fault
            _LOG.warning("the Synapse is not announced on the LAN now, and again soon: %s", fault)
