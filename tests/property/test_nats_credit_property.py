"""Credit bounds what is on its way, and never stalls while the other end reads."""

from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from cosmonapse.synapse.nats.credit import Credit, Receipt
from cosmonapse.synapse.nats.frames import Totals

STEPS = st.lists(st.one_of(st.integers(1, 400), st.sampled_from(["read", "answer"])), max_size=200)


@given(STEPS)
def test_no_more_is_on_its_way_than_the_window_and_one_message(steps):
    credit, receipt, way, answers = Credit(5, 1_000), Receipt(), deque(), deque()
    for step in steps:
        if step == "read" and way:
            receipt.took(way.popleft())
            answers.append(receipt.totals)
        elif step == "answer" and answers:
            assert credit.was_read(answers.popleft())
        elif isinstance(step, int) and credit.has_room():
            credit.sent(step)
            way.append(step)
        assert len(way) <= 5
        assert sum(way) < 1_000 + 400


@given(st.lists(st.integers(1, 400), min_size=1, max_size=60))
def test_it_asks_before_it_stalls_and_goes_on_when_it_is_answered(sizes):
    credit, receipt, has_asked = Credit(4, 1_000), Receipt(), False
    for size in sizes:
        if not credit.has_room():
            assert has_asked
            assert credit.was_read(receipt.totals)
            has_asked = False
        assert credit.has_room()
        has_asked |= credit.sent(size)
        receipt.took(size)


@given(st.integers(0, 9), st.integers(0, 9))
def test_totals_that_cannot_be_change_nothing(messages, size_bytes):
    credit = Credit(10, 100)
    credit.sent(3)
    credit.sent(3)
    assert credit.was_read(Totals(1, 3))

    taken = credit.was_read(Totals(messages, size_bytes))

    assert taken == (1 <= messages <= 2 and 3 <= size_bytes <= 6)
    assert credit.unread == (Totals(2 - messages, 6 - size_bytes) if taken else Totals(1, 3))
