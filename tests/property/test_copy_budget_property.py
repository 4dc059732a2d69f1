"""The budget of copies is shared: nobody over the total, and nobody within its share refused."""

from hypothesis import given
from hypothesis import strategies as st

from zmq_transport.proxy.copy_budget import CopyBudget

BYTES_PER_S = 10_000
TICK_S = 0.1
OTHERS = ["a", "b", "c"]
FLOODS = st.lists(
    st.lists(st.tuples(st.sampled_from(OTHERS), st.integers(1, 3_000)), max_size=20), max_size=40
)


@given(floods=FLOODS, sizes=st.lists(st.integers(1, 100), min_size=1, max_size=10))
def test_who_stays_within_an_equal_share_is_never_refused(floods, sizes):
    """Sizes of one tick, whose sum is at most the share of a tick beside three others: 250."""
    budget = CopyBudget(BYTES_PER_S, now_s=0.0)
    share = BYTES_PER_S * TICK_S / (len(OTHERS) + 1)
    for tick, flood in enumerate(floods):
        left = share
        for size in sizes:
            if size <= left:
                left -= size
                assert budget.spend("within", size)
            for name, each in flood:
                budget.spend(name, each)
        budget.refill((tick + 1) * TICK_S)


@given(floods=FLOODS, names=st.integers(1, 60))
def test_all_together_stay_within_the_total_and_two_seconds_of_it(floods, names):
    budget = CopyBudget(BYTES_PER_S, now_s=0.0)
    spent, largest = 0, 0
    for tick, flood in enumerate(floods):
        for number, (name, size) in enumerate(flood):
            if budget.spend(f"{name}{(number + tick) % names}", size):
                spent += size
                largest = max(largest, size)
        budget.refill((tick + 1) * TICK_S)
        # A body may be larger than what is left of its share: once for each of them.
        allowed = BYTES_PER_S * (2 + tick * TICK_S) + len(OTHERS) * names * largest

        assert spent <= allowed
