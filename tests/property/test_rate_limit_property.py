"""For any times of tasks, cancellations and ends: no rate is exceeded and nothing waits in vain."""

import itertools
from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from cosmonapse.rate_limit import RateBucket

INTERVAL_S = 1.0
STEPS = st.lists(
    st.tuples(
        st.integers(0, 192).map(lambda n: n / 64),
        st.sampled_from(["arrive", "look", "begin", "cancel"]),
    ),
    max_size=60,
)


class Worker:
    """Uses a bucket as a worker does: who takes the token begins a little later, or never."""

    def __init__(self):
        self.bucket = RateBucket(INTERVAL_S)
        self.now_s = 0.0
        self.waiting = deque()
        self.chosen = None
        self.begun = []

    def arrive(self):
        self.waiting.append(self.now_s)
        self.look()

    def look(self):
        if self.waiting and self.bucket.wait_s(self.now_s) == 0.0:
            self.bucket.take()
            self.chosen = self.waiting.popleft()

    def begin(self):
        if self.chosen is not None:
            self.bucket.begun(self.now_s)
            self.begun.append((self.chosen, self.now_s))
            self.chosen = None

    def cancel(self):
        if self.chosen is not None:
            self.bucket.give_back()
            self.chosen = None
        elif self.waiting:
            self.waiting.pop()


def run(steps):
    worker = Worker()
    for pause_s, step in steps:
        worker.now_s += pause_s
        getattr(worker, step)()
    return worker


@given(STEPS)
def test_two_starts_are_an_interval_apart_and_in_order(steps):
    begun = run(steps).begun

    starts = [at_s for _, at_s in begun]
    assert all(b - a >= INTERVAL_S for a, b in itertools.pairwise(starts))
    assert [arrived for arrived, _ in begun] == sorted(arrived for arrived, _ in begun)


@given(STEPS, st.integers(1, 5))
def test_no_half_open_period_holds_more_than_its_number(steps, count):
    starts = [at_s for _, at_s in run(steps).begun]

    for first in starts:
        assert sum(first <= each < first + count * INTERVAL_S for each in starts) <= count


@given(STEPS)
def test_a_wait_is_as_long_as_it_says_and_never_over_an_interval(steps):
    worker = run(steps)
    worker.begin()
    wait_s = worker.bucket.wait_s(worker.now_s)

    assert 0.0 <= wait_s <= INTERVAL_S
    assert worker.bucket.wait_s(worker.now_s + wait_s) == 0.0


@given(STEPS)
def test_a_task_that_is_cancelled_takes_no_token(steps):
    worker = run([*steps, (0.0, "begin"), (2 * INTERVAL_S, "arrive")])

    assert worker.chosen is not None
    worker.cancel()
    assert worker.bucket.wait_s(worker.now_s) == 0.0
