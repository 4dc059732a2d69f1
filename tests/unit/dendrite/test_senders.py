"""From which key a Signal came, out of the header that the Synapse verified."""

from unittest import mock

import pytest

from cosmonapse import Signal, SignalType
from cosmonapse.dendrite.senders import Senders

ADA, BEN, STRANGER, NOBODY = b"a" * 16, b"b" * 16, b"s" * 16, bytes(16)
NAMES = {ADA: "ada", BEN: "ben"}


@pytest.fixture
def senders():
    made = Senders(mock.Mock(user="ada", origin_of=NAMES.get))
    made.on_welcomed()
    return made


def signal(type):
    return Signal(type=type, payload={})


@pytest.mark.parametrize(
    ("type", "caller", "worker", "origin"),
    [
        (SignalType.TASK, ADA, NOBODY, "ada"),
        (SignalType.TASK, ADA, BEN, "ada"),
        (SignalType.AGENT_OUTPUT, ADA, BEN, "ben"),
        (SignalType.THOUGHT_DELTA, ADA, BEN, "ben"),
        (SignalType.PLAN, ADA, NOBODY, "ada"),
        (SignalType.REGISTER, NOBODY, BEN, "ben"),
        (SignalType.PLAN, STRANGER, NOBODY, None),
        (SignalType.PLAN, NOBODY, NOBODY, None),
    ],
)
def test_a_task_is_of_its_caller_and_a_reply_of_its_worker(senders, type, caller, worker, origin):
    copy = signal(type)

    senders.mark_copy(copy, caller, worker)

    assert copy.origin == origin


def test_a_signal_of_ones_own_has_ones_own_name(senders):
    own = signal(SignalType.PLAN)

    senders.mark_own(own)

    assert own.origin == "ada"


def test_nobody_has_a_name_before_a_synapse_has_said_that_it_has_keys():
    transport = mock.Mock(user="", origin_of=NAMES.get)
    senders = Senders(transport)

    senders.on_welcomed()
    assert not senders.have_names
    assert senders.name_of(ADA) is None

    transport.user = "ada"  # another Synapse, under the same URL
    senders.on_welcomed()
    assert senders.have_names
    assert senders.name_of(BEN) == "ben"
