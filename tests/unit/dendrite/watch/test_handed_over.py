"""What other Dendrites hand over, and for whom our own Signals are meant."""

from unittest import mock

import pytest

from cosmonapse import Signal, SignalType, new_trace_id
from cosmonapse.dendrite.watch.handlers import Handler
from cosmonapse.dendrite.watch.origins import MEANT, Origins, SignalRecipients, meant_for
from cosmonapse.dendrite.watch.subscriptions import Subscriptions
from cosmonapse.ids import id_bytes
from cosmonapse.transport import Recipients

OWN, OTHER, NOBODY = b"own instance id.", b"other instance..", bytes(16)
TRACE = new_trace_id()
STOP = Signal(type=SignalType.STOP, payload={}, trace_id=TRACE)


def sent(signal):
    return signal.type.code, id_bytes(signal.trace_id)


class Heard:
    """Subscriptions over a transport of which only the topics matter."""

    def __init__(self, older=False):
        self.transport = mock.Mock(instance=OWN, older_publishers=older, user="")
        self.subscriptions = Subscriptions(self.transport)
        self.subscriptions.on_welcomed()
        self.topics = self.subscriptions.topics()

    def add(self, **settings):
        """Add a handler that is called at once; return what it gets."""
        got = []
        self.subscriptions.add(Handler(got.append, direct=True, **settings))
        return got

    def hand_over(self, signal):
        self.subscriptions.on_published(OTHER, *sent(signal), signal.encode())

    def copy(self, signal, by_trace=False):
        kind, trace = sent(signal)
        topic = (-1, trace) if by_trace else (kind, b"")
        self.subscriptions.on_heard(*topic, OTHER, NOBODY, [signal.encode()])

    def listened(self):
        return [each.args[0] for each in self.transport.listen.call_args_list]


@pytest.fixture
def heard():
    return Heard()


TYPES = frozenset({SignalType.STOP})


def test_what_is_handed_over_reaches_the_handlers_that_are_meant_and_no_other(heard):
    meant, watching = heard.add(types=TYPES, directed=True), heard.add(types=TYPES)

    heard.hand_over(STOP)

    assert [each.id for each in meant] == [STOP.id]
    assert watching == []


@pytest.mark.parametrize("copy_first", [True, False])
def test_who_listens_as_well_acts_once_and_shows_it_once(heard, copy_first):
    meant, watching = heard.add(types=TYPES, directed=True), heard.add(types=TYPES)
    ways = [heard.hand_over, heard.copy]

    for way in reversed(ways) if copy_first else ways:
        way(STOP)

    assert len(meant) == 1
    assert len(watching) == 1


@pytest.mark.asyncio
async def test_a_handler_of_the_type_and_one_of_the_trace_get_it_each_once(heard):
    of_type = heard.add(types=TYPES, directed=True)
    of_trace = heard.add(types=TYPES, trace_id=TRACE, directed=True)

    heard.copy(STOP)
    heard.copy(STOP, by_trace=True)
    heard.hand_over(STOP)

    assert (len(of_type), len(of_trace)) == (1, 1)


def test_what_no_handler_wants_is_counted(heard):
    heard.hand_over(STOP)

    assert heard.subscriptions.counts == {"drop.no_handler": 1}


def test_bytes_that_are_no_signal_are_counted(heard):
    heard.add(types=TYPES, directed=True)

    heard.subscriptions.on_published(OTHER, *sent(STOP), b"no signal")

    assert heard.subscriptions.counts == {"drop.bad_signal": 1}


def test_a_handler_that_is_handed_over_to_needs_no_subscription(heard):
    heard.add(types=TYPES, directed=True)

    assert heard.listened() == []
    assert not heard.subscriptions.out_of_date


def test_it_needs_one_while_older_dendrites_are_here():
    heard = Heard(older=True)

    heard.add(types=TYPES, directed=True)

    assert heard.listened() == [(SignalType.STOP.code, None)]
    assert heard.subscriptions.out_of_date


def test_it_subscribes_when_the_first_older_one_comes_and_not_any_more_when_they_left(heard):
    heard.add(types=TYPES, directed=True)
    heard.add(types=frozenset({SignalType.PLAN}))
    before = heard.listened()

    for older in (True, True, False, False):
        heard.transport.older_publishers = older
        heard.subscriptions.on_welcomed()

    topic = (SignalType.STOP.code, None)
    assert heard.listened() == [*before, topic]
    heard.transport.unlisten.assert_called_once_with(topic)


def of(signal_type, parent=None, **payload):
    return Signal(type=signal_type, payload=payload, trace_id=TRACE, parent_id=parent and parent.id)


def test_a_stop_is_meant_for_hosts_and_callers():
    assert meant_for(STOP, Origins(), OWN) == (
        Recipients.HOSTS | Recipients.CALLERS,
        NOBODY,
        (),
    )


def test_an_offer_is_meant_for_those_who_offer_its_capabilities():
    offer = of(SignalType.TASK_OFFER, capabilities=["b", "a"])

    assert meant_for(offer, Origins(), OWN) == (Recipients.OFFERS, NOBODY, ("b", "a"))


@pytest.mark.parametrize("capabilities", [[], "a", ["a b"], None, 7])
def test_an_offer_to_no_valid_capabilities_is_meant_for_all_hosts(capabilities):
    offer = of(SignalType.TASK_OFFER, capabilities=capabilities)

    assert meant_for(offer, Origins(), OWN).recipients == Recipients.HOSTS


ANSWERS = {
    SignalType.BID: SignalType.TASK_OFFER,
    SignalType.CLARIFICATION_ANSWER: SignalType.CLARIFICATION,
    SignalType.PERMISSION_DECISION: SignalType.PERMISSION,
    SignalType.TASK_DECLINED: SignalType.CLARIFICATION_ANSWER,
}


@pytest.mark.parametrize(("answer_type", "asked_type"), ANSWERS.items())
def test_an_answer_is_meant_for_the_one_that_asked(answer_type, asked_type):
    origins, asked = Origins(), of(asked_type)
    origins.add(asked, OTHER)

    meant = meant_for(of(answer_type, asked), origins, OWN)

    assert meant == SignalRecipients(Recipients.PEER, OTHER)


@pytest.mark.parametrize("answer_type", ANSWERS)
def test_our_answer_to_ourselves_is_meant_for_nobody_else(answer_type):
    origins, asked = Origins(), of(ANSWERS[answer_type])
    origins.add(asked, OWN)

    assert meant_for(of(answer_type, asked), origins, OWN).recipients == Recipients.NONE


@pytest.mark.parametrize(
    ("answer_type", "recipients"),
    [
        (SignalType.BID, Recipients.CALLERS),
        (SignalType.CLARIFICATION_ANSWER, Recipients.CALLERS),
        (SignalType.PERMISSION_DECISION, Recipients.CALLERS),
        (SignalType.STOPPED, Recipients.NONE),
        (SignalType.TASK_AWARDED, Recipients.NONE),
        (SignalType.TASK_DECLINED, Recipients.NONE),
    ],
)
def test_an_answer_to_one_that_is_not_known(answer_type, recipients):
    assert meant_for(of(answer_type, STOP), Origins(), OWN).recipients == recipients


@pytest.mark.parametrize(("acks", "is_known"), [(True, True), (False, False)])
def test_a_stopped_goes_back_to_who_waits_for_it(acks, is_known):
    origins = Origins()
    stop = Signal(
        type=SignalType.STOP, payload={}, trace_id=TRACE, meta={"acks": True} if acks else {}
    )
    origins.add(stop, OTHER)

    meant = meant_for(of(SignalType.STOPPED, stop), origins, OWN)

    assert (meant.peer == OTHER) == is_known


def test_ten_thousand_origins_are_remembered():
    origins = Origins()
    first, *_ = offers = [of(SignalType.TASK_OFFER) for _ in range(10_001)]

    for offer in offers:
        origins.add(offer, OTHER)

    assert origins.of(first.id) is None
    assert origins.of(offers[1].id) == OTHER


def test_every_other_type_is_meant_for_those_who_listen():
    assert {SignalType.STOP, SignalType.TASK_OFFER, SignalType.STOPPED, *ANSWERS} | {
        SignalType.TASK_AWARDED
    } == MEANT


def test_what_is_handed_over_as_another_type_reaches_nobody(heard):
    meant = heard.add(types=TYPES | {SignalType.PLAN}, directed=True)

    heard.subscriptions.on_published(
        OTHER, SignalType.PLAN.code, id_bytes(STOP.trace_id), STOP.encode()
    )

    assert meant == []
    assert heard.subscriptions.counts == {"drop.bad_signal": 1}
