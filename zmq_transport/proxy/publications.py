"""What clients publish, by a socket or handed over: whether it is passed on, and to whom. Pure.

Spec: docs/spec/05-broadcast.md, "Handed over" and "Copies"; docs/spec/11-access.md.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Container, Hashable, Iterable, Iterator, Sequence
from typing import Any, Final

from ..access.origin import Origin
from ..access.rights import Grant
from ..errors import WireError
from ..wire import heads
from ..wire.heads import Verb
from ..wire.recipients import Recipients
from .peers import Peer
from .tables import SEND, Output, Tables
from .wanted_tasks import SILENT_S

_HOSTS = int(Recipients.HOSTS)
_OFFERS = int(Recipients.OFFERS)
_PEER = int(Recipients.PEER)
_CALLERS = int(Recipients.CALLERS)
MAX_LINES: Final = 65_536


def served_topic(tables: Tables, topic: bytes) -> heads.Topic:
    """Return a topic, parsed.

    Raises:
        WireError: It is invalid, or its namespace is not served.
    """
    namespace, kind, trace = heads.read_topic(topic)
    served = tables.settings.namespaces
    if served and namespace not in served:
        raise WireError("foreign_namespace", f"{namespace} is not served here")
    return namespace, kind, trace


class Publications:
    """Passes on what clients publish: to listeners, and to the recipients that it names."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._lines: OrderedDict[Hashable, str] = OrderedDict()

    def lines_of(self, users: Container[str]) -> list[Hashable]:
        """Return the lines over which users have published, of the last 65,536 in all."""
        return [line for line, each in self._lines.items() if each in users]

    def forget_lines(self, users: Container[str]) -> None:
        """Forget the lines of users: they are cut."""
        for line in self.lines_of(users):
            del self._lines[line]

    def check(self, frames: list[Any], origin: Origin, now_s: float) -> str:
        """Return the namespace of a broadcast message that may be passed on.

        Args:
            frames: As they came.
            origin: Where it comes from.
            now_s: Monotonic clock.

        Raises:
            WireError: It may not; the reason is the counter.
        """
        if len(frames) != 3:
            raise WireError("frame_count", f"a broadcast message has 3 frames, not {len(frames)}")
        topic, header, body = frames
        namespace, kind, trace = served_topic(self._tables, topic)
        if kind is None and trace is None:
            raise WireError("bad_topic", "only the proxy publishes on a sync topic")
        sizes: tuple[int, ...] = (len(body),)
        if len(header) != heads.HEADER_BYTES:
            _, sizes = heads.read_batch(header, len(body))
        publisher, _, caller, worker = heads.unpack_header(header[: heads.HEADER_BYTES])
        if len(body) > self._tables.settings.max_body_bytes:
            raise WireError("too_large", f"the body has {len(body):,} bytes")
        grant = self._grant_of(origin)
        if not grant.may_enter(namespace):
            raise WireError("forbidden", f"{origin.user!r} may not enter {namespace}")
        self._check_kind(grant, kind, body, sizes)
        self._check_parties(publisher, caller, worker)
        self._check_publisher(publisher, namespace, origin.user, now_s)
        return namespace

    def _grant_of(self, origin: Origin) -> Grant:
        grant = self._tables.grant_of(origin.user)
        if grant is None:
            raise WireError("forbidden", f"{origin.user!r} is not listed")
        if self._tables.access is None:
            return grant
        self._lines[origin.line] = origin.user
        self._lines.move_to_end(origin.line)
        if len(self._lines) > MAX_LINES:
            self._lines.popitem(last=False)
        return grant

    def _check_kind(self, grant: Grant, kind: int | None, body: Any, sizes: Sequence[int]) -> None:
        """Check the kind of a topic or a head, and those that the bodies say themselves."""
        # 11-access, "What is checked" 7: a topic of a trace says no kind, and a reader may believe
        # the body.
        said = self._tables.kinds_said(body, sizes)
        if grant.publishes is not None and not grant.publishes:
            raise WireError("forbidden", "no right to publish at all")
        for each in said:
            if each != kind and kind is not None:
                raise WireError("reserved_kind", f"a body of kind {each}, not {kind}")
        reserved = self._tables.settings.reserved_kinds
        for each in said if kind is None else (kind,):
            if each in reserved:
                raise WireError("reserved_kind", f"only the proxy tells kind {each}")
            if not grant.may_publish(each):
                raise WireError("forbidden", f"no right to publish kind {each}")

    def _check_parties(self, publisher: bytes, caller: bytes, worker: bytes) -> None:
        own = (heads.NOBODY, publisher)
        # With keys a listener reads there who it was, so it has to be said.
        is_said = self._tables.access is None or caller == publisher
        if caller not in own or worker not in own or not is_said:
            raise WireError(
                "foreign_party", "the caller or the worker is another than the publisher"
            )

    def _check_publisher(self, publisher: bytes, namespace: str, user: str, now_s: float) -> None:
        """Check that the user publishes under an instance id of its own in that namespace."""
        tables = self._tables
        known = tables.peers.publisher_of(publisher)
        if known is not None:
            is_own = known == (namespace, user)
        else:
            # 11-access, "What is checked" 7: after a start publications may overtake a HELLO.
            is_own = publisher != tables.epoch and now_s < tables.now_s + SILENT_S
        if tables.access is not None:
            is_own &= tables.access.owns(user, publisher)
        if not is_own:
            raise WireError("foreign_publisher", "nobody here publishes under that instance id")

    def publish(self, sender: Peer, single: heads.Single, body: bytes) -> list[Output]:
        """Return the copies of a PUBLISH, and then the messages for its recipients.

        Raises:
            WireError: It is meant for those who offer capabilities, and its address names none;
                or its sender may not publish that kind.
        """
        to, _, _, kind, bits, _, trace, size, address = single
        tables = self._tables
        self._check_kind(sender.grant, kind, body, (size,))
        recipients = {
            peer.connection: None
            for peer in self._recipients(sender, bits, to, address)
            if peer is not sender and peer.takes_published and peer.absent_at_s is None
        }
        tables.counts["handed_over"] += 1
        tables.tap_message(sender.namespace, Verb.PUBLISH, kind, trace, address, body)
        # 05-broadcast, "Handed over" 1: the copy goes first, so that no reaction overtakes it.
        outputs = tables.made_copies(
            sender.namespace, kind, trace, sender.instance, heads.NOBODY, body
        )
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
