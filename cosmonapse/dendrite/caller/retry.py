"""The retry strategy: which outcomes to retry, the pauses, the number of attempts. On tenacity."""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs

from ...errors import LocalError, NeuronError, SynapseUnreachable, seconds_or_none
from ...signals import Signal, SignalType
from ...tasks import MAX_TIMEOUT_S

if TYPE_CHECKING:
    from tenacity import RetryCallState
    from tenacity.wait import wait_base

_LOG = logging.getLogger(__name__)
_FIRST_PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0
_MAX_TIMEOUT_S = float(MAX_TIMEOUT_S)

Outcome: TypeAlias = Signal | BaseException
Backoff: TypeAlias = "wait_base | Callable[[int], float] | float"
Attempt: TypeAlias = Callable[[int, float], Awaitable[Signal]]


def default_retry_on(outcome: Outcome) -> bool:
    """Return True for an ERROR that is marked recoverable, and for a TimeoutError."""
    if isinstance(outcome, Signal):
        return outcome.type is SignalType.ERROR and outcome.payload.get("recoverable") is True
    return isinstance(outcome, TimeoutError) and not isinstance(outcome, LocalError)


def _jittered() -> wait_base:
    """Return random pauses of up to 0.1 s, 0.2 s, 0.4 s and so on, at most 5 s."""
    from tenacity import wait_random_exponential  # on use only: it costs every start 5 ms

    return wait_random_exponential(multiplier=_FIRST_PAUSE_S, max=_LONGEST_PAUSE_S)


def _check_attempts(_: object, __: object, value: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"max_attempts must be a whole number, not {value!r:.100}")
    if value < 1:
        raise ValueError(f"max_attempts must be at least 1, not {value}")


def _checked_seconds(what: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{what} must be a number of seconds, not {value!r:.100}")
    if not 0 <= value <= _MAX_TIMEOUT_S:  # false for NaN too
        raise ValueError(f"{what} must be 0 s to 30 days, not {value!r:.100}")
    return float(value)


def _check_timeout(_: object, __: object, value: Any) -> None:
    if not _checked_seconds("timeout_s", value):
        raise ValueError("timeout_s must be over 0, not 0")


def _check_plain(_: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    """Refuse `async def`: its coroutine is always true and is not a number."""
    if not callable(value):
        raise TypeError(f"{attribute.name} must be a function, not {value!r:.100}")
    if inspect.iscoroutinefunction(value):
        raise TypeError(f"{attribute.name} must be a plain function, not async def")


def _check_backoff(instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    if callable(value):
        _check_plain(instance, attribute, value)
    else:
        _checked_seconds("backoff, if it is no function,", value)


@attrs.frozen(eq=False)
class RetryStrategy:
    """Which outcomes of a task are retried, after which pause, and how often.

    Args:
        max_attempts: The greatest number of attempts; 1 means no retry.
        timeout_s: The limit of one attempt, over 0 and at most 30 days.
        backoff: The pause before the next attempt: a number of seconds; a function of the number of
            the attempt that has ended (1 is the first) that returns seconds; or a wait of tenacity.
            By default a random time between 0 and 0.1 s, then 0.2 s, 0.4 s and so on up to 5 s.
            The pause is at least `retry_after_s` of an ERROR or a NeuronError that has it.
        retry_on: Receives the outcome of an attempt, a Signal or an exception, and returns whether
            to retry. It is not called for a cancellation, which always ends the task.
        on_retry: Is called before each pause with the number of the attempt that has ended, its
            outcome, and the pause in seconds. `async def`, or `def`, which must not block. An
            exception in it is logged; the pause includes its own time.

    Raises:
        TypeError: A value has the wrong type.
        ValueError: A number is out of range.
    """

    max_attempts: int = attrs.field(default=3, validator=_check_attempts)
    timeout_s: float = attrs.field(default=30.0, validator=_check_timeout)
    backoff: Backoff = attrs.field(factory=_jittered, validator=_check_backoff)
    retry_on: Callable[[Outcome], bool] = attrs.field(
        default=default_retry_on, validator=_check_plain
    )
    on_retry: Callable[[int, Outcome, float], Any] | None = attrs.field(
        default=None, validator=attrs.validators.optional(attrs.validators.is_callable())
    )

    async def run(
        self,
        attempt: Attempt,
        timeout_s: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[Any]] = asyncio.sleep,
    ) -> Signal:
        """Return the first Signal that is not retried, or the Signal of the last attempt.

        It ends at once when the next pause would exceed the overall limit.

        Args:
            attempt: Is called with its number (1 is the first) and its limit in seconds, which it
                enforces by itself.
            timeout_s: The overall limit, over 0 and at most 30 days.
            clock: The monotonic clock, seconds.
            sleep: Waits for a number of seconds.

        Raises:
            TimeoutError: The last attempt raised it; the text has the number of attempts.
            BaseException: Any other exception of the last attempt, `retry_on` or `backoff`.
            TypeError: `timeout_s` is not a number, or `backoff` returned none.
            ValueError: `timeout_s` is out of range.
        """
        from tenacity import AsyncRetrying

        _check_timeout(None, None, timeout_s)
        run = _RetryRun(self, attempt, clock() + timeout_s, clock, sleep)
        retries = AsyncRetrying(
            retry=run.should_retry,
            stop=run.is_over,
            wait=run.pause_s,
            sleep=run.pause,
            retry_error_callback=run.conclude,
        )
        try:
            result: Signal = await retries(run.make_attempt)
        except TimeoutError as error:
            if error is not run.outcome or isinstance(error, SynapseUnreachable):
                raise
            raise TimeoutError(f"{error}; {run.tally(timeout_s)}") from error
        return result


class _RetryRun:
    """One run of a strategy, as callbacks of tenacity.

    Args:
        strategy: The strategy.
        attempt: Makes one attempt.
        end_s: The overall limit, an instant of `clock`.
        clock: The monotonic clock, seconds.
        sleep: Waits for a number of seconds.
    """

    def __init__(
        self,
        strategy: RetryStrategy,
        attempt: Attempt,
        end_s: float,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[Any]],
    ) -> None:
        self.outcome: Outcome | None = None
        self._strategy = strategy
        self._attempt = attempt
        self._end_s = end_s
        self._clock = clock
        self._sleep = sleep
        self._count = 0
        self._pause: tuple[int, float] = (0, 0.0)

    async def make_attempt(self) -> Signal:
        """Make an attempt; return the last outcome again if a late wake-up left no time."""
        left_s = self._end_s - self._clock()
        if left_s <= 0 and self.outcome is not None:
            result: Signal = self.conclude()
            return result
        self._count += 1
        try:
            self.outcome = await self._attempt(self._count, min(self._strategy.timeout_s, left_s))
        except BaseException as error:
            self.outcome = error
            raise
        return self.outcome

    def conclude(self, _: RetryCallState | None = None) -> Any:
        """Return or raise the last outcome, in place of the RetryError of tenacity."""
        if isinstance(self.outcome, BaseException):
            raise self.outcome
        return self.outcome

    def should_retry(self, _: RetryCallState) -> bool:
        """Return whether the strategy retries the outcome."""
        outcome = self.outcome
        if outcome is None or not isinstance(outcome, (Signal, Exception)):
            return False  # a cancellation or an interrupt always ends the run
        return bool(self._strategy.retry_on(outcome))

    def is_over(self, state: RetryCallState) -> bool:
        """Return whether no attempt is left, or the pause would exceed the overall limit."""
        if self._count >= self._strategy.max_attempts:
            return True
        return self.pause_s(state) >= self._end_s - self._clock()

    def pause_s(self, state: RetryCallState) -> float:
        """Return the pause after the attempt; a random one is drawn once for each attempt."""
        number, seconds = self._pause
        if number != state.attempt_number:
            wanted_s = max(_pause_of(self._strategy.backoff, state), _retry_after_s(self.outcome))
            seconds = min(wanted_s, _MAX_TIMEOUT_S)
            self._pause = state.attempt_number, seconds
        return seconds

    async def pause(self, seconds: float) -> None:
        """Call `on_retry`, and sleep for the rest of the pause."""
        since_s = self._clock()
        if self._strategy.on_retry is not None and self.outcome is not None:
            await self._call_on_retry(self._strategy.on_retry, self.outcome, float(seconds))
        await self._sleep(max(0.0, seconds - (self._clock() - since_s)))

    async def _call_on_retry(
        self, on_retry: Callable[[int, Outcome, float], Any], outcome: Outcome, seconds: float
    ) -> None:
        try:
            async with asyncio.timeout(max(0.0, self._end_s - self._clock())):
                result = on_retry(self._count, outcome, seconds)
                if inspect.isawaitable(result):
                    await result
        except Exception:  # noqa: BLE001  # an observer must not end the run
            _LOG.exception("on_retry raised after attempt %d; the retry continues", self._count)

    def tally(self, timeout_s: float) -> str:
        """Return the number of attempts as a text."""
        attempts = "1 attempt" if self._count == 1 else f"{self._count} attempts"
        return f"{attempts} of at most {self._strategy.max_attempts} within {timeout_s:g} s in all"


def _pause_of(backoff: Backoff, state: RetryCallState) -> float:
    from tenacity.wait import wait_base

    seconds: Any = backoff
    if isinstance(backoff, wait_base):
        seconds = backoff(state)
    elif callable(backoff):
        seconds = backoff(state.attempt_number)
    if isinstance(seconds, bool) or not isinstance(seconds, (int, float)):
        raise TypeError(f"backoff must return a number of seconds, not {seconds!r:.100}")
    return max(0.0, seconds)  # NaN counts as 0 too


def _retry_after_s(outcome: Outcome | None) -> float:
    """Return the `retry_after_s` of an ERROR or a NeuronError; 0 if it has none."""
    value: object = None
    if isinstance(outcome, Signal) and outcome.type is SignalType.ERROR:
        value = outcome.payload.get("retry_after_s")
    elif isinstance(outcome, NeuronError):
        value = outcome.retry_after_s
    return seconds_or_none(value) or 0.0
