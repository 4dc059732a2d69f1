"""Change who may do what while clients are connected. Spec: docs/spec/11-access.md. Pure.

A user that loses something is told, forgotten, and cut a moment later, over every line: so nothing
of what it may do no longer is left over anywhere, and it comes back with what it may do now.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Container
from typing import Final

from ..access.rights import Access, Grant
from .admission import Admission
from .peers import Peer
from .presence import Presence
from .publications import Publications
from .subscriptions import Subscriptions
from .tables import CUT, SEND, Output, Tables

CUT_AFTER_S: Final = 0.05
"""How long a client has to read why it is cut."""


class Revocation:
    """Puts another list of users and grants in force."""

    def __init__(
        self,
        tables: Tables,
        presence: Presence,
        admission: Admission,
        subscriptions: Subscriptions,
        publications: Publications,
    ) -> None:
        self._tables = tables
        self._presence = presence
        self._admission = admission
        self._subscriptions = subscriptions
        self._publications = publications
        self._next: deque[Access] = deque()
        self._cuts: list[tuple[float, str, str]] = []

    def go_on(self, before: Revocation) -> None:
        """Take over what the term before had to do yet."""
        # The same object: another thread may just put a list into it.
        self._next, self._cuts = before._next, before._cuts

    def use(self, access: Access) -> None:
        """Put a list in force at the next tick; safe from another thread.

        Raises:
            ValueError: This proxy has no keys.
        """
        if self._tables.access is None:
            raise ValueError("a proxy without keys has no list of users")
        self._next.append(access)

    def tick(self, now_s: float) -> list[Output]:
        """Put the next lists in force, in order, and cut those whose time is over."""
        outputs: list[Output] = []
        while self._next:
            outputs += self._change(self._next.popleft(), now_s)
        due: dict[str, set[str]] = {}
        for at_s, user, reason in self._cuts:
            if at_s <= now_s:
                due.setdefault(reason, set()).add(user)
        if due:
            self._cuts = [each for each in self._cuts if each[0] > now_s]
            outputs += [cut for reason, users in due.items() for cut in self._cut(users, reason)]
        return outputs

    def _change(self, access: Access, now_s: float) -> list[Output]:
        before, self._tables.access = self._tables.access, access
        outputs: list[Output] = []
        if before is None:
            return outputs
        of_user = self._peers_by_user()
        rotated = {user for key, user in before.users.items() if access.user_of(key) != user}
        for user in dict.fromkeys([*before.grants, *of_user]):
            had, has = before.grant_of(user), access.grant_of(user)
            if has is None or (had is not None and not has.covers(had)):
                outputs += self._revoke(user, of_user.get(user, ()), now_s)
                continue
            if has != had:
                outputs += self._extend(has, of_user.get(user, ()))
            if user in rotated:
                # 11-access, "Revocation" 4: which key a connection came with is not known here.
                self._cuts.append((now_s, user, "rotated"))
        return outputs + self._news_of_users(before, access)

    def _peers_by_user(self) -> dict[str, list[Peer]]:
        of_user: dict[str, list[Peer]] = {}
        for peer in self._tables.peers:
            of_user.setdefault(peer.user, []).append(peer)
        return of_user

    def _revoke(self, user: str, peers: list[Peer] | tuple[()], now_s: float) -> list[Output]:
        outputs: list[Output] = []
        for peer in peers:
            outputs += self._presence.forget(peer, "revoked")
            if peer.absent_at_s is None:
                outputs.append(self._admission.revoked(peer))
        self._cuts.append((now_s + CUT_AFTER_S, user, "revoked"))
        return outputs

    def _cut(self, users: Container[str], reason: str) -> list[Output]:
        """Return the CUT of every line of some users."""
        lines = dict.fromkeys(
            [
                *self._admission.lines_of(users),
                *self._subscriptions.lines_of(users),
                *self._publications.lines_of(users),
            ]
        )
        self._publications.forget_lines(users)
        return [(CUT, line, b"", reason) for line in lines if line is not None]

    def _extend(self, grant: Grant, peers: list[Peer] | tuple[()]) -> list[Output]:
        """Give clients more: they are told by a WELCOME."""
        for peer in peers:
            peer.use_grant(grant)
        return [self._admission.welcome(peer) for peer in peers if peer.absent_at_s is None]

    def _news_of_users(self, before: Access, access: Access) -> list[Output]:
        """Return the lists of users for the namespaces that one was added to."""
        outputs: list[Output] = []
        for name, namespace in self._tables.peers.namespaces.items():
            here = [peer for peer in namespace.peers if peer.absent_at_s is None]
            if here and not set(access.users_in(name)) <= set(before.users_in(name)):
                pages = (self._admission.users_for(peer) for peer in here)
                outputs += [(SEND, *page) for each in pages for page in each]
        return outputs
