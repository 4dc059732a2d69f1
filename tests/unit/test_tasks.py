"""TASK Signals: their destination, their payload, a further attempt."""

import re

import pytest

from cosmonapse import BadSignal
from cosmonapse.tasks import context_ref_in, repeated, task_for


def test_a_further_attempt_is_a_new_task_with_the_id_of_the_first_as_its_key():
    first = task_for("echo", None, {"a": 1}, meta={"note": 1})

    second = repeated(first, 2)

    assert second.id != first.id
    assert (second.trace_id, second.payload, second.directed) == (
        first.trace_id,
        first.payload,
        first.directed,
    )
    assert second.meta == {"note": 1, "attempt": 2, "idempotency_key": first.id}
    assert first.meta == {"note": 1}


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"neuron": None}, ValueError),
        ({"capabilities": ["chat"]}, ValueError),
        ({"neuron": None, "capabilities": []}, ValueError),
        ({"neuron": "no name"}, ValueError),
        ({"parent_id": "mine"}, BadSignal),
        ({"meta": ["note"]}, TypeError),
    ],
)
def test_a_task_that_is_wrong_is_refused(wrong, error):
    with pytest.raises(error):
        task_for(**{"neuron": "echo", "capabilities": None, "input": {}, **wrong})


def test_a_task_holds_what_it_was_given():
    task = task_for(None, ["fr", "chat"], 1, context_ref=[2], finalize=True, meta={"m": 3})

    assert task.payload == {
        "input": 1,
        "capabilities": list(task.directed.capabilities),
        "context_ref": [2],
        "finalize": True,
    }
    assert set(task.directed.capabilities) == {"fr", "chat"}
    assert task.meta == {"m": 3}


@pytest.mark.parametrize(
    ("text", "context_ref"),
    [
        ("s1", "s1"),
        ("Ada's chat", "Ada's chat"),
        ('{"session": "s1", "last": 2}', {"session": "s1", "last": 2}),
        (' [{"role": "user", "content": "hi"}]', [{"role": "user", "content": "hi"}]),
    ],
)
def test_a_context_ref_is_a_text_or_json_by_how_it_begins(text, context_ref):
    assert context_ref_in(text) == context_ref


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (" ", "must not be empty: give the name of a session, or JSON"),
        ('{"session": }', "begins with { or [ is JSON: Expecting value"),
        ("[" * 100_000, "begins with { or [ is JSON: it cannot be read"),
    ],
)
def test_a_context_ref_that_is_none_is_refused_with_what_it_may_be(text, told):
    with pytest.raises(ValueError, match=re.escape(told)):
        context_ref_in(text)
