"""The table finds exactly the handlers that want a Signal."""

from hypothesis import given
from hypothesis import strategies as st

from cosmonapse.dendrite.watch.handlers import Handler, HandlerTable
from cosmonapse.dendrite.watch.trace_order import SeenIds
from cosmonapse.signals import Directed, Signal, SignalType

TYPES = st.sampled_from([SignalType.TASK, SignalType.ERROR, SignalType.PLAN])
TRACES = st.sampled_from(["trc_" + letter * 26 for letter in "abc"])
NEURONS = st.sampled_from(["n1", "n2"])
ABILITIES = st.sampled_from(["x", "y"])
SIGNALS = st.builds(
    lambda kind, trace, directed: Signal(type=kind, trace_id=trace, directed=directed),
    TYPES,
    TRACES,
    st.none() | st.builds(Directed, NEURONS, st.none(), st.lists(ABILITIES).map(tuple)),
)


@st.composite
def handlers(draw):
    number = draw(st.integers(0, 3))
    types = draw(st.frozensets(TYPES))
    trace_id = draw(TRACES if not types else st.none() | TRACES)
    neuron = draw(st.none() | NEURONS)
    capability = draw(st.none() | ABILITIES)
    return Handler(FUNCTIONS[number], types, neuron, capability, trace_id)


FUNCTIONS = [lambda signal, n=n: n for n in range(4)]


def wants(handler, signal):
    directed = signal.directed or Directed()
    return (
        (not handler.types or signal.type in handler.types)
        and handler.trace_id in (None, signal.trace_id)
        and handler.neuron in (None, directed.id)
        and (handler.capability is None or handler.capability in directed.capabilities)
    )


@given(added=st.lists(handlers(), max_size=8), removed=st.sets(st.integers(0, 3)), signal=SIGNALS)
def test_the_table_finds_whom_a_list_would_find(added, removed, signal):
    table, model = HandlerTable(), list(added)
    for handler in added:
        table.add(handler)
    for number in removed:
        out = [each for each in model if each.function is FUNCTIONS[number]]
        assert set(table.remove(FUNCTIONS[number])) == set(out)
        model = [each for each in model if each not in out]

    found = table.of(signal)

    assert len(found) == len(set(found))
    assert set(found) == {each for each in model if wants(each, signal)}
    by_type = [each for each in found if each.trace_id is None]
    assert by_type == [each for each in model if each in by_type]
    assert table.may_want(signal.type, signal.trace_id) or not found
    assert bool(table) == bool(model)


@given(ids=st.lists(st.integers(0, 9)), capacity=st.integers(1, 5))
def test_once_forgets_the_oldest_first(ids, capacity):
    seen, model = SeenIds(capacity), []
    for each in ids:
        assert seen.add(str(each)) == (each not in model)
        if each not in model:
            model = [*model, each][-capacity:]
