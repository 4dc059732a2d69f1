"""Whether a loop turns, as a probe sees it from a thread."""

import asyncio
import time

import pytest

from cosmonapse.telemetry.liveness import STALLED_S, LoopPulse, judgement_of
from support.processes import until


def test_a_loop_is_dead_when_it_has_not_turned_for_ten_seconds():
    assert judgement_of(100.0, 100.0 + STALLED_S - 0.1).ok
    stalled = judgement_of(100.0, 112.4)
    assert not stalled.ok
    assert stalled.why == "the event loop has not turned for 12 s"


def test_a_loop_that_never_ran_is_not_alive():
    assert not LoopPulse().judge().ok


def _block_the_loop():
    time.sleep(0.15)


@pytest.mark.asyncio
async def test_a_pulse_beats_and_measures_how_late_the_loop_is():
    pulse = LoopPulse(every_s=0.01)
    pulse.start()

    await until(lambda: pulse.lags.count >= 2)
    before = pulse.lags.total
    _block_the_loop()
    await until(lambda: pulse.lags.total >= before + 0.1)

    assert pulse.judge().ok
    pulse.stop()


@pytest.mark.asyncio
async def test_a_pulse_that_was_stopped_leaves_no_timer_behind():
    pulse = LoopPulse(every_s=0.01)
    pulse.start()
    await until(lambda: pulse.lags.count >= 1)

    pulse.stop()

    count = pulse.lags.count
    await asyncio.sleep(0.03)
    assert pulse.lags.count == count
