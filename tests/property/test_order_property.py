"""Whatever becomes of the copies, all Signals of a trace pass once; with all copies, in order."""

from hypothesis import given
from hypothesis import strategies as st

from cosmonapse import Signal, SignalType
from cosmonapse.dendrite.watch.trace_order import HOLD_S, TraceOrder
from cosmonapse.ids import new_event_id

TASKS = [new_event_id() for _ in range(3)]
PLANS = st.lists(
    st.tuples(
        st.sampled_from(TASKS),  # what it belongs to
        st.booleans(),  # whether it is our own
        st.booleans(),  # whether its copy is lost
    ),
    max_size=30,
)


def stories(plan):
    """Return the Signals as the Synapse sees them, and which copies are lost."""
    signals = [
        Signal(type=SignalType.THOUGHT_DELTA, parent_id=task, payload={"n": n})
        for n, (task, _, _) in enumerate(plan)
    ]
    ours = [signal for signal, (_, own, _) in zip(signals, plan, strict=True) if own]
    lost = {signal.id for signal, (_, own, gone) in zip(signals, plan, strict=True) if own and gone}
    return signals, ours, lost


def run(signals, ours, lost, data):
    """Let direct Signals and copies come in any interleaving, each in its own order."""
    order, passed = TraceOrder(), []
    direct, copies = list(ours), [each for each in signals if each.id not in lost]
    while direct or copies:
        takes_copy = bool(copies) and (not direct or data.draw(st.booleans()))
        if takes_copy:
            passed += order.heard(copies.pop(0))
        else:
            order.own(direct.pop(0), 10.0)
    return order, passed


@given(plan=PLANS, data=st.data())
def test_everything_passes_exactly_once_whatever_is_lost(plan, data):
    signals, ours, lost = stories(plan)

    order, passed = run(signals, ours, lost, data)
    left = order.due(10.0 + HOLD_S)

    assert sorted(each.id for each in passed + left) == sorted(each.id for each in signals)
    assert {each.id for each in left} <= lost
    assert order.next_at_s() is None
    assert order.due(1e9) == []


@given(plan=PLANS, data=st.data())
def test_with_no_copy_lost_the_order_is_that_of_the_synapse(plan, data):
    signals, ours, _ = stories(plan)

    order, passed = run(signals, ours, set(), data)

    assert passed == signals
    assert order.next_at_s() is None


@given(plan=PLANS, data=st.data())
def test_what_belongs_to_one_task_stays_in_order_if_ours_is_there_before_its_copies(plan, data):
    signals, ours, lost = stories([(task, True, gone) for task, _, gone in plan])
    order, passed = TraceOrder(), []
    for each in ours:
        order.own(each, 10.0)

    for each in signals:
        if each.id not in lost:
            passed += order.heard(each)
    passed += order.due(10.0 + HOLD_S)

    for task in TASKS:
        of_task = [each for each in passed if each.parent_id == task]
        assert of_task == [each for each in signals if each.parent_id == task]


@given(at_s=st.lists(st.floats(0.0, 5.0), max_size=20), now_s=st.floats(0.0, 6.0))
def test_due_releases_what_is_held_too_long_and_nothing_else(at_s, now_s):
    order = TraceOrder()
    held = [(Signal(type=SignalType.PLAN, payload={"n": n}), at) for n, at in enumerate(at_s)]
    for signal, at in sorted(held, key=lambda each: each[1]):
        order.own(signal, at)

    due = order.due(now_s)

    assert {each.id for each in due} == {signal.id for signal, at in held if at <= now_s - HOLD_S}
    left = [at for _, at in held if at > now_s - HOLD_S]
    assert order.next_at_s() == (min(left) + HOLD_S if left else None)
