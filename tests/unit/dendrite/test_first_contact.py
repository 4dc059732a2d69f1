"""A wait for a Synapse without a limit ends when it answers, and says why it does not end."""

import asyncio
import itertools
import logging

import pytest

from cosmonapse import SynapseRefused, SynapseUnreachable
from cosmonapse.dendrite.first_contact import wait_for_synapse

pytestmark = pytest.mark.asyncio
URL = "cosmo://late:7070"


class LateSynapse:
    """A Synapse that is there from a given attempt on; every wait passes at once."""

    def __init__(self, clock, there_at, error=None):
        self._clock = clock
        self._numbers = itertools.count(1)
        self._there_at = there_at
        self._error = error or SynapseUnreachable(URL, "nobody listens there", "start one")

    async def connect(self, timeout_s):
        await asyncio.sleep(0)
        if next(self._numbers) < self._there_at:
            self._clock.advance(timeout_s)
            raise self._error


async def test_it_ends_when_the_synapse_answers_and_says_one_line_each_ten_seconds(clock, caplog):
    await wait_for_synapse(LateSynapse(clock, there_at=4), "writer")

    told = [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]
    assert [text.partition(" and goes on")[0] for text in told] == [
        f"dendrite writer has waited for its Synapse for {seconds} s" for seconds in (10, 20, 30)
    ]
    assert "no Synapse at cosmo://late:7070: nobody listens there; start one" in told[0]


async def test_a_synapse_that_answers_at_once_is_no_line(clock, caplog):
    await wait_for_synapse(LateSynapse(clock, there_at=1), "writer")

    assert not caplog.records


async def test_a_refusal_is_no_reason_to_wait(clock):
    refusal = SynapseRefused(URL, "another version")

    with pytest.raises(SynapseRefused):
        await wait_for_synapse(LateSynapse(clock, there_at=9, error=refusal), "writer")
