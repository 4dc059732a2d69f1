"""Which handlers want a Signal."""

import pytest

from cosmonapse import Directed, Signal, SignalType, new_trace_id
from cosmonapse.dendrite.watch.handlers import Handler, HandlerTable
from cosmonapse.dendrite.watch.trace_order import SeenIds

OUTPUT, ERROR = SignalType.AGENT_OUTPUT, SignalType.ERROR
ECHO = Directed("echo", "neuron", ("chat", "fr"))
TRACE = new_trace_id()


def saw(signal):
    """Stand for a handler of a user."""


def also_saw(signal):
    """Stand for another."""


def signal(type=OUTPUT, directed=ECHO, trace_id=TRACE):
    return Signal(type=type, directed=directed, trace_id=trace_id)


def handler(function=saw, types=(OUTPUT,), **filters):
    return Handler(function, frozenset(types), **filters)


@pytest.mark.parametrize(
    ("filters", "wanted"),
    [
        ({}, True),
        ({"types": (OUTPUT, ERROR)}, True),
        ({"types": (ERROR,)}, False),
        ({"neuron": "echo"}, True),
        ({"neuron": "other"}, False),
        ({"capability": "fr"}, True),
        ({"capability": "de"}, False),
        ({"trace_id": TRACE}, True),
        ({"trace_id": new_trace_id()}, False),
        ({"types": (), "trace_id": TRACE}, True),
        ({"neuron": "echo", "capability": "de"}, False),
    ],
)
def test_a_signal_must_pass_every_filter(filters, wanted):
    assert handler(**filters).wants(signal()) is wanted


@pytest.mark.parametrize("filters", [{"neuron": "echo"}, {"capability": "chat"}])
def test_a_signal_of_nobody_passes_no_filter_on_its_producer(filters):
    assert not handler(**filters).wants(signal(directed=None))


def test_a_handler_of_everything_is_refused():
    with pytest.raises(ValueError, match="at least one Signal type"):
        Handler(saw)


def test_a_handler_is_named_as_its_function():
    assert handler().name == "saw"


def test_those_who_want_a_signal_are_found_oldest_first():
    table = HandlerTable()
    handlers = [handler(), handler(also_saw), handler(types=(ERROR,))]
    for each in handlers:
        table.add(each)

    assert table.of(signal()) == handlers[:2]
    assert table.of(signal(ERROR)) == handlers[2:]
    assert table.of(signal(SignalType.PLAN)) == []


def test_a_handler_of_a_trace_sees_each_signal_once():
    table = HandlerTable()
    on_trace = handler(trace_id=TRACE)
    table.add(on_trace)

    assert table.of(signal()) == [on_trace]
    assert table.of(signal(trace_id=new_trace_id())) == []


def test_it_is_known_before_decoding_whether_anybody_could_want_a_signal():
    table = HandlerTable()
    table.add(handler(neuron="echo"))
    table.add(handler(types=(), trace_id=TRACE))

    assert table.may_want(OUTPUT, "another trace")
    assert table.may_want(None, TRACE)
    assert not table.may_want(ERROR, "another trace")


def test_every_handler_of_a_function_is_removed_at_once():
    table = HandlerTable()
    kept = handler(also_saw)
    table.add(handler(types=(OUTPUT, ERROR)))
    table.add(handler(trace_id=TRACE))
    table.add(kept)

    removed = table.remove(saw)

    assert [each.function for each in removed] == [saw, saw]
    assert table.of(signal()) == [kept]
    assert table.remove(saw) == []
    table.remove(also_saw)
    assert not table


def test_a_signal_that_comes_by_type_and_by_trace_passes_once():
    seen = SeenIds()

    assert [seen.add(each) for each in ("a", "b", "a", "b", "c")] == [
        True,
        True,
        False,
        False,
        True,
    ]


def test_the_oldest_signal_is_forgotten_first():
    seen = SeenIds(capacity=2)
    for each in "abc":
        seen.add(each)

    assert not seen.add("b")
    assert seen.add("a")
