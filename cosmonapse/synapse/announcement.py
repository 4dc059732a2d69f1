"""What a Synapse tells the LAN about itself. Spec: docs/spec/13-discovery.md."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Self

import attrs

from zmq_transport.wire.heads import VERSION

from ..keys import fingerprint
from ..lan.announcer import Announcer
from ..lan.lan_record import ID_BYTES, Record, instance_of
from ..lan.zeroconf_use import zeroconf
from ..runtime.addresses import beyond_loopback
from .key_watch import KeyWatch
from .release import release


def check_lan(host: str, *, lan: bool) -> None:
    """Check that a Synapse that is to be announced can be reached, and announced.

    Raises:
        ValueError: It would listen on loopback only.
        MissingExtra: The package `zeroconf` is not installed.
    """
    if not lan:
        return
    if not beyond_loopback(host):
        raise ValueError(
            f"lan=True (--lan) announces a Synapse to other machines, and {host!r:.100} is reached "
            "from this one only: listen on 0.0.0.0 (--host)"
        )
    zeroconf()


def _shown(id: bytes) -> str:
    """Return the id of a start as it is announced."""
    return id[:ID_BYTES].hex()


class Announcement:
    """Announces one Synapse while it runs.

    Args:
        host: The host that it listens on.
        port: The port of its directed plane.
        namespaces: The namespaces that it serves; empty for any.
        watch: Its keys; None without.
        fabric_ids: Returns its id and those of the other Synapses of its fabric; nothing without.
    """

    def __init__(
        self,
        host: str,
        port: int,
        namespaces: Iterable[str],
        watch: KeyWatch | None,
        fabric_ids: Callable[[], tuple[bytes, ...]],
    ) -> None:
        self._fabric_ids = fabric_ids
        start_id = next(map(_shown, fabric_ids()), "") or secrets.token_hex(ID_BYTES)
        self.instance = instance_of(socket.gethostname(), port, start_id)
        self._facts = Record(
            instance=self.instance,
            addresses=(),
            port=port,
            start_id=start_id,
            wire=VERSION,
            version=release(),
            namespaces=frozenset(namespaces) or None,
            fingerprint="" if watch is None else fingerprint(watch.public),
        )
        self._announcer = Announcer(host, self._record)
        self.ask_to_stop = self._announcer.ask_to_stop

    def _record(self) -> Record:
        others = map(_shown, self._fabric_ids()[1:])
        return attrs.evolve(self._facts, peers=frozenset(others))

    def __enter__(self) -> Self:
        """Announce it from now on."""
        self._announcer.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Withdraw the announcement."""
        self._announcer.__exit__(kind, error, None)
