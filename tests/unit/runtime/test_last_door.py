"""What a last door lets pass: cancellations of its task, Ctrl-C, and the end of its loop."""

import asyncio
import signal
import threading

import pytest

from cosmonapse.runtime.last_door import must_pass


async def told(error):
    return must_pass(error)


def in_another_thread(action):
    results = []
    thread = threading.Thread(target=lambda: results.append(action()))
    thread.start()
    thread.join()
    return results[0]


@pytest.mark.asyncio
async def test_a_cancellation_of_the_task_passes_and_one_of_what_it_awaits_does_not():
    error = asyncio.CancelledError()
    before = must_pass(error)

    asyncio.current_task().cancel()
    try:
        assert not before
        assert must_pass(error)
    finally:
        asyncio.current_task().uncancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.sleep(0)


def test_a_generator_exit_passes_only_without_a_loop():
    assert must_pass(GeneratorExit())
    assert not asyncio.run(told(GeneratorExit()))


@pytest.fixture
def _ctrl_c_raises():
    """Handle SIGINT as Python does by itself; a run in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("_ctrl_c_raises")
def test_an_interrupt_passes_where_ctrl_c_is_nothing_else():
    assert must_pass(KeyboardInterrupt())
    assert not asyncio.run(told(KeyboardInterrupt()))
    assert not in_another_thread(lambda: must_pass(KeyboardInterrupt()))


@pytest.mark.parametrize("kind", [ValueError, SystemExit, BaseException])
def test_every_other_exception_is_a_failure_of_the_function(kind):
    assert not must_pass(kind())
