"""The turns of a model with tools: which calls run, what they cost, and when it ends."""

import pytest

from cosmonapse.cards import Card
from cosmonapse.errors import NeuronError
from cosmonapse.neurons.chat import ChatDialect, Sampling
from cosmonapse.neurons.faults import Faults
from cosmonapse.neurons.settings import ApiKey
from cosmonapse.neurons.tool_calls import CallPart, ToolCall, assembled, object_of
from cosmonapse.neurons.tool_loop import Refused, ToolLoop, ToRun, summed
from cosmonapse.tool_definitions import definitions_of

DIALECT = ChatDialect(
    faults=Faults("vendor", ApiKey("k")),
    url="http://host",
    model="m",
    sampling=Sampling(max_new_tokens=5),
    stream=False,
)


def loop(max_turns=8):
    return ToolLoop(DIALECT, definitions_of([Card(neuron_id="a.b")]), [], max_turns)


def call(arguments="{}", name="a_b", id="c1"):
    return ToolCall(id, name, arguments)


def taken(turns, *calls):
    return turns.take({"response": "", "calls": calls, "usage": {"n": 1}})


def test_an_answer_without_calls_is_the_end_and_has_what_all_turns_cost():
    turns = loop()
    taken(turns, call(), call('{"x": 1}'))

    assert turns.take({"response": "So.", "usage": {"n": 2}}) == []
    assert turns.final({"response": "So."}) == {
        "response": "So.",
        "usage": {"n": 3},
        "turns": 2,
        "tool_calls": 2,
    }


def test_a_call_without_an_id_gets_one_and_a_repeated_id_is_new_on_the_trace():
    turns = loop()

    nameless, first, second = taken(turns, call(id=""), call('{"x": 1}'), call('{"x": 2}'))

    assert (nameless.call.id, nameless.call_id) == ("call_1_0", None)
    assert (first.call_id, second.call_id) == ("c1", None)


def test_over_so_many_calls_at_once_the_rest_is_not_run():
    decided = taken(loop(), *(call(f'{{"n": {n}}}') for n in range(33)))

    assert [type(each) for each in decided] == [ToRun] * 32 + [Refused]
    assert decided[-1].text == "not run: at most 32 calls at once"


@pytest.mark.parametrize("arguments", ["", "{}", '{"x": "the beg', '{"x": 2}'])
def test_the_last_call_of_an_answer_that_was_cut_is_not_run(arguments):
    turns = loop()
    calls = (call('{"x": 1}'), call(arguments, id="c2"))

    first, last = turns.take({"response": "", "calls": calls, "finish_reason": "length"})

    assert isinstance(first, ToRun)
    assert isinstance(last, Refused)
    assert (last.neuron_id, last.text[:36]) == ("a.b", "not run: your answer was cut at its ")


def test_a_loop_that_ends_after_answers_that_were_cut_says_which_limit_to_raise():
    turns = loop(max_turns=2)
    cut = {"response": "", "calls": (call("{", name="none"),), "finish_reason": "length"}

    (refused,) = turns.take(dict(cut))
    with pytest.raises(NeuronError, match="2 of its answers were cut: raise max_new_tokens"):
        turns.take(dict(cut))

    assert refused.neuron_id == "none"


def test_the_same_arguments_in_another_order_are_the_same_call():
    turns = loop()
    for given in ('{"a": 1, "b": 2}', '{"b": 2, "a": 1}', '{"a":1,"b":2}'):
        taken(turns, call(given))

    (refused,) = taken(turns, call('{"b":2,"a":1}'))

    assert "was called 3 times with these arguments" in refused.text
    with pytest.raises(NeuronError, match="TOOL_LOOP: the model runs in circles"):
        taken(turns, call('{"a": 1, "b": 2}'))


def test_malformed_arguments_go_back_to_the_provider_as_an_empty_object():
    turns = loop()

    (refused,) = taken(turns, call('{"a": '))

    assert refused.neuron_id == "a.b"
    assert turns.messages[0]["tool_calls"][0]["function"]["arguments"] == "{}"


@pytest.mark.parametrize("number", ["1e999", "-1e999", "Infinity", "NaN"])
def test_a_number_that_no_request_can_hold_is_told_to_the_model(number):
    turns = loop()
    (refused,) = taken(turns, call(f'{{"x": {number}}}'))

    assert isinstance(refused, Refused)
    assert f"{number} is no number that can be sent" in refused.text
    assert object_of(refused.call) == {}


@pytest.mark.parametrize(("index", "id"), [(None, "c"), (0, "c"), (0, "")])
def test_whole_calls_with_one_id_are_several_and_each_has_a_result(index, id):
    parts = [
        CallPart(index, id, "a_b", '{"x": '),
        CallPart(index, id, "a_b", "1}"),  # some repeat the name with each part
        CallPart(index, id, "a_b", '{"x": 2}'),
        CallPart(index, id, "c_d", ""),
    ]
    calls = assembled(parts)
    assert [(each.name, each.arguments) for each in calls] == [
        ("a_b", '{"x": 1}'),
        ("a_b", '{"x": 2}'),
        ("c_d", ""),
    ]

    ids = [each.call.id for each in taken(loop(), *calls)]
    assert len(set(ids)) == 3
    assert all(ids)


def test_usages_are_summed_by_their_keys_also_within():
    before = {"n": 1, "details": {"cached": 2}, "tier": "a", "none": None}
    after = {"n": 2, "details": {"cached": 3, "new": 4}, "tier": "b"}

    assert summed(before, after) == {
        "n": 3,
        "details": {"cached": 5, "new": 4},
        "tier": "b",
        "none": None,
    }
    assert summed(None, {"n": 1}) == {"n": 1}
