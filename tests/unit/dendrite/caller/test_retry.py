"""When a task is tried again, after which pause, and how often."""

import asyncio

import pytest
import tenacity

from cosmonapse import LocalError, NeuronError, RetryStrategy, Signal, default_retry_on
from cosmonapse.dendrite.caller.retry import _jittered

DONE = Signal(type="AGENT_OUTPUT", payload={"output": {}})


def error(recoverable=True, **more):
    payload = {"code": "OVERLOADED", "message": "full", "recoverable": recoverable, **more}
    return Signal(type="ERROR", payload=payload)


BUSY = error()


class LateLocalError(LocalError, TimeoutError):
    """Stands for a mistake of the caller that looks like a timeout."""


class Course:
    """A strategy at work on made-up outcomes, in made-up time.

    Args:
        outcomes: A Signal, or an exception, for each attempt; the last one stays.
        took_s: How long each attempt takes.
    """

    def __init__(self, *outcomes, took_s=0.0):
        self.outcomes, self.took_s = list(outcomes), took_s
        self.now_s, self.asked, self.pauses = 100.0, [], []

    async def attempt(self, number, seconds):
        self.asked.append((number, seconds))
        self.now_s += self.took_s
        outcome = self.outcomes.pop(0) if len(self.outcomes) > 1 else self.outcomes[0]
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    async def sleep(self, seconds):
        self.pauses.append(seconds)
        self.now_s += seconds

    async def run(self, total_s=60.0, **settings):
        strategy = RetryStrategy(**{"backoff": 1.0, **settings})
        return await strategy.run(self.attempt, total_s, clock=lambda: self.now_s, sleep=self.sleep)


@pytest.mark.parametrize(
    ("outcome", "again"),
    [
        (BUSY, True),
        (TimeoutError(), True),
        (error(recoverable=False), False),
        (error(recoverable="yes"), False),
        (Signal(type="ERROR"), False),
        (DONE, False),
        (Signal(type="CLARIFICATION", payload={"question": "?", "recoverable": True}), False),
        (asyncio.CancelledError(), False),
        (LateLocalError(), False),
        (ConnectionError(), False),
        (ValueError(), False),
    ],
)
def test_by_default_recoverable_errors_and_timeouts_are_tried_again(outcome, again):
    assert default_retry_on(outcome) is again


@pytest.mark.parametrize(
    ("settings", "kind", "says"),
    [
        ({"max_attempts": 0}, ValueError, "at least 1, not 0"),
        ({"max_attempts": 2.0}, TypeError, "whole number, not 2.0"),
        ({"max_attempts": True}, TypeError, "whole number, not True"),
        ({"timeout_s": 0}, ValueError, "over 0"),
        ({"timeout_s": -1}, ValueError, "30 days, not -1"),
        ({"timeout_s": float("nan")}, ValueError, "not nan"),
        ({"timeout_s": 1e9}, ValueError, "30 days"),
        ({"timeout_s": "1"}, TypeError, "timeout_s must be a number of seconds, not '1'"),
        ({"backoff": -1}, ValueError, "backoff"),
        ({"backoff": float("inf")}, ValueError, "backoff"),
        ({"backoff": "fast"}, TypeError, "backoff"),
        ({"backoff": asyncio.sleep}, TypeError, "backoff must be a plain function"),
        ({"retry_on": None}, TypeError, "retry_on must be a function"),
        ({"retry_on": asyncio.sleep}, TypeError, "retry_on must be a plain function"),
        ({"on_retry": "print"}, TypeError, "on_retry"),
    ],
)
def test_a_value_that_makes_no_sense_dies_at_birth(settings, kind, says):
    with pytest.raises(kind, match=says):
        RetryStrategy(**settings)


@pytest.mark.parametrize(("timeout_s", "kind"), [(0, ValueError), ("1", TypeError)])
@pytest.mark.asyncio
async def test_an_overall_limit_that_makes_no_sense_is_refused(timeout_s, kind):
    course = Course(DONE)

    with pytest.raises(kind, match="timeout_s"):
        await course.run(timeout_s)
    assert course.asked == []


@pytest.mark.asyncio
async def test_the_first_good_signal_ends_it():
    course = Course(BUSY, TimeoutError(), DONE, BUSY)

    assert await course.run(max_attempts=9) is DONE
    assert course.asked == [(1, 30.0), (2, 30.0), (3, 30.0)]
    assert course.pauses == [1.0, 1.0]


@pytest.mark.asyncio
async def test_when_the_attempts_are_used_up_the_last_signal_comes_back():
    last = error(code="LAST")
    course = Course(BUSY, BUSY, last)

    assert await course.run() is last
    assert len(course.pauses) == 2


@pytest.mark.asyncio
async def test_one_attempt_is_no_retry():
    course = Course(BUSY)

    assert await course.run(max_attempts=1) is BUSY
    assert course.pauses == []


@pytest.mark.asyncio
async def test_an_attempt_gets_what_is_left_of_the_overall_limit():
    course = Course(BUSY, took_s=4.0)

    assert await course.run(10.0, timeout_s=6.0) is BUSY
    assert course.asked == [(1, 6.0), (2, 5.0)]


@pytest.mark.asyncio
async def test_a_pause_that_reaches_the_overall_limit_is_not_begun():
    course = Course(BUSY)

    assert await course.run(10.0, backoff=10.0) is BUSY
    assert course.pauses == []


@pytest.mark.asyncio
async def test_the_last_timeout_tells_neuron_trace_and_how_many_attempts_there_were():
    course = Course(TimeoutError("no answer of neuron 'echo' to trc_1 within 2 s"))

    with pytest.raises(TimeoutError) as caught:
        await course.run(max_attempts=2)

    assert str(caught.value) == (
        "no answer of neuron 'echo' to trc_1 within 2 s; 2 attempts of at most 2 within 60 s in all"
    )


@pytest.mark.asyncio
async def test_an_error_that_is_not_tried_again_passes_as_it_is():
    mistake = ValueError("no such thing")

    with pytest.raises(ValueError, match="no such thing") as caught:
        await Course(mistake).run()

    assert caught.value is mistake


@pytest.mark.parametrize("kind", [asyncio.CancelledError, KeyboardInterrupt])
@pytest.mark.asyncio
async def test_an_interruption_passes_whatever_retry_on_says(kind):
    asked = []
    course = Course(kind())

    with pytest.raises(kind):
        await course.run(retry_on=lambda outcome: asked.append(outcome) or True)

    assert asked == []
    assert len(course.asked) == 1


@pytest.mark.asyncio
async def test_a_caller_that_is_cancelled_during_a_pause_is_cancelled():
    course = Course(BUSY)
    asleep = asyncio.Event()

    async def sleep(seconds):
        asleep.set()
        await asyncio.Future()

    running = asyncio.create_task(RetryStrategy().run(course.attempt, 60.0, sleep=sleep))
    await asleep.wait()
    running.cancel()

    with pytest.raises(asyncio.CancelledError):
        await running
    assert len(course.asked) == 1


@pytest.mark.asyncio
async def test_retry_on_decides_by_signal_and_by_exception():
    seen = []
    problem = ConnectionError()
    course = Course(problem, error(recoverable=False), DONE)

    await course.run(retry_on=lambda outcome: seen.append(outcome) or len(seen) < 3)

    assert [each for each in seen if each is problem or each is DONE] == [problem, DONE]
    assert len(course.asked) == 3


@pytest.mark.parametrize(
    ("backoff", "pauses"),
    [
        (0, [0.0, 0.0, 0.0]),
        (lambda attempt: attempt * 2, [2.0, 4.0, 6.0]),
        (lambda attempt: -1.0, [0.0, 0.0, 0.0]),
        (lambda attempt: float("nan"), [0.0, 0.0, 0.0]),
        (tenacity.wait_exponential(multiplier=1), [1.0, 2.0, 4.0]),
        (tenacity.wait_fixed(1) + tenacity.wait_fixed(2), [3.0, 3.0, 3.0]),
    ],
)
@pytest.mark.asyncio
async def test_the_pause_is_a_number_a_function_or_a_wait_of_tenacity(backoff, pauses):
    course = Course(BUSY)

    await course.run(backoff=backoff, max_attempts=4)

    assert course.pauses == pauses


@pytest.mark.asyncio
async def test_a_function_that_gives_no_pause_is_told_so():
    with pytest.raises(TypeError, match="backoff must return a number of seconds, not None"):
        await Course(BUSY).run(backoff=lambda attempt: None)


@pytest.mark.asyncio
async def test_the_default_pauses_grow_up_to_five_seconds_and_are_picked_by_chance(monkeypatch):
    monkeypatch.setattr("random.uniform", lambda low, high: (low, high)[1])
    course = Course(BUSY)

    await course.run(backoff=_jittered(), max_attempts=8)

    assert course.pauses == pytest.approx([0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0])


@pytest.mark.parametrize(
    ("asked", "pauses"),
    [
        (3, [3.0]),
        (0.5, [1.0]),
        (-1, [1.0]),
        ("soon", [1.0]),
        (True, [1.0]),
        (float("nan"), [1.0]),
        (float("inf"), []),
        (10**400, []),
    ],
)
@pytest.mark.asyncio
async def test_an_error_that_asks_us_to_wait_is_waited_out_if_that_fits(asked, pauses):
    course = Course(error(retry_after_s=asked))

    await course.run(max_attempts=2)

    assert course.pauses == pauses


@pytest.mark.asyncio
async def test_an_exception_that_asks_us_to_wait_is_waited_out_too():
    course = Course(NeuronError("X", "later", retry_after_s=3))

    with pytest.raises(NeuronError):
        await course.run(max_attempts=2, retry_on=lambda _: True)

    assert course.pauses == [3.0]


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.asyncio
async def test_on_retry_is_told_the_attempt_its_outcome_and_the_pause(is_async):
    told = []

    async def tell_async(*facts):
        told.append(facts)

    def tell(*facts):
        told.append(facts)

    late = TimeoutError("late")
    course = Course(BUSY, late, DONE)

    await course.run(on_retry=tell_async if is_async else tell, backoff=float)

    assert told == [(1, BUSY, 1.0), (2, late, 2.0)]


@pytest.mark.asyncio
async def test_on_retry_that_raises_is_logged_and_ignored(caplog):
    def fail(attempt, outcome, delay_s):
        raise RuntimeError("my own bug")

    course = Course(BUSY, DONE)

    assert await course.run(on_retry=fail) is DONE
    assert "on_retry raised after attempt 1" in caplog.text
    assert "my own bug" in caplog.text


@pytest.mark.asyncio
async def test_what_on_retry_takes_is_taken_off_the_pause():
    course = Course(BUSY, BUSY, DONE)

    def dawdle(attempt, outcome, delay_s):
        course.now_s += 0.75 if attempt == 1 else 5.0

    await course.run(on_retry=dawdle)

    assert course.pauses == [0.25, 0.0]


@pytest.mark.parametrize("outcome", [BUSY, TimeoutError("late")])
@pytest.mark.asyncio
async def test_a_wake_up_after_the_overall_limit_makes_no_attempt(outcome):
    course = Course(outcome)
    course.sleep = lambda seconds: Course.sleep(course, seconds + 100.0)

    try:
        ended = await course.run(max_attempts=5)
    except TimeoutError as error:
        ended = error.__cause__

    assert ended is outcome
    assert len(course.asked) == 1
    assert len(course.pauses) == 1


@pytest.mark.asyncio
async def test_one_strategy_serves_many_calls_at_a_time():
    strategy = RetryStrategy(backoff=0)
    courses = [Course(*[BUSY] * number, DONE) for number in (0, 1, 2)]

    ended = await asyncio.gather(
        *(strategy.run(each.attempt, 60.0, sleep=lambda _: asyncio.sleep(0)) for each in courses)
    )

    assert ended == [DONE] * 3
    assert [len(each.asked) for each in courses] == [1, 2, 3]


def test_a_strategy_cannot_be_changed():
    with pytest.raises(AttributeError):
        RetryStrategy().max_attempts = 5
