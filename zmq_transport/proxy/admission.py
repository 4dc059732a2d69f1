"""Admit clients to the proxy: WHO, HELLO, WELCOME, REFUSED. Spec: docs/spec/02-session.md. Pure."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Container, Hashable, Iterable
from typing import Any

import attrs

from ..access.origin import UNKNOWN, Origin, instance_of_user
from ..access.rights import EVERYTHING, Access
from ..errors import WireError
from ..wire import access_messages, greetings, heads, users_messages
from ..wire.heads import Reason, Verb
from .peers import Namespace, Peer
from .presence import Presence
from .resync import Resync
from .tables import SEND, Output, Tables
from .wanted_tasks import SILENT_S

_TELL_AGAIN_S = 1.0
_ASK_AGAIN_S = 1.0
_MAX_ASKED = 65_536
_MAX_PROBED = 1024
_MAX_SHOWN = 20
_MAX_LISTS = 64
_RETURNED = (Verb.TASK, Verb.REPLY, Verb.CANCEL, Verb.PUBLISH)


@attrs.frozen
class HelloRefusal:
    """Why a HELLO is refused.

    Args:
        reason: For people.
        fix: What to do about it, for people.
        is_access: True if it is a matter of keys and rights.
        fabric: Of a standby, the URLs of the others; None of any other refusal.
    """

    reason: str
    fix: str = ""
    is_access: bool = False
    fabric: tuple[str, ...] | None = None


def _shown_names(names: Collection[str]) -> str:
    """Return names for a text, the first 20 of them: a REFUSED has 8 KiB."""
    shown = ", ".join(sorted(names)[:_MAX_SHOWN]) or "none"
    return shown if len(names) <= _MAX_SHOWN else f"{shown} and {len(names) - _MAX_SHOWN} more"


class Admission:
    """Makes peers of connections that say HELLO."""

    def __init__(self, tables: Tables, presence: Presence, resync: Resync) -> None:
        self._tables = tables
        self._presence = presence
        self._resync = resync
        self._to_tell: dict[Namespace, None] = {}
        self._asked_at_s: OrderedDict[bytes, float] = OrderedDict()
        self._origins: dict[bytes, Origin] = {}
        self._listed: Access | None = None
        self._pages: dict[str, list[users_messages.Message]] = {}
        self.listen_port = 0
        self.publish_port = 0

    def go_on(self, before: Admission) -> None:
        """Take over the ports and the connections that have not said HELLO of the term before."""
        self.listen_port, self.publish_port = before.listen_port, before.publish_port
        self._asked_at_s, self._origins = before._asked_at_s, before._origins

    def on_message(
        self, connection: bytes, head: bytes, body: Any, now_s: float, origin: Origin = UNKNOWN
    ) -> list[Output]:
        """Handle a message of a connection that has not said HELLO.

        Raises:
            WireError: `head` is malformed.
        """
        if origin.user:
            self.remember(connection, origin)
        if not head:
            return self._ask_who(connection, now_s)
        _, [(verb, *_), *_], _ = heads.unpack_items(head)
        if verb == Verb.HELLO:
            return self._on_hello(connection, bytes(body), now_s, origin)
        if verb == Verb.ROLE:
            raise WireError("foreign_role", "this proxy was told of no other")
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
        self._origins.pop(connection, None)

    def lines_of(self, users: Container[str]) -> list[Hashable]:
        """Return the lines of users, of clients and of connections that have not said HELLO."""
        origins = [peer.origin for peer in self._tables.peers] + [*self._origins.values()]
        return [each.line for each in origins if each.user in users]

    def refused(self, connection: bytes, reason: str) -> Output:
        """Return a REFUSED with the reason and the wire versions of this proxy."""
        return self._refused(connection, HelloRefusal(reason))

    def refused_by_standby(self, connection: bytes, reason: str, fabric: Iterable[str]) -> Output:
        """Return the REFUSED of a proxy that does not lead, with the URLs of the others."""
        return self._refused(connection, HelloRefusal(reason, fabric=tuple(fabric)))

    def may_enter(self, hello: greetings.Hello, origin: Origin) -> bool:
        """Tell whether a HELLO would be welcome at a proxy that leads."""
        peer = self._tables.peers.by_instance.get(hello.instance)
        return (self._refusal_of(hello, peer, origin) or self._refusal(hello, peer)) is None

    def revoked(self, peer: Peer) -> Output:
        """Return the REFUSED of a client that may no longer do all that it might, and is cut."""
        # Its connection is that of a stranger until it is cut.
        self.remember(peer.connection, peer.origin)
        reason = f"the rights of the key {peer.user} were revoked or reduced"
        fix = self._tables.fix_for("revoked", peer.user)
        return self._refused(peer.connection, HelloRefusal(reason, fix, is_access=True))

    def remember(self, connection: bytes, origin: Origin) -> None:
        """Remember the line of a connection that has not said HELLO, so that it can be cut."""
        if connection not in self._origins and len(self._origins) >= _MAX_ASKED:
            del self._origins[next(iter(self._origins))]
        self._origins[connection] = origin

    def _refused(self, connection: bytes, refusal: HelloRefusal) -> Output:
        fields: dict[str, Any] = {
            "reason": refusal.reason,
            "speaks": [heads.VERSION, heads.VERSION],
        }
        self._tables.counts["refused"] += 1
        if refusal.is_access:
            self._tables.counts["refused.access"] += 1
            fields |= {"code": access_messages.ACCESS, "fix": refusal.fix}
        if refusal.fabric is not None:
            self._tables.counts["refused.standby"] += 1
            fields |= {"code": access_messages.STANDBY, "fabric": refusal.fabric}
        body = greetings.pack_map(fields)
        return SEND, connection, heads.pack(Verb.REFUSED, len(body)), body

    def on_second_hello(self, peer: Peer, body: bytes, now_s: float) -> list[Output]:
        """Welcome a peer that says HELLO again over the same connection.

        Raises:
            WireError: It names another instance id.
        """
        # 02-session, "Greeting" 6
        hello = greetings.unpack_hello(body)
        if hello.instance != peer.instance or hello.namespace != peer.namespace.name:
            raise WireError("second_identity", "a connection keeps its instance id and namespace")
        # It may have begun to send tasks since its first HELLO.
        begins_to_call = hello.calls and peer not in peer.namespace.callers
        workers = self._tables.worker_news.add_caller(peer) if begins_to_call else []
        return [
            *self._note_version(peer, hello, now_s),
            # 11-access, "Words on the wire": not the users again, a long list for a short question.
            *((SEND, *message) for message in workers),
            self.welcome(peer),
        ]

    def _note_version(self, peer: Peer, hello: greetings.Hello, now_s: float) -> list[Output]:
        """Note what a client takes; return the news for the others if it is the first older one."""
        if hello.runs:
            peer.namespace.without_runs.discard(peer)
        else:
            peer.namespace.without_runs.add(peer)
        peer.takes_published, peer.takes_access = hello.publish, hello.access
        older = peer.namespace.older
        if hello.publish:
            older.discard(peer)
            return []
        is_first = not older
        older.add(peer)
        return self._tell_of_older(peer.namespace, now_s) if is_first else []

    def _tell_of_older(self, namespace: Namespace, now_s: float) -> list[Output]:
        """Return the news that an older client is here, or leave them to a later tick."""
        # One client may come and go as the first older one, and each time costs all the others.
        if now_s < namespace.older_told_at_s + _TELL_AGAIN_S:
            self._to_tell[namespace] = None
            return []
        namespace.older_told_at_s = now_s
        # 02-session, "Greeting" 7: it publishes by the broadcast plane alone, so others listen.
        return [
            self.welcome(each)
            for each in namespace.peers
            if each.takes_published and each.absent_at_s is None
        ]

    def tick(self, now_s: float) -> list[Output]:
        """Tell of older clients where that had to wait."""
        outputs: list[Output] = []
        for namespace in list(self._to_tell):
            if now_s >= namespace.older_told_at_s + _TELL_AGAIN_S:
                del self._to_tell[namespace]
                if namespace.older:
                    outputs += self._tell_of_older(namespace, now_s)
        return outputs

    def who(self, connection: bytes) -> Output:
        """Return a WHO."""
        body = greetings.pack_map({"speaks": [heads.VERSION, heads.VERSION]})
        return SEND, connection, heads.pack(Verb.WHO, len(body)), body

    def _ask_who(self, connection: bytes, now_s: float) -> list[Output]:
        # 02-session, "Greeting" 1: at most once a second, or every message of a client that is
        # slow to answer would cost one more.
        if self._asked_at_s.get(connection, -_ASK_AGAIN_S) + _ASK_AGAIN_S > now_s:
            return []
        self._asked_at_s[connection] = now_s
        self._asked_at_s.move_to_end(connection)
        if len(self._asked_at_s) > _MAX_ASKED:
            # Its origin stays: it may be here yet, and has to be found if its rights are taken.
            self._asked_at_s.popitem(last=False)
        return [self.who(connection)]

    def _on_hello(
        self, connection: bytes, body: bytes, now_s: float, origin: Origin
    ) -> list[Output]:
        tables = self._tables
        try:
            hello = greetings.unpack_hello(body)
        except WireError as error:
            return [self.refused(connection, f"bad HELLO: {error}")]
        peer = tables.peers.by_instance.get(hello.instance)
        refusal = self._refusal_of(hello, peer, origin) or self._refusal(hello, peer)
        if refusal is not None:
            return [self._refused(connection, refusal)]
        outputs: list[Output] = []
        # Of a client that left a moment ago, too: what it listed then decides about nothing now.
        self._resync.on_hello(hello.instance, peer)
        if peer is None:
            peer = tables.peers.admit(
                connection,
                hello.instance,
                hello.name,
                hello.namespace,
                hello.epoch,
                now_s,
                origin,
                tables.grant_of(origin.user) or EVERYTHING,
            )
        else:
            # 02-session, "Greeting" 3: the newest valid HELLO wins, and seats and tasks come along.
            tables.peers.rebind(peer, connection, origin)
            peer.epoch = hello.epoch
            self._presence.on_reconnected(peer, now_s)
            outputs = self._resync.on_reconnected(peer, now_s)
        self.forget(connection)
        # 09-resync, "Who may have had a task" 1: the list goes ahead of WELCOME, as the client
        # sends its first TASK right after it.
        workers = tables.worker_news.add_caller(peer) if hello.calls else []
        return [
            *self._note_version(peer, hello, now_s),
            *((SEND, *message) for message in (*workers, *self.users_for(peer))),
            self.welcome(peer),
            *outputs,
        ]

    def _refusal_of(
        self, hello: greetings.Hello, peer: Peer | None, origin: Origin
    ) -> HelloRefusal | None:
        """Return why its user may not say this HELLO. Spec: 11-access, "What is checked" 1."""
        access, user = self._tables.access, origin.user
        if access is None:
            if hello.instance != heads.instance_of(hello.secret):
                return HelloRefusal("bad HELLO: secret does not belong to that instance id")
            return None
        grant = access.grant_of(user)
        if grant is None:
            who = f"the key {user} is not listed here" if user else "nobody enters without a key"
            return HelloRefusal(who, self._tables.fix_for("unlisted", user), is_access=True)
        if not grant.may_enter(hello.namespace):
            names = _shown_names(grant.namespaces or ())
            return HelloRefusal(
                f"the key {user} may not enter namespace {hello.namespace!r}, only: {names}",
                self._tables.fix_for("namespace", user, hello.namespace),
                is_access=True,
            )
        is_own = hello.instance == instance_of_user(hello.secret, user)
        is_own &= access.owns(user, hello.instance)
        if not is_own or (peer is not None and peer.user != user):
            return HelloRefusal(
                f"this instance id belongs to another key than {user}",
                self._tables.fix_for("instance", user),
                is_access=True,
            )
        return None

    def _refusal(self, hello: greetings.Hello, peer: Peer | None) -> HelloRefusal | None:
        """Return why anybody's HELLO would be refused. Spec: 02-session, "Refusals"."""
        served, peers = self._tables.settings.namespaces, self._tables.peers
        if served and hello.namespace not in served:
            names = _shown_names(served)
            return HelloRefusal(f"namespace {hello.namespace!r} is not served here, only {names}")
        if peer is None and len(peers) >= self._tables.settings.max_peers:
            return HelloRefusal(f"{self._tables.settings.max_peers} clients are here")
        if peer is not None and peer.namespace.name != hello.namespace:
            return HelloRefusal("this instance id belongs to another namespace")
        return None

    def users_for(self, peer: Peer) -> Iterable[tuple[bytes, bytes, bytes]]:
        """Return the names of all users that may be where a client is, if it takes them."""
        access = self._tables.access
        if access is None or not peer.takes_access:
            return ()
        # A thousand clients that come at once get the same list of thousands of names.
        if self._listed is not access or len(self._pages) >= _MAX_LISTS:
            self._listed, self._pages = access, {}
        name = peer.namespace.name
        if name not in self._pages:
            self._pages[name] = users_messages.users_pages(access.users_in(name))
        return [(peer.connection, *page) for page in self._pages[name]]

    def welcome(self, peer: Peer) -> Output:
        """Return the WELCOME of a client."""
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
            user=peer.user if self._tables.access is not None else "",
            may=peer.grant.may,
            half=self._tables.half,
            others=self._tables.has_others,
        )
        body = greetings.pack_welcome(welcome)
        head = heads.pack(Verb.WELCOME, len(body), peer=peer.instance)
        return SEND, peer.connection, head, body
