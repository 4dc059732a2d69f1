"""A trail loses nothing in silence, and ends at a question only when nobody may answer it."""

import hypothesis.strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    multiple,
    precondition,
    rule,
)

from cosmonapse import Signal, SignalType
from cosmonapse.dendrite.caller.signal_buffer import EVERY, SignalBuffer

KINDS = (SignalType.THOUGHT_DELTA, SignalType.PLAN, SignalType.CLARIFICATION)
TYPES = st.sampled_from([EVERY, frozenset(), *(frozenset({each}) for each in KINDS)])
MAX_SIGNALS, MAX_BYTES = 12, 200


class Reader:
    """A cursor, and what it should have seen."""

    def __init__(self, buffer, types, is_loop):
        self.cursor = buffer.cursor(types, is_loop=is_loop)
        self.types, self.is_loop = types, is_loop
        self.numbers, self.looked_at, self.sleeps, self.left = [], 0, False, False


class TrailMachine(RuleBasedStateMachine):
    readers = Bundle("readers")

    def __init__(self):
        super().__init__()
        self.buffer = SignalBuffer(MAX_SIGNALS, MAX_BYTES)
        self.sent, self.sizes, self.all = [], [], []
        self.asked = None

    def append(self, kind, size):
        signal = Signal(type=kind, payload={"n": len(self.sent)})
        self.sent.append(signal)
        self.sizes.append(size)
        self.buffer.append(signal, size)
        for reader in self.all:
            reader.sleeps = False
        return signal

    @rule(kind=st.sampled_from(KINDS), size=st.integers(1, 60))
    def say(self, kind, size):
        self.append(kind, size)

    @precondition(lambda self: self.asked is None)
    @rule(size=st.integers(1, 60))
    def ask(self, size):
        question = self.append(SignalType.CLARIFICATION, size)
        self.buffer.asked(question)
        self.asked = len(self.sent) - 1

    @rule()
    def answer(self):
        self.buffer.answered()
        self.asked = None

    @rule(target=readers, types=TYPES, is_loop=st.booleans())
    def come(self, types, is_loop):
        reader = Reader(self.buffer, types, is_loop)
        self.all.append(reader)
        return multiple(reader)

    @rule(reader=readers)
    def read(self, reader):
        if reader.left:
            return
        signal = reader.cursor.next()
        if signal is None:
            reader.sleeps = reader.cursor.waits = True
            reader.looked_at = len(self.sent)
        else:
            reader.numbers.append(signal.payload["n"])
            reader.looked_at = signal.payload["n"] + 1

    @rule(reader=readers)
    def leave(self, reader):
        reader.cursor.leave()
        reader.left = True

    @invariant()
    def what_is_kept_is_within_the_bounds_and_the_newest(self):
        kept = self.sizes[self.buffer.start :]

        assert self.buffer.end == len(self.sent)
        assert len(kept) <= MAX_SIGNALS
        assert sum(kept) <= MAX_BYTES
        assert [self.buffer.at(n) for n in range(self.buffer.start, self.buffer.end)] == (
            self.sent[self.buffer.start :]
        )

    @invariant()
    def each_reader_saw_everything_once_and_in_order_or_missed_it(self):
        for reader in self.all:
            wanted = [n for n in range(reader.looked_at) if self.sent[n].type in reader.types]
            lost = set(wanted) - set(reader.numbers)

            assert reader.numbers == sorted(set(reader.numbers))
            assert set(reader.numbers) <= set(wanted)
            assert all(n < self.buffer.start for n in lost)
            assert len(lost) <= reader.cursor.missed <= self.buffer.start

    @invariant()
    def a_question_is_given_up_only_when_somebody_waits_and_nobody_may_answer(self):
        here = [each for each in self.all if not each.left]
        expected = (
            self.asked is not None
            and any(each.sleeps for each in here)
            and not any(self.may_answer(each) for each in here)
        )

        assert self.buffer.has_abandoned_question() is expected

    def may_answer(self, reader):
        if SignalType.CLARIFICATION not in reader.types or reader.sleeps:
            return False
        return reader.is_loop or reader.looked_at > self.asked


TestTrail = TrailMachine.TestCase
