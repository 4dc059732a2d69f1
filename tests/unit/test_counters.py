"""The counters of a Dendrite: each that is made has a sentence for users."""

import pytest

from cosmonapse.counters import COUNTERS
from cosmonapse.dendrite.caller import dispatcher
from cosmonapse.dendrite.worker import reply_sender
from cosmonapse.transport import Outcome


@pytest.mark.parametrize("table", [dispatcher._BOUNCED, dispatcher._LOST, reply_sender._REFUSED])
def test_every_counter_of_a_table_is_explained(table):
    assert set(table.values()) <= COUNTERS.keys()


def test_every_outcome_of_a_last_reply_that_was_not_sent_has_a_counter():
    sent = {Outcome.SENT, Outcome.WAITING}

    assert reply_sender._UNSENT.keys() == set(Outcome) - sent
    assert set(reply_sender._UNSENT.values()) <= COUNTERS.keys()


def test_every_counter_is_explained_in_one_sentence():
    assert all(text.endswith(".") and 10 < len(text) < 100 for text in COUNTERS.values())
