"""Admit clients to the proxy: WHO, HELLO, WELCOME, REFUSED. Spec: docs/spec/02-session.md. Pure."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from ..errors import WireError
from ..wire import greetings, heads
from ..wire.heads import Reason, Verb
from .peers import Peer
from .presence import Presence
from .resync import Resync
from .tables import SEND, Output, Tables
from .wanted_tasks import SILENT_S

_ASK_AGAIN_S = 1.0
_MAX_ASKED = 65_536
_MAX_PROBED = 1024
_RETURNED = (Verb.TASK, Verb.REPLY, Verb.CANCEL, Verb.PUBLISH)


class Admission:
    """Makes peers of connections that say HELLO."""

    def __init__(self, tables: Tables, presence: Presence, resync: Resync) -> None:
        self._tables = tables
        self._presence = presence
        self._resync = resync
        self._asked_at_s: OrderedDict[bytes, float] = OrderedDict()
        self.listen_port = 0
        self.publish_port = 0

    def on_message(self, connection: bytes, head: bytes, body: Any, now_s: float) -> list[Output]:
        """Handle a message of a connection that has not said HELLO.

        Raises:
            WireError: `head` is malformed.
        """
        if not head:
            return self._ask_who(connection, now_s)
        _, [(verb, *_), *_], _ = heads.unpack_items(head)
        if verb == Verb.HELLO:
            return self._on_hello(connection, bytes(body), now_s)
        # 02-session, "Messages ahead of HELLO" 1: ZeroMQ sends queued messages as soon as it is
        # connected, ahead of our HELLO; its sender sends it again.
        if verb in _RETURNED:
            bounced = self._tables.returned(connection, head, body, Reason.HELLO_FIRST)
            return [bounced, *self._ask_who(connection, now_s)]
        self._tables.counts["drop.hello_first"] += 1
        return self._ask_who(connection, now_s)

    def unknown_connections(self, now_s: float) -> list[bytes]:
        """Return the connections of the last 10 s without a HELLO, newest first, at most 1,024."""
        recent: list[bytes] = []
        for connection, asked_at_s in reversed(self._asked_at_s.items()):
            if asked_at_s + SILENT_S <= now_s or len(recent) >= _MAX_PROBED:
                break
            recent.append(connection)
        return recent

    def forget(self, connection: bytes) -> None:
        """Forget a connection that is gone."""
        self._asked_at_s.pop(connection, None)

    def refused(self, connection: bytes, reason: str) -> Output:
        """Return a REFUSED with the reason and the wire versions of this proxy."""
        self._tables.counts["refused"] += 1
        body = greetings.pack_map({"reason": reason, "speaks": [heads.VERSION, heads.VERSION]})
        return SEND, connection, heads.pack(Verb.REFUSED, len(body)), body

    def on_second_hello(self, peer: Peer, body: bytes) -> list[Output]:
        """Welcome a peer that says HELLO again over the same connection.

        Raises:
            WireError: It names another instance id.
        """
        # 02-session, "Greeting" 6
        hello = greetings.unpack_hello(body)
        if hello.instance != peer.instance:
            raise WireError("second_identity", "a connection must keep its instance id")
        # It may have begun to send tasks since its first HELLO.
        begins_to_call = hello.calls and peer not in peer.namespace.callers
        workers = self._tables.worker_news.add_caller(peer) if begins_to_call else []
        return [
            *self._note_version(peer, hello),
            *((SEND, *message) for message in workers),
            self._welcome(peer),
        ]

    def _note_version(self, peer: Peer, hello: greetings.Hello) -> list[Output]:
        """Note what a client takes; return the news for the others if it is the first older one."""
        if hello.runs:
            peer.namespace.without_runs.discard(peer)
        else:
            peer.namespace.without_runs.add(peer)
        peer.takes_published = hello.publish
        older = peer.namespace.older
        if hello.publish:
            older.discard(peer)
            return []
        is_first = not older
        older.add(peer)
        # 02-session, "Greeting" 7: it publishes by the broadcast plane alone, so others listen.
        return [
            self._welcome(each)
            for each in peer.namespace.peers
            if is_first and each.takes_published and each.absent_at_s is None
        ]

    def _ask_who(self, connection: bytes, now_s: float) -> list[Output]:
        # 02-session, "Greeting" 1: at most once a second, or every message of a client that is
        # slow to answer would cost one more.
        if self._asked_at_s.get(connection, -_ASK_AGAIN_S) + _ASK_AGAIN_S > now_s:
            return []
        if len(self._asked_at_s) >= _MAX_ASKED:
            self._asked_at_s.popitem(last=False)
        self._asked_at_s[connection] = now_s
        self._asked_at_s.move_to_end(connection)
        body = greetings.pack_map({"speaks": [heads.VERSION, heads.VERSION]})
        return [(SEND, connection, heads.pack(Verb.WHO, len(body)), body)]

    def _on_hello(self, connection: bytes, body: bytes, now_s: float) -> list[Output]:
        tables = self._tables
        try:
            hello = greetings.unpack_hello(body)
        except WireError as error:
            return [self.refused(connection, f"bad HELLO: {error}")]
        peer = tables.peers.by_instance.get(hello.instance)
        refusal = self._refusal(hello, peer)
        if refusal:
            return [self.refused(connection, refusal)]
        outputs: list[Output] = []
        # Of a client that left a moment ago, too: what it listed then decides about nothing now.
        self._resync.on_hello(hello.instance, peer)
        if peer is None:
            peer = tables.peers.admit(
                connection, hello.instance, hello.name, hello.namespace, hello.epoch, now_s
            )
        else:
            # 02-session, "Greeting" 3: the newest valid HELLO wins, and seats and tasks come along.
            tables.peers.rebind(peer, connection)
            self._presence.on_reconnected(peer, now_s)
            outputs = self._resync.on_reconnected(peer, now_s)
        self.forget(connection)
        # 09-resync, "Who may have had a task" 1: the list goes ahead of WELCOME, as the client
        # sends its first TASK right after it.
        workers = tables.worker_news.add_caller(peer) if hello.calls else []
        return [
            *self._note_version(peer, hello),
            *((SEND, *message) for message in workers),
            self._welcome(peer),
            *outputs,
        ]

    def _refusal(self, hello: greetings.Hello, peer: Peer | None) -> str:
        """Return why a HELLO is refused, or an empty text. Spec: 02-session, "Refusals"."""
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
            publish=True,
            older=bool(peer.namespace.older),
            runs=True,
        )
        body = greetings.pack_welcome(welcome)
        head = heads.pack(Verb.WELCOME, len(body), peer=peer.instance)
        return SEND, peer.connection, head, body
