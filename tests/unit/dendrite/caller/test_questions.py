"""Questions, their answers, and the TASK that an answer leads to."""

import pytest

from cosmonapse import DendriteProtocolError, Directed, InvalidName, Signal, SignalType
from cosmonapse.dendrite.caller.questions import (
    ANSWER_OF,
    clarification_answer,
    escalation_answer,
    follow_up,
    permission_decision,
)
from cosmonapse.signals import QUESTIONS

ASKED = Directed("asks", "neuron", ("chat",))


def task_of(input, **payload):
    return Signal(
        type=SignalType.TASK,
        payload={"input": input, **payload},
        directed=Directed(None, "neuron", ("chat",)),
        meta={"note": "kept"},
    )


def question_of(task, kind=SignalType.CLARIFICATION, **payload):
    return task.reply(kind, payload=payload, directed=ASKED)


@pytest.fixture
def task():
    return task_of({"prompt": "go"}, capabilities=["chat"], context_ref=[1], finalize=True)


def test_an_answer_follows_its_question_on_the_same_trace(task):
    question = question_of(task, question="which?")

    answer = clarification_answer(question, "this", None)

    assert answer.type is SignalType.CLARIFICATION_ANSWER
    assert (answer.trace_id, answer.parent_id) == (task.trace_id, question.id)
    assert answer.payload == {"answer": "this"}


def test_a_follow_up_has_the_original_input_and_the_answer_beside_it(task):
    question = question_of(task, question="which?")
    answer = clarification_answer(question, "this", {"tone": "plain"})

    signal = follow_up(task, question, answer)

    assert signal.payload["input"] == {
        "prompt": "go",
        "tone": "plain",
        "clarification": {"question": "which?", "answer": "this"},
    }
    assert (signal.trace_id, signal.parent_id) == (task.trace_id, question.id)
    assert signal.id != task.id
    assert task.payload["input"] == {"prompt": "go"}


def test_a_follow_up_goes_to_the_neuron_that_asked_and_keeps_the_rest_of_the_task(task):
    question = question_of(task, question="which?")

    signal = follow_up(task, question, clarification_answer(question, "this", None))

    assert signal.directed == Directed("asks", "neuron")
    assert "capabilities" not in signal.payload
    assert (signal.payload["context_ref"], signal.payload["finalize"]) == ([1], True)
    assert signal.meta["note"] == "kept"


def test_a_follow_up_names_the_answer_that_it_goes_on_with(task):
    question = question_of(task, question="which?")
    answer = clarification_answer(question, "this", None)

    assert follow_up(task, question, answer).meta["answer"] == answer.id


def test_a_question_that_does_not_say_who_asks_goes_back_where_the_task_went(task):
    question = task.reply(SignalType.CLARIFICATION, payload={"question": "?"})

    signal = follow_up(task, question, clarification_answer(question, "this", None))

    assert signal.directed == task.directed


def test_an_input_that_is_no_dict_is_wrapped():
    task = task_of("go")
    question = question_of(task, question="which?")

    signal = follow_up(task, question, clarification_answer(question, "this", None))

    assert signal.payload["input"]["value"] == "go"


def test_several_clarifications_are_all_there_and_the_newest_has_the_name(task):
    for answered in ("one", "two", "three"):
        question = question_of(task, question=f"{answered}?")
        task = follow_up(task, question, clarification_answer(question, answered, None))

    given = task.payload["input"]
    assert given["clarification"] == {"question": "three?", "answer": "three"}
    assert [each["answer"] for each in given["clarifications"]] == ["one", "two", "three"]
    assert given["prompt"] == "go"


def test_an_input_with_odd_keys_of_these_names_is_no_obstacle():
    task = task_of({"clarification": "mine", "clarifications": 5})
    question = question_of(task, question="which?")

    signal = follow_up(task, question, clarification_answer(question, "this", None))

    assert signal.payload["input"]["clarification"]["answer"] == "this"
    assert signal.payload["input"]["clarifications"][-1]["answer"] == "this"


@pytest.mark.parametrize("granted", [True, False])
def test_a_decision_says_what_was_asked_and_whether_it_is_granted(granted, task):
    question = question_of(task, SignalType.PERMISSION, action="delete")

    signal = follow_up(task, question, permission_decision(question, granted, "so", 500))

    assert signal.payload["input"] == {
        "prompt": "go",
        "permission": {"action": "delete", "granted": granted, "reason": "so", "ttl_ms": 500},
    }


def test_a_decision_without_a_reason_has_none(task):
    question = question_of(task, SignalType.PERMISSION, action="delete")

    assert permission_decision(question, False, None, None).payload == {"granted": False}


@pytest.mark.parametrize("granted", [1, "yes", None])
def test_a_decision_is_true_or_false(granted, task):
    question = question_of(task, SignalType.PERMISSION, action="delete")

    with pytest.raises(TypeError, match="True or False"):
        permission_decision(question, granted, None, None)


def test_an_escalation_goes_on_with_a_new_input_at_the_neuron_that_escalated(task):
    question = question_of(task, SignalType.ESCALATION, reason="too hard")

    signal = follow_up(task, question, escalation_answer(question, {"easy": True}, None))

    assert signal.payload["input"] == {"easy": True}
    assert signal.directed.id == "asks"


@pytest.mark.parametrize(
    ("target", "neuron", "goes_to"),
    [("senior", None, "senior"), (None, "other", "other"), ("senior", "other", "other")],
)
def test_an_escalation_goes_on_with_the_old_input_at_somebody_else(target, neuron, goes_to, task):
    question = question_of(task, SignalType.ESCALATION, reason="too hard", target=target)

    signal = follow_up(task, question, escalation_answer(question, None, neuron))

    assert signal.payload["input"] == {"prompt": "go"}
    assert signal.directed == Directed(goes_to, "neuron")


def test_an_escalation_needs_another_input_or_another_neuron(task):
    question = question_of(task, SignalType.ESCALATION, reason="too hard")

    with pytest.raises(DendriteProtocolError, match="needs input=, neuron= or a target"):
        escalation_answer(question, None, None)


def test_an_escalation_goes_to_names_only(task):
    question = question_of(task, SignalType.ESCALATION, reason="too hard", target="no name")

    with pytest.raises(InvalidName):
        escalation_answer(question, None, None)


def answer_of(question, kind):
    answers = {
        SignalType.CLARIFICATION: lambda: clarification_answer(question, "a", None),
        SignalType.PERMISSION: lambda: permission_decision(question, True, None, None),
        SignalType.ESCALATION: lambda: escalation_answer(question, {}, None),
    }
    return answers[kind]()


@pytest.mark.parametrize("kind", sorted(QUESTIONS))
@pytest.mark.parametrize("other", sorted({*QUESTIONS, SignalType.AGENT_OUTPUT}))
def test_each_answer_belongs_to_questions_of_its_own_type(kind, other, task):
    if kind == other:
        assert answer_of(question_of(task, kind), kind).type is ANSWER_OF[kind]
        return

    with pytest.raises(DendriteProtocolError, match=f"expected a {kind}.*got a.* {other}"):
        answer_of(question_of(task, other), kind)


def test_a_follow_up_takes_no_answer_to_another_type_of_question(task):
    clarification = question_of(task, question="which?")
    permission = question_of(task, SignalType.PERMISSION, action="delete")

    with pytest.raises(DendriteProtocolError, match="CLARIFICATION_ANSWER"):
        follow_up(task, permission, clarification_answer(clarification, "this", None))


def test_a_follow_up_goes_to_names_only(task):
    question = question_of(task, question="which?")
    answer = question.reply(SignalType.CLARIFICATION_ANSWER, payload={"neuron": "no name"})

    with pytest.raises(InvalidName):
        follow_up(task, question, answer)


@pytest.mark.parametrize("granted", [None, "yes", 1])
def test_a_decision_that_grants_neither_nor_is_no_answer(task, granted):
    question = question_of(task, SignalType.PERMISSION, action="delete")
    decision = question.reply(SignalType.PERMISSION_DECISION, payload={"granted": granted})

    with pytest.raises(DendriteProtocolError, match="granted must be true or false"):
        follow_up(task, question, decision)
