"""Publications that clients hand over: their copies, and who gets them directed. Pure.

Spec: docs/spec/05-broadcast.md, "Handed over".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..errors import WireError
from ..wire import heads
from ..wire.heads import Verb
from ..wire.recipients import Recipients
from .peers import Peer
from .tables import SEND, Output, Tables

_HOSTS = int(Recipients.HOSTS)
_OFFERS = int(Recipients.OFFERS)
_PEER = int(Recipients.PEER)
_CALLERS = int(Recipients.CALLERS)


class Publications:
    """Passes on what clients hand over: to listeners, and to the recipients that it names."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def publish(self, sender: Peer, single: heads.Single, body: bytes) -> list[Output]:
        """Return the copies of a PUBLISH, and then the messages for its recipients.

        Raises:
            WireError: It is meant for those who offer capabilities, and its address names none.
        """
        to, _, _, kind, bits, _, trace, size, address = single
        tables = self._tables
        recipients = {
            peer.connection: None
            for peer in self._recipients(sender, bits, to, address)
            if peer is not sender and peer.takes_published and peer.absent_at_s is None
        }
        tables.counts["handed_over"] += 1
        tables.tap_message(sender.namespace, Verb.PUBLISH, kind, trace, address, body)
        # 05-broadcast, "Handed over" 1: the copy goes first, so that no reaction overtakes it.
        outputs = tables.copies(sender.namespace, kind, trace, sender.instance, heads.NOBODY, body)
        head = heads.pack(Verb.PUBLISH, size, peer=sender.instance, kind=kind, trace=trace)
        return outputs + [(SEND, connection, head, body) for connection in recipients]

    def _recipients(self, sender: Peer, bits: int, to: bytes, address: bytes) -> Iterator[Peer]:
        namespace = sender.namespace
        if bits & _OFFERS:
            yield from self._who_offer(sender, address)
        if bits & _HOSTS:
            yield from namespace.hosts
        if bits & _CALLERS:
            yield from namespace.callers
        if bits & _PEER:
            peer = self._tables.peers.by_instance.get(to)
            if peer is None or peer.absent_at_s is not None or peer.namespace is not namespace:
                self._tables.counts["drop.publish_receiver_gone"] += 1
            else:
                yield peer

    @staticmethod
    def _who_offer(sender: Peer, address: bytes) -> Iterable[Peer]:
        pool = sender.namespace.routes.find(address)
        name, _ = heads.read_address(address)
        if name is not None:
            raise WireError("bad_address", "an offer goes to capabilities, not to a name")
        return () if pool is None else [seat.peer for seat in pool.seats]
