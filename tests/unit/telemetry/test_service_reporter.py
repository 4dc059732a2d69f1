"""What a process reports to its service manager: all is well only while its loop turns."""

import pytest

from cosmonapse.telemetry.liveness import Judgement
from cosmonapse.telemetry.service_reporter import ServiceReporter
from cosmonapse.testing.conformance.waiting import until

pytestmark = pytest.mark.asyncio


class Manager:
    """Keeps what it is told."""

    def __init__(self, watchdog_s=0.03):
        self.watchdog_s = watchdog_s
        self.lines = []

    def tell(self, *lines):
        self.lines += lines


class Loop:
    """A loop that turns or does not."""

    ok = True

    def judge(self, stalled_s):
        return Judgement(self.ok, f"blocked for {stalled_s:g} s")


@pytest.fixture
def loop():
    return Loop()


@pytest.fixture
def report(loop):
    made = []

    def start(manager, **more):
        made.append(ServiceReporter(manager, loop.judge, lambda: "2 running", **more))
        made[-1].start()
        return made[-1]

    yield start
    for each in made:
        each.close()


async def test_it_is_ready_by_itself_when_the_loop_turns_and_not_before(report, loop):
    loop.ok, manager = False, Manager(watchdog_s=None)
    report(manager, when_ok=True)
    loop.ok = True

    await until(lambda: manager.lines)

    assert manager.lines == ["READY=1", "STATUS=2 running"]


async def test_the_watchdog_is_fed_while_the_loop_turns_and_told_why_not(report, loop):
    report(manager := Manager())
    await until(lambda: manager.lines.count("WATCHDOG=1") > 2)

    loop.ok = False
    await until(lambda: "STATUS=blocked for 0.4 s" in manager.lines)
    fed = manager.lines.count("WATCHDOG=1")
    loop.ok = True
    await until(lambda: manager.lines[-1] != "STATUS=blocked for 0.4 s")

    assert manager.lines.count("STATUS=2 running") == 2
    assert manager.lines.count("WATCHDOG=1") >= fed


async def test_nobody_is_told_anything_where_nobody_is(report):
    reporter = report(None)

    reporter.ready()
    reporter.reloading("app.py changed")
    reporter.stopping("ending")


async def test_the_steps_are_told_at_once(report):
    reporter = report(manager := Manager(watchdog_s=None))

    reporter.reloading("app.py changed")
    reporter.ready()
    reporter.stopping("ending")

    first, since, *rest = manager.lines
    assert first == "RELOADING=1"
    assert since.startswith("MONOTONIC_USEC=")
    assert rest == [
        "STATUS=app.py changed",
        "READY=1",
        "STATUS=2 running",
        "STOPPING=1",
        "STATUS=ending",
    ]
