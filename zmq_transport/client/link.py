"""The client's twin of the engine: messages in, events out. Spec: docs/spec/02-session.md. Pure."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from ..errors import WireError, shown
from ..wire import greetings, heads, resync_messages
from ..wire.drops import drop_counter
from ..wire.heads import Reason, Verb
from .session import Event, Session, State

_UNEXPECTED: Mapping[Event, str] = {
    Event.DISCONNECTED: "unexpected.disconnected",
    Event.GOING_AWAY: "unexpected.going_away",
    Event.GOODBYE: "unexpected.goodbye",
    Event.REFUSED: "unexpected.refused",
    Event.WHO: "unexpected.who",
}
_TASK = int(Verb.TASK)
_REPLY = int(Verb.REPLY)
_RESEND = int(Verb.RESEND)


class LinkEvent(enum.IntEnum):
    """What a message means to the client; the first element of an event."""

    WRITE = 0
    """(head, body): send this at once, ahead of everything that waits."""
    TASK = 1
    """(caller, address, task, trace, kind, ttl_ms, flags, body)"""
    REPLY = 2
    """(worker, task, trace, kind, index, flags, body)"""
    CANCEL = 3
    """(caller, task)"""
    BOUNCE = 4
    """(task, reason)"""
    LOST = 5
    """(task, reason)"""
    RETURNED = 6
    """(head, body): came back unaccepted; goes out again, in front."""
    WELCOMED = 7
    """(welcome, is a new epoch)"""
    REFUSED = 8
    """(reason,)"""
    AWAY = 9
    """(why,): what is sent from now on waits."""
    REGISTERED = 10
    """(name, refusal): that seat of ours is in the tables of the proxy, or why it is not."""
    LEFT = 11
    """(): everything we sent has been read."""
    ROSTER = 12
    """(question id, body): a page of who is here."""
    WORKERS = 13
    """(kind, instances): who came or left, see `pages.Roll`."""
    ASKED = 14
    """(head,): a question about tasks that we may have, see `pages.read_question`."""


_TASKED = LinkEvent.TASK
_REPLIED = LinkEvent.REPLY
LinkOutput = tuple[Any, ...]
"""A `Happening` and its arguments, flat."""


class Link:
    """The state of one client on the directed plane.

    Args:
        secret: 16 random bytes; the instance id is their hash.
        namespace: Where it belongs.
        name: For people.
    """

    def __init__(self, secret: bytes, namespace: str, name: str) -> None:
        self.instance = heads.instance_of(secret)
        self.session = Session()
        self.counts: Counter[str] = Counter()
        self.ready = False
        self._hello = greetings.Hello(
            secret=secret,
            instance=self.instance,
            namespace=heads.checked_name("namespace", namespace),
            name=heads.checked_name("name", name),
        )
        self._others: Mapping[int, Callable[[heads.Single, bytes], list[LinkOutput]]] = {
            Verb.PING: lambda *_: [],
            Verb.REGISTER: lambda single, body: [
                (LinkEvent.REGISTERED, _text(single[8]), _text(body))
            ],
            Verb.CANCEL: lambda single, _: [(LinkEvent.CANCEL, single[0], single[5])],
            Verb.BOUNCE: lambda single, body: [(LinkEvent.BOUNCE, single[5], _reason(body))],
            Verb.LOST: lambda single, body: [(LinkEvent.LOST, single[5], _reason(body))],
            Verb.ROSTER: lambda single, body: [(LinkEvent.ROSTER, single[5], body)],
            Verb.WORKERS: lambda single, body: [
                (LinkEvent.WORKERS, single[3], resync_messages.read_workers(body))
            ],
            Verb.WHO: self._on_who,
            Verb.WELCOME: self._on_welcome,
            Verb.REFUSED: self._on_refused,
            Verb.GOING_AWAY: self._on_going_away,
            Verb.GOODBYE: lambda *_: self._to(Event.GOODBYE, "goodbye"),
        }

    def calls(self) -> None:
        """Say from now on in every HELLO that we send tasks."""
        self._hello = attrs.evolve(self._hello, calls=True)

    def start(self) -> None:
        """Begin to connect."""
        self.session.on(Event.START)

    def on_message(self, head: bytes, body: bytes) -> list[LinkOutput]:
        """Say what one message means; what means nothing is counted."""
        try:
            single = heads.unpack_single(head)
            if single is None or single[1] == _RESEND:
                return self._several(head, body)
            return self._one(single, body)
        except WireError as error:
            self.counts[drop_counter(error.reason)] += 1
            return []

    def on_disconnected(self) -> list[LinkOutput]:
        """Say what the end of the connection means."""
        return self._to(Event.DISCONNECTED, "disconnected")

    def remind(self) -> list[LinkOutput]:
        """Say HELLO unasked; call it once a second while not ready.

        It does no harm, and it ends every standstill: a WHO that was swallowed, a disconnection
        that was told late, behind the WHO or the WELCOME of the next connection.
        """
        if self.session.state in (State.CONNECTING, State.GREETING, State.REFUSED):
            return [self._say_hello()]
        return []

    def leave(self) -> list[LinkOutput]:
        """Say goodbye, or be gone at once when nobody is there to hear it."""
        was_ready = self.session.state is State.READY
        self.session.on(Event.LEAVE)
        self.ready = False
        if was_ready:
            return [(LinkEvent.WRITE, heads.pack(Verb.GOODBYE), b"")]
        return [(LinkEvent.LEFT,)]

    def close(self) -> None:
        """Drop everything now."""
        self.ready = False
        self.session.on(Event.CLOSE)

    def _several(self, head: bytes, body: bytes) -> list[LinkOutput]:
        peer, items, address = heads.unpack_items(head)
        if items[0][0] == Verb.BOUNCE:
            self.counts["returned"] += 1
            return [(LinkEvent.RETURNED, heads.unbounced(head), body[items[0][6] :])]
        if items[0][0] == Verb.RESEND:
            return [(LinkEvent.ASKED, head)]
        parts = heads.split_body(items, body)
        if all(item[0] == _REPLY for item in items):
            return [
                (_REPLIED, peer, task, trace, kind, number, flags, part)
                for (_, flags, kind, number, task, trace, _), part in zip(items, parts, strict=True)
            ]
        if all(item[0] == _TASK for item in items):
            name = _text(address)
            return [
                (_TASKED, peer, name, task, trace, kind, number, flags, part)
                for (_, flags, kind, number, task, trace, _), part in zip(items, parts, strict=True)
            ]
        occurrences: list[LinkOutput] = []
        for item, part in zip(items, parts, strict=True):
            alone = heads.pack_items([item], peer=peer, address=address)
            occurrences += self.on_message(alone, part)  # a bad one does not harm the others
        return occurrences

    def _one(self, single: heads.Single, body: bytes) -> list[LinkOutput]:
        peer, verb, flags, kind, number, task, trace, size, address = single
        if size != len(body):
            raise WireError("body_length", f"the head claims {size} bytes, not {len(body)}")
        if verb == _REPLY:
            return [(_REPLIED, peer, task, trace, kind, number, flags, body)]
        if verb == _TASK:
            name = _text(address)
            return [(_TASKED, peer, name, task, trace, kind, number, flags, body)]
        handler = self._others.get(verb)
        if handler is None:
            raise WireError("verb", f"verb {verb} does not go to a client")
        return handler(single, body)

    def _on_who(self, single: heads.Single, body: bytes) -> list[LinkOutput]:
        occurrences = self._to(Event.WHO, "asked again")
        greeting = self.session.state is State.GREETING
        return [*occurrences, self._say_hello()] if greeting else occurrences

    def _on_welcome(self, single: heads.Single, body: bytes) -> list[LinkOutput]:
        welcome = greetings.unpack_welcome(body)
        if not self.session.expects(Event.WELCOME):
            raise WireError("unexpected_welcome", f"in state {self.session.state.name}")
        self.session.on(Event.WELCOME)
        fresh = welcome.epoch != self._hello.epoch
        self._hello = attrs.evolve(self._hello, epoch=welcome.epoch)
        self.ready = True
        return [(LinkEvent.WELCOMED, welcome, fresh)]

    def _on_refused(self, single: heads.Single, body: bytes) -> list[LinkOutput]:
        reason = greetings.unpack_map(body).get("reason", "no reason given")
        reason = reason if isinstance(reason, str) else shown(reason)
        self._to(Event.REFUSED, reason)
        return [(LinkEvent.REFUSED, reason)]

    def _on_going_away(self, single: heads.Single, body: bytes) -> list[LinkOutput]:
        occurrences = self._to(Event.GOING_AWAY, "going away")
        goodbye = (LinkEvent.WRITE, heads.pack(Verb.GOODBYE), b"")
        return [goodbye, *occurrences] if occurrences else []

    def _say_hello(self) -> LinkOutput:
        hello = greetings.pack_hello(self._hello)
        return LinkEvent.WRITE, heads.pack(Verb.HELLO, len(hello)), hello

    def _to(self, event: Event, why: str) -> list[LinkOutput]:
        """Apply an event from the far end; one that is not expected here is counted."""
        if not self.session.expects(event):
            self.counts[_UNEXPECTED[event]] += 1
            return []
        was_ready = self.ready
        state = self.session.on(event)
        self.ready = state is State.READY
        if state is State.CLOSED:
            return [(LinkEvent.LEFT,)]
        return [(LinkEvent.AWAY, why)] if was_ready and not self.ready else []


def _text(value: bytes) -> str:
    return value.decode(errors="replace")


def _reason(body: bytes) -> Reason:
    try:
        return Reason(body.decode())
    except ValueError:
        return Reason.UNKNOWN
