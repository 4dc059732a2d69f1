"""However often a Neuron asks, every follow-up holds the original input and all the answers."""

from hypothesis import given
from hypothesis import strategies as st

from cosmonapse import Directed, Signal, SignalType
from cosmonapse.dendrite.caller.questions import (
    clarification_answer,
    follow_up,
    permission_decision,
)

KEYS = st.sampled_from(["prompt", "clarifications", "permission", "x"])
INTS = st.integers(-(2**63), 2**64 - 1)  # those that can travel
VALUES = st.none() | st.integers(-9, 9) | st.text(max_size=3) | st.lists(INTS, max_size=2)
INPUTS = VALUES | st.dictionaries(KEYS, VALUES, max_size=3)
ROUNDS = st.lists(st.tuples(st.sampled_from(["clarify", "permit"]), VALUES), min_size=1, max_size=5)


def go_on(task, kind, value):
    """Ask once and answer; return question, answer and the TASK that follows."""
    asker = Directed("asks", "neuron")
    if kind == "clarify":
        payload = {"question": "?"}
        question = task.reply(SignalType.CLARIFICATION, payload=payload, directed=asker)
        answer = clarification_answer(question, value, None)
    else:
        payload = {"action": "act"}
        question = task.reply(SignalType.PERMISSION, payload=payload, directed=asker)
        answer = permission_decision(question, bool(value), None, None)
    return question, answer, follow_up(task, question, answer)


@given(given_input=INPUTS, rounds=ROUNDS)
def test_every_round_keeps_what_was_given_and_adds_its_answer(given_input, rounds):
    first = task = Signal(type=SignalType.TASK, payload={"input": given_input, "context_ref": [1]})
    before = dict(given_input) if isinstance(given_input, dict) else {"value": given_input}
    clarified = []

    for kind, value in rounds:
        question, answer, task = go_on(task, kind, value)

        assert (task.trace_id, task.parent_id) == (first.trace_id, question.id)
        assert task.meta["answer"] == answer.id
        assert task.payload["context_ref"] == [1]
        if kind == "clarify":
            clarified.append(value)
            assert task.payload["input"]["clarification"]["answer"] == value
        else:
            assert task.payload["input"]["permission"]["granted"] is bool(value)

    after = task.payload["input"]
    overwritten = {"clarification", "clarifications", "permission"}
    assert {k: v for k, v in before.items() if k not in overwritten}.items() <= after.items()
    if len(clarified) > 1 and "clarifications" not in before:
        assert [each["answer"] for each in after["clarifications"]] == clarified
    assert first.payload == {"input": given_input, "context_ref": [1]}


@given(given_input=INPUTS, rounds=ROUNDS)
def test_every_follow_up_can_travel(given_input, rounds):
    task = Signal(type=SignalType.TASK, payload={"input": given_input})
    for kind, value in rounds:
        _, _, task = go_on(task, kind, value)

    assert Signal.decode(task.encode()) == task
