"""Waiting for a Synapse: without an end, with the reason at first and every 10 s."""

import asyncio

import pytest

from cosmonapse import SynapseRefused, SynapseUnreachable
from cosmonapse.runtime import reachable
from cosmonapse.runtime.reachable import when_reachable


@pytest.fixture
def clock(monkeypatch):
    """A loop on which a pause takes its time at once; holds the time in seconds."""
    now_s = [0.0]

    async def sleep(seconds):
        now_s[0] += seconds

    monkeypatch.setattr(reachable.asyncio, "sleep", sleep)
    monkeypatch.setattr(asyncio.SelectorEventLoop, "time", lambda loop: now_s[0])
    return now_s


def failing(times, error):
    """Return an attempt that fails so often, and then returns "there"."""
    left = [times]

    async def attempt():
        left[0] -= 1
        if left[0] >= 0:
            raise error
        return "there"

    return attempt


def unreachable():
    return SynapseUnreachable("cosmo://host:1", "nobody listens", "run it")


def waited(attempt, **options):
    said = []
    with asyncio.Runner(loop_factory=asyncio.SelectorEventLoop) as runner:
        result = runner.run(when_reachable(attempt, said.append, **options))
    return result, said


def test_nothing_is_said_about_a_synapse_that_is_there(clock):
    assert waited(failing(0, None)) == ("there", [])


def test_the_reason_is_said_at_first_and_every_10_s(clock):
    seen = []

    result, said = waited(failing(61, unreachable()), on_failure=seen.append)

    assert result == "there"
    assert [line.partition(":")[0] for line in said] == [
        f"waiting for {seconds} s" for seconds in (0, 10, 20, 30)
    ]
    assert said[0].endswith("no Synapse at cosmo://host:1: nobody listens; run it")
    assert len(seen) == 61


def test_a_refusal_is_not_waited_for(clock):
    with pytest.raises(SynapseRefused):
        waited(failing(1, SynapseRefused("cosmo://host:1", "no such namespace")))
