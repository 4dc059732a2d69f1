"""A router between two breaks of its line: its id, its slots and the clients in them.

Spec: docs/spec/14-nats.md, "Routers". When the line broke, what was on its way may be gone. So
nothing of a term is known in the next one, as after a restart.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from nats.aio.msg import Msg

from zmq_transport.errors import WireError
from zmq_transport.wire.drops import drop_counter

from ..peers import RoleNotice
from . import router_news, subjects
from .far_client import FarClient
from .line import is_no_responders
from .post import RouterContext
from .shares import BEAT_S, SILENT_AFTER_S, Shares, pack_beat, slot_of, unpack_beat
from .slot import Slot

MORE_CLIENTS: Final = 1_024
"""Connections that may be there besides those of the most Dendrites: they have not said HELLO, or
have ended a moment ago."""
_CHECK_S = 1.0
_WHO_S = 0.01
_EARLY_S = 0.05  # half a tick: the next one would be late by as much
_PROBES = 8
_OF_ROUTER = "r"


OnHeard = Callable[[Msg, float], None]
"""(message, monotonic clock)"""


class RouterTerm:
    """One term of a router. No call raises for what it is told.

    Args:
        context: What its slots share.
        now_s: Monotonic clock.
        on_notice: Is told what changes among the routers.
        here_s: The time between two beats.

    Attributes:
        slots: The slots that had a message, by number.
    """

    def __init__(
        self,
        context: RouterContext,
        now_s: float,
        on_notice: Callable[[RoleNotice], None],
        here_s: float = BEAT_S,
    ) -> None:
        self.context = context
        self._post, self._counts = context.post, context.counts
        self.shares = Shares(context.router, now_s)
        self.slots: dict[int, Slot] = {}
        self._on_notice, self._here_s = on_notice, here_s
        self._by_subject: dict[str, tuple[Slot, FarClient]] = {}
        self._by_number: dict[int, tuple[Slot, FarClient]] = {}
        self._most_clients = context.settings.max_peers + MORE_CLIENTS
        self._changed: dict[Slot, None] = {}
        self._beat_at_s = now_s
        self._answer_at_s: float | None = None
        self._check_at_s = now_s + _CHECK_S
        self._probed = 0
        self._is_leaving = False

    def subscriptions(self) -> list[tuple[str, OnHeard]]:
        """Return where a router listens, and who is told what comes there."""
        router = self.context.router
        return [
            (subjects.up_to(router), self.on_up),
            (subjects.gone(router, "*"), self.on_gone),
            (subjects.BEATS, self.on_beat),
            (subjects.WHO, self.on_who),
            (subjects.alive(router), self.on_probed),
        ]

    def ask_for_others(self) -> None:
        """Let the other routers say that they are there."""
        self._post.publish(subjects.WHO, b"", subjects.BEATS)

    # -- messages --------------------------------------------------------------------------------

    def on_up(self, heard: Msg, now_s: float) -> None:
        """Handle a message of a client."""
        known = self._by_subject.get(heard.subject) or self._new_client(heard.subject, now_s)
        if known is not None:
            slot, far = known
            slot.on_data(far, heard.data, now_s)
            self._changed[slot] = None

    def _new_client(self, subject: str, now_s: float) -> tuple[Slot, FarClient] | None:
        try:
            namespace = subjects.read_up(subject).namespace
        except WireError as error:
            self._drop(error.reason)
            return None
        # A client that has not heard of a move yet learns it from the beats.
        if not self.shares.serves(namespace):
            self._drop("foreign_slot")
            return None
        if len(self._by_subject) >= self._most_clients:
            self._counts["full.clients"] += 1
            return None
        number = slot_of(namespace)
        slot = self.slots.get(number)
        if slot is None:
            slot = self.slots[number] = Slot(self.context, now_s, self._on_forgotten)
        far = slot.open(subject, now_s)
        known = self._by_subject[subject] = self._by_number[far.number] = slot, far
        return known

    def _on_forgotten(self, far: FarClient) -> None:
        self._by_subject.pop(far.subject, None)
        self._by_number.pop(far.number, None)

    def on_gone(self, heard: Msg, now_s: float) -> None:
        """Handle that nobody reads where this router sent something."""
        who = heard.subject.rpartition(".")[2]
        if not is_no_responders(heard):
            self._drop("bad_subject")
        elif who.startswith(_OF_ROUTER):
            self._on_router_gone(who.removeprefix(_OF_ROUTER), now_s)
        else:
            self._on_client_gone(who, now_s)

    def _on_client_gone(self, who: str, now_s: float) -> None:
        try:
            known = self._by_number.get(int(who, 16))
        except ValueError:
            self._drop("bad_subject")
            return
        if known is not None:
            slot, far = known
            slot.on_gone(far, now_s)
            self._changed[slot] = None

    def _on_router_gone(self, who: str, now_s: float) -> None:
        try:
            router = bytes.fromhex(who)
        except ValueError:
            self._drop("bad_subject")
            return
        before = self.shares.others
        says = self.shares.on_gone(router, now_s)
        self._follow(before, router_news.silent, says, now_s)

    def on_beat(self, heard: Msg, now_s: float) -> None:
        """Handle the beat of a router."""
        try:
            beat = unpack_beat(heard.data)
        except WireError as error:
            self._drop(error.reason)
            return
        before = self.shares.others
        says = self.shares.on_beat(beat, now_s)
        self._follow(before, router_news.left, says, now_s)

    def on_who(self, heard: Msg, now_s: float) -> None:
        """Handle the question for a router."""
        if not self.shares.has_claimed or self._is_leaving:
            return
        if heard.reply == subjects.BEATS:
            # Many may ask at the same time, as after a restart; all of them hear one beat.
            if self._answer_at_s is None:
                self._answer_at_s = now_s + _WHO_S
        elif heard.reply and not heard.reply.startswith(f"{subjects.PREFIX}."):
            self._post.publish(heard.reply, pack_beat(self.shares.beat))
        else:
            # Where only routers may send, nobody sends by way of one.
            self._drop("bad_subject")

    def on_probed(self, heard: Msg, now_s: float) -> None:
        """Handle a probe: only that somebody listens here matters."""

    def _drop(self, reason: str) -> None:
        self._counts[drop_counter(reason)] += 1

    # -- routers ---------------------------------------------------------------------------------

    def _follow(
        self,
        before: tuple[bytes, ...],
        lost: Callable[[bytes, str], RoleNotice],
        says: bool,
        now_s: float,
    ) -> None:
        """Follow a change among the routers, and tell of it."""
        others = self.shares.others
        if says:
            for number in [each for each in self.slots if not self.shares.slots >> each & 1]:
                self._forget_slot(number)
            self.say_beat(now_s)
        if before == others or self._is_leaving:
            return
        share = router_news.share_text(self.shares.slots, len(others))
        for router in set(others) - set(before):
            if self.shares.has_claimed:
                self._on_notice(router_news.came(router, share))
        for router in set(before) - set(others):
            self._on_notice(lost(router, share))

    def _forget_slot(self, number: int) -> None:
        # Nobody is told: its clients hear who serves it now, and what they had here is with them.
        slot = self.slots.pop(number)
        self._changed.pop(slot, None)
        slot.close()

    def say_beat(self, now_s: float) -> None:
        """Say that this router is there, and what it serves."""
        self._beat_at_s, self._answer_at_s = now_s, None
        self._post.publish(subjects.BEATS, pack_beat(self.shares.beat))

    def _probe_others(self) -> None:
        """Find out whether others are there; of many, some at each tick."""
        others = self.shares.others
        for _ in range(min(_PROBES, len(others))):
            self._probed += 1
            router = others[self._probed % len(others)]
            back = subjects.gone(self.context.router, _OF_ROUTER + router.hex())
            self._post.publish(subjects.alive(router), b"", back)

    # -- time ------------------------------------------------------------------------------------

    @property
    def answer_at_s(self) -> float | None:
        """When the question for a router is to be answered, by a tick; None if nobody asked."""
        return self._answer_at_s

    def stood_s(self, now_s: float) -> float:
        """Return for how long this router said nothing, if others think that it is gone; else 0."""
        silent_s = now_s - self._beat_at_s
        return silent_s if silent_s > SILENT_AFTER_S and self.shares.has_claimed else 0.0

    def stood_still(self, late_s: float, now_s: float) -> None:
        """Hold a time in which this router did not run against nobody."""
        self.shares.stood_still(now_s)
        for slot in self.slots.values():
            slot.stood_still(late_s)

    def tick(self, now_s: float) -> None:
        """Do what depends on time; call it every 100 ms."""
        before, had_claimed = self.shares.others, self.shares.has_claimed
        says = self.shares.tick(now_s)
        self._follow(before, router_news.silent, says, now_s)
        if not had_claimed and self.shares.has_claimed:
            share = router_news.share_text(self.shares.slots, len(self.shares.others))
            self._on_notice(router_news.began(self.context.router, share))
        if self.shares.has_claimed and now_s - self._beat_at_s >= self._here_s - _EARLY_S:
            self.say_beat(now_s)
        self._probe_others()
        is_check = now_s >= self._check_at_s
        if is_check:
            self._check_at_s = now_s + min(_CHECK_S, self.context.dead_after_s / 4)
        for number, slot in list(self.slots.items()):
            slot.tick(now_s)
            self._changed[slot] = None
            if is_check and slot.check(now_s):
                self._forget_slot(number)
        self.flush()

    def answer(self, now_s: float) -> None:
        """Answer those who asked for a router."""
        if self._answer_at_s is not None:
            self.say_beat(now_s)

    def flush(self) -> None:
        """End a turn: what was gathered goes out."""
        while self._changed:
            slot = next(iter(self._changed))
            del self._changed[slot]
            slot.flush()

    def forget_publications(self) -> None:
        """Drop what waits to be published: a part of it may be lost already."""
        for slot in self.slots.values():
            self._counts["drop.no_topic_line"] += slot.topics.forget()

    # -- the end ---------------------------------------------------------------------------------

    def leave(self, now_s: float) -> None:
        """Tell the clients and the other routers that this one leaves; the slots go on for now."""
        self._is_leaving = True
        for slot in self.slots.values():
            slot.go_away()
            slot.flush()
        self.shares.leave()
        self.say_beat(now_s)

    @property
    def has_drained(self) -> bool:
        """Return whether every client has left."""
        return all(slot.engine.drained for slot in self.slots.values())

    def end(self) -> None:
        """Forget everything, and tell nobody."""
        for number in list(self.slots):
            self._forget_slot(number)
