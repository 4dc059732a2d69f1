"""A test of the suite that hangs fails with where it waits, and the next one runs."""

import pytest

pytest_plugins = ["pytester"]

HARNESS = """
import asyncio
import time

from cosmonapse import MemorySynapse
from cosmonapse.testing.conformance import Harness


class Slow(Harness):
    def __init__(self, namespaces=(), *, mortal=False, **limits):
        self._synapse = MemorySynapse("slow", namespaces, **limits)

    def synapse(self):
        return self._synapse

    async def kill(self):
        self._synapse.hub.restart()

    async def revive(self):
        pass

    def stop(self):
        pass


class HangsInACoroutine(Slow):
    async def kill(self):
        await self.never()

    async def never(self):
        await asyncio.Event().wait()


class BlocksTheLoop(Slow):
    async def kill(self):
        while True:
            pass


class SleepsInACallback(Slow):
    async def kill(self):
        asyncio.get_running_loop().call_soon(time.sleep, 60.0)
        await asyncio.sleep(0.01)


class WillNotBeCancelled(Slow):
    async def kill(self):
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                time.sleep(60.0)


class HangsAtTheStart(Slow):
    def __init__(self, namespaces=(), *, mortal=False, **limits):
        if mortal:
            time.sleep(60.0)
        super().__init__(namespaces, **limits)


class HangsAtTheEnd(Slow):
    def stop(self):
        time.sleep(60.0)
"""
KILLS = "test_away_is_reported_and_so_is_a_synapse_that_comes_back_without_memory"
HARMLESS = "test_a_namespace_that_is_not_served_is_refused_with_those_that_are"
STRICT = ("-Werror", "--strict-markers", "-o", "asyncio_default_fixture_loop_scope=function")
SUITE = "cosmonapse.testing.conformance"


@pytest.fixture
def run(pytester, monkeypatch):
    pytester.makepyfile(slow=HARNESS)
    monkeypatch.setenv("PYTHONPATH", str(pytester.path))
    modules = [f"{SUITE}.{each}" for each in ("test_away", "test_opening")]

    def run(name, limit_s="1"):
        given = ("--cosmo-harness", f"slow:{name}", "--cosmo-timeout", limit_s)
        chosen = ("-k", f"{KILLS} or {HARMLESS}")
        return pytester.runpytest_subprocess(*STRICT, *given, *chosen, "--pyargs", *modules)

    return run


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("HangsInACoroutine", "*task *: test_away_is_* > killed * > kill * > never */slow.py:*"),
        ("BlocksTheLoop", "* in kill */slow.py:*"),
        ("SleepsInACallback", "*> kill */slow.py:*"),
    ],
)
def test_a_test_that_hangs_fails_with_where_it_waits_and_the_next_one_runs(run, name, says):
    result = run(name)

    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines([f"*{KILLS}* took longer than 1 s (--cosmo-timeout)*", says])
    result.stdout.fnmatch_lines(["*Captured stderr*", "*most recent call first*"])


def test_a_test_that_does_not_let_itself_be_ended_fails_all_the_same(run):
    result = run("WillNotBeCancelled")

    assert result.parseoutcomes()["passed"] == 1
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_a_harness_that_hangs_at_its_start_is_an_error_of_its_test_alone(run):
    result = run("HangsAtTheStart")

    result.assert_outcomes(errors=1, passed=1)
    result.stdout.fnmatch_lines([f"*the set-up of {KILLS}* took longer than 1 s*"])


def test_a_harness_that_hangs_at_its_end_is_told_too(run):
    result = run("HangsAtTheEnd")

    assert result.parseoutcomes()["passed"] == 2
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([f"*the tear-down of {KILLS}* took longer than 1 s*"])


def test_a_test_that_ends_in_time_is_not_disturbed(run):
    result = run("Slow", limit_s="0")

    result.assert_outcomes(passed=2)
