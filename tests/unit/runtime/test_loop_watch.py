"""A task that blocks its loop is named in the log, with the seconds, its place and the remedy."""

import asyncio
import logging
import threading

import pytest

from cosmonapse.runtime.loop_watch import LoopWatch, watch_running_loop
from support.processes import TIMEOUT_S, until

pytestmark = pytest.mark.asyncio
QUICK = {"every_s": 0.01, "blocked_s": 0.05}


class Noticing(logging.Handler):
    """Sets an event with each record."""

    def __init__(self):
        super().__init__()
        self.noticed = threading.Event()
        self.texts = []

    def emit(self, record):
        self.texts.append((record.levelname, record.getMessage()))
        self.noticed.set()


@pytest.fixture
def log():
    handler, logger = Noticing(), logging.getLogger("cosmonapse.runtime.loop_watch")
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)


@pytest.fixture
def watch():
    """Make a watch of the running loop, with an event for the moment when it looks at the task."""
    made = []

    def make(**times):
        made.append(LoopWatch(asyncio.get_running_loop(), **QUICK, **times))
        looked, blocker = threading.Event(), made[-1]._blocker

        def look():
            found = blocker()
            looked.set()
            return found

        made[-1]._blocker = look
        made[-1].start()
        return looked

    yield make
    made[-1].release()


async def blocks(event):
    assert event.wait(TIMEOUT_S)
    event.clear()


async def run(event, name="neuron writer"):
    await asyncio.create_task(blocks(event), name=name)


async def test_a_task_that_blocked_is_named_with_seconds_place_and_remedy(watch, log):
    await run(watch())
    await until(log.noticed.is_set)

    level, text = log.texts[0]
    line = blocks.__code__.co_firstlineno + 1
    assert level == "WARNING"
    assert text.startswith("neuron writer blocked the event loop for 0.")
    assert f"at {__file__}:{line} in blocks:" in text
    assert "plain `def`" in text
    assert "asyncio.to_thread" in text


async def test_a_block_that_does_not_end_is_told_while_it_lasts_and_only_once(watch, log):
    watch(still_s=0.1)

    await run(log.noticed)
    await until(lambda: not log.noticed.is_set())

    assert [text.partition(" the event")[0] for _, text in log.texts] == [
        "neuron writer has blocked"
    ]


async def test_a_task_that_blocks_again_is_not_told_twice_in_a_minute_and_another_is(watch, log):
    looked = watch()

    for name in ("neuron a", "neuron a", "neuron b"):
        await run(looked, name)
    await until(lambda: len(log.texts) == 2)

    assert [text.partition(" blocked")[0] for _, text in log.texts] == ["neuron a", "neuron b"]


async def test_a_loop_has_one_watch_until_its_last_user_leaves():
    others = set(threading.enumerate())
    releases = [watch_running_loop() for _ in range(3)]
    made = set(threading.enumerate()) - others
    for release in releases:
        release()

    await until(lambda: not made & set(threading.enumerate()))
    assert [thread.name for thread in made] == ["loop watch"]
