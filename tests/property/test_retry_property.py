"""Whatever happens, a retry keeps its limits and returns what came last."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from cosmonapse import RetryStrategy, Signal

GOOD = Signal(type="AGENT_OUTPUT", payload={"output": {}})
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["good", "busy", "late"]),
        st.floats(0.0, 5.0),  # how long the attempt takes
        st.floats(0.0, 5.0),  # the pause that it asks for
        st.floats(0.0, 1.0),  # how late the pause ends
    ),
    min_size=8,
    max_size=8,
)


class Simulated:
    """Attempts and pauses in made-up time."""

    def __init__(self, steps):
        self.steps, self.now_s = steps, 0.0
        self.begun, self.outcomes, self.pauses = [], [], []

    async def attempt(self, number, seconds):
        kind, took_s, wait_s, _ = self.steps[number - 1]
        self.begun.append((number, self.now_s, seconds))
        self.now_s += min(took_s, seconds)
        if kind == "late" or took_s > seconds:
            self.outcomes.append(TimeoutError(f"late {number}"))
            raise self.outcomes[-1]
        payload = {"recoverable": True, "retry_after_s": wait_s}
        self.outcomes.append(GOOD if kind == "good" else Signal(type="ERROR", payload=payload))
        return self.outcomes[-1]

    async def sleep(self, seconds):
        self.pauses.append((self.now_s, seconds))
        self.now_s += seconds + self.steps[len(self.pauses) - 1][3]


@given(
    steps=STEPS,
    max_attempts=st.integers(1, 8),
    each_s=st.floats(0.1, 5.0),
    total_s=st.floats(0.1, 30.0),
    backoff=st.floats(0.0, 3.0),
)
def test_the_limits_are_kept_and_the_last_outcome_comes_back(
    steps, max_attempts, each_s, total_s, backoff
):
    simulated = Simulated(steps)
    strategy = RetryStrategy(max_attempts, each_s, backoff)

    try:
        ended = asyncio.run(
            strategy.run(
                simulated.attempt, total_s, clock=lambda: simulated.now_s, sleep=simulated.sleep
            )
        )
    except TimeoutError as error:
        ended, text = error.__cause__, str(error)
    else:
        text = f"{ended}; {len(simulated.begun)} attempt"

    assert ended is simulated.outcomes[-1]
    assert text.startswith(f"{ended}; {len(simulated.begun)} attempt")
    assert [number for number, _, _ in simulated.begun] == list(range(1, len(simulated.begun) + 1))
    assert len(simulated.begun) <= max_attempts
    assert GOOD not in simulated.outcomes[:-1]
    assert all(0 < may_s <= min(each_s, total_s - at_s) for _, at_s, may_s in simulated.begun)
    assert all(backoff <= pause_s < total_s - at_s for at_s, pause_s in simulated.pauses)
    is_over = ended is GOOD or len(simulated.begun) == max_attempts
    assert is_over or simulated.now_s + max(backoff, _asked(ended)) >= total_s


def _asked(outcome):
    return outcome.payload["retry_after_s"] if isinstance(outcome, Signal) else 0.0
