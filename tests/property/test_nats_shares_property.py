"""Every slot has exactly one router among those who hear each other, and few slots move."""

from hypothesis import given
from hypothesis import strategies as st

from cosmonapse.synapse.nats.shares import (
    CLAIM_AFTER_S,
    SILENT_AFTER_S,
    SLOTS,
    Beat,
    Shares,
    dealt,
    pack_beat,
    slot_of,
    unpack_beat,
)

ALL = (1 << SLOTS) - 1
ROUTERS = st.lists(st.binary(min_size=16, max_size=16), min_size=1, max_size=6, unique=True)


def count(slots):
    return slots.bit_count()


@given(ROUTERS)
def test_each_slot_is_dealt_to_one_router(routers):
    parts = [dealt(each, routers) for each in routers]

    assert sum(map(count, parts)) == SLOTS
    union = 0
    for part in parts:
        union |= part
    assert union == ALL


@given(ROUTERS.filter(lambda routers: len(routers) > 1))
def test_when_one_leaves_only_its_slots_move(routers):
    gone, *rest = routers

    for each in rest:
        before, after = dealt(each, routers), dealt(each, rest)
        assert before & after == before
        assert (after & ~before) & ~dealt(gone, routers) == 0


@given(st.binary(min_size=16, max_size=16), st.integers(0, ALL), st.booleans())
def test_a_beat_is_read_as_it_was_said(router, slots, leaves):
    beat = Beat(router, slots, leaves)

    assert unpack_beat(pack_beat(beat)) == beat


class Fabric:
    """Routers on a clock of their own; a beat reaches all that run and are not cut off."""

    def __init__(self, routers):
        self.now_s = 100.0
        self.running = {each: Shares(each, self.now_s) for each in routers}
        self.side = dict.fromkeys(routers, 0)

    def say(self, speaker):
        beats = [(speaker, self.running[speaker].beat)]
        while beats:
            sender, beat = beats.pop()
            for router, shares in self.running.items():
                if router == sender or self.side[router] != self.side.get(sender):
                    continue
                if shares.on_beat(beat, self.now_s):
                    beats.append((router, shares.beat))

    def run(self, seconds):
        for _ in range(int(seconds / 0.25)):
            self.now_s += 0.25
            for router in list(self.running):
                self.running[router].tick(self.now_s)
                self.say(router)

    def sides(self):
        return [
            [r for r in self.running if self.side[r] == side]
            for side in sorted({self.side[r] for r in self.running})
        ]

    def is_settled(self):
        for routers in self.sides():
            parts = [self.running[each].slots for each in routers]
            if sum(map(count, parts)) != SLOTS:
                return False
        return True


EVENTS = st.lists(
    st.tuples(st.sampled_from(["leave", "die", "cut", "heal", "join"]), st.integers(0, 5)),
    max_size=8,
)


@given(ROUTERS, EVENTS)
def test_after_whatever_happened_each_side_serves_every_slot_once(routers, events):
    fabric = Fabric(routers)
    fabric.run(1)
    for number, (event, at) in enumerate(events):
        running = list(fabric.running)
        chosen = running[at % len(running)]
        if event == "join":
            joined = bytes((number,)) * 16
            fabric.running[joined] = Shares(joined, fabric.now_s)
            fabric.side[joined] = 0
        elif event == "cut":
            fabric.side[chosen] = 1
        elif event == "heal":
            fabric.side = dict.fromkeys(fabric.side, 0)
        elif len(running) > 1:
            if event == "leave":
                fabric.running[chosen].leave()
                fabric.say(chosen)
            del fabric.running[chosen]
        fabric.run(0.5)

    fabric.run(SILENT_AFTER_S + 1)

    assert fabric.is_settled()


def test_a_router_serves_nothing_before_it_has_listened_for_others():
    shares = Shares(b"a" * 16, 10.0)

    assert not shares.tick(10.0 + CLAIM_AFTER_S / 2)
    assert shares.slots == 0
    assert shares.tick(10.0 + CLAIM_AFTER_S)
    assert shares.slots == ALL


def test_one_that_leaves_serves_nothing_and_says_so():
    shares = Shares(b"a" * 16, 10.0)
    shares.tick(11.0)

    shares.leave()

    assert shares.beat == Beat(b"a" * 16, 0, True)
    assert not shares.beat.serves("red")
    assert not shares.tick(12.0)


def test_a_router_that_stood_still_judges_nobody_by_that_time():
    shares = Shares(b"a" * 16, 10.0)
    shares.tick(11.0)
    shares.on_beat(Beat(b"b" * 16, 0, False), 11.0)

    shares.stood_still(20.0)

    assert not shares.tick(20.1)
    assert shares.others == (b"b" * 16,)


@given(st.text("abc.-_", min_size=1, max_size=20))
def test_a_namespace_has_a_slot_for_ever(namespace):
    assert 0 <= slot_of(namespace) < SLOTS
    assert slot_of("default") == 223
    assert slot_of("red") == 143
