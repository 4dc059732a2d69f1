"""Who is let in: WHO, HELLO, WELCOME, REFUSED. Spec: docs/spec/02-session.md. Pure."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from ..errors import WireError
from ..wire import greetings, heads
from ..wire.heads import Reason, Verb
from .peers import Peer
from .presence import Presence
from .resync import SILENT_S, Resync
from .tables import SEND, Output, Tables

_ASK_AGAIN_S = 1.0
_MAX_ASKED = 65_536
_MAX_PROBED = 1024
_RETURNED = (Verb.TASK, Verb.REPLY, Verb.CANCEL)


class Admission:
    """Turns connections into peers."""

    def __init__(self, tables: Tables, presence: Presence, resync: Resync) -> None:
        self._tables = tables
        self._presence = presence
        self._resync = resync
        self._asked_at_s: OrderedDict[bytes, float] = OrderedDict()
        self.listen_port = 0
        self.publish_port = 0

    def stranger(self, connection: bytes, head: bytes, body: Any, now_s: float) -> list[Output]:
        """Answer a connection that has not said HELLO; nothing it sent is lost in silence.

        Raises:
            WireError: `head` is none of ours.
        """
        if not head:
            return self._who(connection, now_s)
        verb = heads.unpack_items(head)[1][0][0]
        if verb == Verb.HELLO:
            return self._hello(connection, bytes(body), now_s)
        if verb in _RETURNED:
            bounced = self._tables.returned(connection, head, body, Reason.HELLO_FIRST)
            return [bounced, *self._who(connection, now_s)]
        self._tables.counts["drop.hello_first"] += 1
        return self._who(connection, now_s)

    def strangers(self, now_s: float) -> list[bytes]:
        """Return connections that came lately and have not said who they are, at most 1,024."""
        lately: list[bytes] = []
        for connection, asked_at_s in reversed(self._asked_at_s.items()):
            if asked_at_s + SILENT_S <= now_s or len(lately) >= _MAX_PROBED:
                break
            lately.append(connection)
        return lately

    def vanished(self, connection: bytes) -> None:
        """Forget a connection that is gone."""
        self._asked_at_s.pop(connection, None)

    def refused(self, connection: bytes, reason: str) -> Output:
        """Say no, with the reason and the versions that we speak."""
        self._tables.counts["refused"] += 1
        body = greetings.pack_map({"reason": reason, "speaks": [heads.VERSION, heads.VERSION]})
        return SEND, connection, heads.pack(Verb.REFUSED, len(body)), body

    def hello_again(self, peer: Peer, body: bytes) -> list[Output]:
        """Welcome a peer that says HELLO once more over the same connection.

        Raises:
            WireError: It shows another identity.
        """
        if greetings.unpack_hello(body).instance != peer.instance:
            raise WireError("second_identity", "one connection has one instance id")
        return [self._welcome(peer)]

    def _who(self, connection: bytes, now_s: float) -> list[Output]:
        """Ask a connection to say hello, at most once a second."""
        if self._asked_at_s.get(connection, -_ASK_AGAIN_S) + _ASK_AGAIN_S > now_s:
            return []
        if len(self._asked_at_s) >= _MAX_ASKED:
            self._asked_at_s.popitem(last=False)
        self._asked_at_s[connection] = now_s
        self._asked_at_s.move_to_end(connection)
        body = greetings.pack_map({"speaks": [heads.VERSION, heads.VERSION]})
        return [(SEND, connection, heads.pack(Verb.WHO, len(body)), body)]

    def _hello(self, connection: bytes, body: bytes, now_s: float) -> list[Output]:
        tables = self._tables
        try:
            hello = greetings.unpack_hello(body)
        except WireError as error:
            return [self.refused(connection, f"bad HELLO: {error}")]
        peer = tables.peers.by_instance.get(hello.instance)
        reason = self._why_not(hello, peer)
        if reason:
            return [self.refused(connection, reason)]
        outputs: list[Output] = []
        if peer is None:
            peer = tables.peers.admit(
                connection, hello.instance, hello.name, hello.namespace, hello.epoch
            )
        else:
            tables.peers.rebind(peer, connection)
            self._presence.returned(peer, now_s)
            self._resync.greeted(peer)
            outputs = self._resync.returned(peer, now_s)
        self._asked_at_s.pop(connection, None)
        told = tables.worker_news.subscribe(peer) if hello.calls else []
        return [*((SEND, *letter) for letter in told), self._welcome(peer), *outputs]

    def _why_not(self, hello: greetings.Hello, peer: Peer | None) -> str:
        """Return why a client is not let in, or nothing."""
        served, peers = self._tables.settings.namespaces, self._tables.peers
        if served and hello.namespace not in served:
            names = ", ".join(sorted(served))
            return f"namespace {hello.namespace!r} is not served here, only {names}"
        if peer is None and len(peers) >= self._tables.settings.max_peers:
            return f"{self._tables.settings.max_peers} clients are here"
        if peer is not None and peer.namespace.name != hello.namespace:
            return "this instance id belongs to another namespace"
        return ""

    def _welcome(self, peer: Peer) -> Output:
        settings = self._tables.settings
        welcome = greetings.Welcome(
            epoch=self._tables.epoch,
            listen_port=self.listen_port,
            publish_port=self.publish_port,
            heartbeat_ms=int(settings.heartbeat_s * 1000),
            max_body_bytes=settings.max_body_bytes,
        )
        body = greetings.pack_welcome(welcome)
        head = heads.pack(Verb.WELCOME, len(body), peer=peer.instance)
        return SEND, peer.connection, head, body
