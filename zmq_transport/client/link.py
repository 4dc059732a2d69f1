"""The client's side of the directed plane: messages in, events out.

Spec: docs/spec/02-session.md. Pure. The twin of the proxy's engine.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from ..access.origin import instance_of_user
from ..errors import WireError
from ..wire import access_messages, greetings, heads, resync_messages
from ..wire.drops import drop_counter
from ..wire.heads import Reason, Verb
from .events import ReplyItem
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
_ONLY_TASKS = {_TASK}
_ONLY_REPLIES = {_REPLY}


class LinkEvent(enum.IntEnum):
    """The meaning of a message to the client; the first element of a `LinkOutput`."""

    WRITE = 0
    """(head, body): send this at once, ahead of every waiting message."""
    TASKS = 1
    """(caller, address, tasks), see `events.TaskItem`"""
    REPLIES = 2
    """(worker, replies), see `events.ReplyItem`"""
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
    """(reason, fix): `fix` is None if it is not a matter of access."""
    AWAY = 9
    """(why,): messages sent from now on wait."""
    REGISTERED = 10
    """(name, refusal): the proxy registered this seat of the client, or refused it."""
    LEFT = 11
    """(): the proxy has read everything that was sent."""
    ROSTER = 12
    """(question id, body): a page of the roster."""
    WORKERS = 13
    """(kind, instances): workers that came or left, see `resync_messages.WorkersFlag`."""
    ASKED = 14
    """(head,): a question about tasks of this worker, see `resync_messages.read_question`."""
    PUBLISHED = 15
    """(publisher, kind, trace, body): another client has handed it over for this one."""
    USERS = 16
    """(page, names): who may be in the namespace, by the names of their keys."""
    STANDBY = 17
    """(fabric,): the proxy does not lead; leave it for another one, such as these URLs."""


# As plain names: an attribute of an enum class costs a lookup in its metaclass.
_TASKED = LinkEvent.TASKS
_REPLIED = LinkEvent.REPLIES
LinkOutput = tuple[Any, ...]
"""A `LinkEvent` and its arguments, flat: made for every message, so a plain tuple."""

Handler = Callable[[heads.HeadFields, bytes], list[LinkOutput]]
"""Handles one message, by its fields and body."""


class Link:
    """The state of one client on the directed plane.

    Args:
        secret: 16 random bytes; the instance id is their hash.
        namespace: The namespace of the client.
        name: A display name.
        user: The name of the key that its connection shows, to which the instance id then
            belongs; empty without one.
        is_alone: Tells whether each proxy that is known was tried, and none leads.
    """

    def __init__(
        self,
        secret: bytes,
        namespace: str,
        name: str,
        user: str = "",
        is_alone: Callable[[], bool] = bool,
    ) -> None:
        self.instance = instance_of_user(secret, user)
        self.session = Session()
        self.counts: Counter[str] = Counter()
        self.ready = False
        self._is_alone = is_alone
        self._hello = greetings.Hello(
            secret=secret,
            instance=self.instance,
            namespace=heads.checked_name("namespace", namespace),
            name=heads.checked_name("name", name),
            runs=True,
            publish=True,
            access=True,
        )
        self._handlers: Mapping[int, Handler] = {
            Verb.PING: _ignore,
            Verb.REGISTER: _on_register,
            Verb.CANCEL: _on_cancel,
            Verb.BOUNCE: _on_bounce,
            Verb.LOST: _on_lost,
            Verb.ROSTER: _on_roster,
            Verb.WORKERS: _on_workers,
            Verb.PUBLISH: _on_publish,
            Verb.USERS: _on_users,
            Verb.WHO: self._on_who,
            Verb.WELCOME: self._on_welcome,
            Verb.REFUSED: self._on_refused,
            Verb.GOING_AWAY: self._on_going_away,
            Verb.GOODBYE: self._on_goodbye,
        }

    def mark_as_caller(self) -> None:
        """State in every further HELLO that this client sends tasks (09, Messages)."""
        self._hello = attrs.evolve(self._hello, calls=True)

    def start(self) -> None:
        """Begin to connect."""
        self.session.on(Event.START)

    def on_message(self, head: bytes, body: bytes) -> list[LinkOutput]:
        """Return the meaning of one message; count an invalid one."""
        try:
            single = heads.unpack_single(head)
            return self._several(head, body) if single is None else self._one(head, single, body)
        except WireError as error:
            self.counts[drop_counter(error.reason)] += 1
            return []

    def on_disconnected(self) -> list[LinkOutput]:
        """Return the meaning of the end of the connection."""
        return self._apply(Event.DISCONNECTED, "disconnected")

    def hello_again(self) -> list[LinkOutput]:
        """Repeat HELLO unasked; call it once a second while not ready."""
        # 02, Greeting 4. It does no harm and ends every standstill: a WHO lost with a connection
        # that broke, or a disconnection reported after the WHO or WELCOME of the next connection.
        if self.session.state in (State.CONNECTING, State.GREETING, State.REFUSED):
            return [self._hello_message()]
        return []

    def leave(self) -> list[LinkOutput]:
        """Send GOODBYE; without a connection the client has left at once (02, Leaving 5)."""
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
        (first_verb, _, _, _, _, _, first_size), *_ = items
        # 02, Messages ahead of HELLO: a BOUNCE in front of others means that all of it came back.
        if first_verb == Verb.BOUNCE:
            self.counts["returned"] += 1
            return [(LinkEvent.RETURNED, heads.unbounced(head), body[first_size:])]
        # 09, Messages: the tasks of one question belong together, as its answer names all of them.
        if first_verb == Verb.RESEND:
            return [(LinkEvent.ASKED, head)]
        parts = heads.split_body(items, body)
        verbs = {verb for verb, _, _, _, _, _, _ in items}
        if verbs == _ONLY_REPLIES:
            return [(_REPLIED, peer, _together(items, parts))]
        if verbs == _ONLY_TASKS:
            return [(_TASKED, peer, _text(address), _together(items, parts))]
        return self._mixed(peer, items, address, parts)

    def _mixed(
        self, peer: bytes, items: list[heads.Item], address: bytes, parts: list[bytes]
    ) -> list[LinkOutput]:
        # 01, Rules 3: each item counts as if it came alone; an invalid one harms no other.
        events: list[LinkOutput] = []
        for item, part in zip(items, parts, strict=True):
            alone = heads.pack_items([item], peer=peer, address=address)
            events += self.on_message(alone, part)
        return events

    def _one(self, head: bytes, single: heads.Single, body: bytes) -> list[LinkOutput]:
        peer, verb, flags, kind, number, task, trace, size, address = single
        if size != len(body) and verb != _RESEND:  # a question is read by its head alone
            raise WireError("body_length", f"the head claims {size} bytes, not {len(body)}")
        if verb == _REPLY:
            return [(_REPLIED, peer, [(task, trace, kind, number, flags, body)])]
        if verb == _TASK:
            return [(_TASKED, peer, _text(address), [(task, trace, kind, number, flags, body)])]
        if verb == _RESEND:
            return [(LinkEvent.ASKED, head)]
        handler = self._handlers.get(verb)
        if handler is None:
            raise WireError("verb", f"verb {verb} does not go to a client")
        return handler(heads.HeadFields._make(single), body)

    def _on_who(self, fields: heads.HeadFields, body: bytes) -> list[LinkOutput]:
        events = self._apply(Event.WHO, "asked again")
        is_greeting = self.session.state is State.GREETING
        return [*events, self._hello_message()] if is_greeting else events

    def _on_welcome(self, fields: heads.HeadFields, body: bytes) -> list[LinkOutput]:
        welcome = greetings.unpack_welcome(body)
        if not self.session.expects(Event.WELCOME):
            raise WireError("unexpected_welcome", f"in state {self.session.state.name}")
        self.session.on(Event.WELCOME)
        # 02, Ids 3: another epoch means that the proxy has lost everything it knew.
        fresh = welcome.epoch != self._hello.epoch
        self._hello = attrs.evolve(self._hello, epoch=welcome.epoch)
        self.ready = True
        return [(LinkEvent.WELCOMED, welcome, fresh)]

    def _on_refused(self, fields: heads.HeadFields, body: bytes) -> list[LinkOutput]:
        refusal = access_messages.unpack_refused(body)
        if refusal.code == access_messages.STANDBY:
            # 12, What clients do 2: it hangs up, so this is the end of the connection.
            events = self._apply(Event.DISCONNECTED, refusal.reason)
            if self.session.state is State.CLOSED:
                return events
            return [(LinkEvent.STANDBY, refusal.fabric), *events]
        events = self._apply(Event.REFUSED, refusal.reason)
        if self.session.state is State.CLOSED:
            return events
        return [(LinkEvent.REFUSED, refusal.reason, refusal.fix)]

    def _on_going_away(self, fields: heads.HeadFields, body: bytes) -> list[LinkOutput]:
        # 02, Leaving 3: answer with GOODBYE and wait for the next proxy.
        events = self._apply(Event.GOING_AWAY, "going away")
        goodbye = (LinkEvent.WRITE, heads.pack(Verb.GOODBYE), b"")
        return [goodbye, *events] if events else []

    def _on_goodbye(self, fields: heads.HeadFields, body: bytes) -> list[LinkOutput]:
        return self._apply(Event.GOODBYE, "goodbye")

    def _hello_message(self) -> LinkOutput:
        # 12, What clients do 4.
        hello = greetings.pack_hello(attrs.evolve(self._hello, alone=self._is_alone()))
        return LinkEvent.WRITE, heads.pack(Verb.HELLO, len(hello)), hello

    def _apply(self, event: Event, why: str) -> list[LinkOutput]:
        """Apply an event from the far end; count one that the state does not expect."""
        if not self.session.expects(event):
            self.counts[_UNEXPECTED[event]] += 1
            return []
        was_ready = self.ready
        state = self.session.on(event)
        self.ready = state is State.READY
        if state is State.CLOSED:
            return [(LinkEvent.LEFT,)]
        return [(LinkEvent.AWAY, why)] if was_ready and not self.ready else []


def _together(items: list[heads.Item], parts: list[bytes]) -> list[ReplyItem]:
    """Return the tasks or the replies of a message, one item and one part of the body each."""
    return [
        (task, trace, kind, number, flags, part)
        for (_, flags, kind, number, task, trace, _), part in zip(items, parts, strict=True)
    ]


def _ignore(fields: heads.HeadFields, body: bytes) -> list[LinkOutput]:
    return []  # a PING has arrived at the socket already, and asks for nothing more


def _on_register(fields: heads.HeadFields, body: bytes) -> list[LinkOutput]:
    return [(LinkEvent.REGISTERED, _text(fields.address), _text(body))]


def _on_cancel(fields: heads.HeadFields, body: bytes) -> list[LinkOutput]:
    return [(LinkEvent.CANCEL, fields.peer, fields.task)]


def _on_bounce(fields: heads.HeadFields, body: bytes) -> list[LinkOutput]:
    return [(LinkEvent.BOUNCE, fields.task, _reason(body))]


def _on_lost(fields: heads.HeadFields, body: bytes) -> list[LinkOutput]:
    return [(LinkEvent.LOST, fields.task, _reason(body))]


def _on_roster(fields: heads.HeadFields, body: bytes) -> list[LinkOutput]:
    return [(LinkEvent.ROSTER, fields.task, body)]


def _on_workers(fields: heads.HeadFields, body: bytes) -> list[LinkOutput]:
    return [(LinkEvent.WORKERS, fields.kind, resync_messages.read_workers(body))]


def _on_publish(fields: heads.HeadFields, body: bytes) -> list[LinkOutput]:
    return [(LinkEvent.PUBLISHED, fields.peer, fields.kind, fields.trace, body)]


def _on_users(fields: heads.HeadFields, body: bytes) -> list[LinkOutput]:
    return [(LinkEvent.USERS, fields.number, access_messages.unpack_users(body))]


def _text(value: bytes) -> str:
    return value.decode(errors="replace")


def _reason(body: bytes) -> Reason:
    try:
        return Reason(body.decode())
    except ValueError:
        return Reason.UNKNOWN  # 01, Reasons: a later version may have more of them
