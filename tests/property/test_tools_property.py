"""Tools of a model: names that lead back, calls that survive any cutting, loops that end."""

import itertools
import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosmonapse.cards import Card
from cosmonapse.errors import NeuronError
from cosmonapse.neurons.chat import ChatDialect, Sampling
from cosmonapse.neurons.faults import Faults
from cosmonapse.neurons.messages import MessagesDialect
from cosmonapse.neurons.settings import ApiKey
from cosmonapse.neurons.sse import ServerEvent
from cosmonapse.neurons.tool_calls import CallPart, ToolCall, arguments_of, assembled
from cosmonapse.neurons.tool_loop import ToolLoop, ToRun
from cosmonapse.neurons.tool_results import ToolResult, cut
from cosmonapse.tool_definitions import definitions_of, tool_names

IDS = st.text("ab._-", min_size=1, max_size=128).filter(lambda each: each not in {".", ".."})
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.text(max_size=5), JSON, max_size=3)
CALLS = st.lists(st.tuples(st.sampled_from(["a", "b", "none"]), OBJECTS), min_size=1, max_size=4)
COMMON = {
    "faults": Faults("vendor", ApiKey("k")),
    "url": "http://host",
    "model": "m",
    "sampling": Sampling(max_new_tokens=5),
    "stream": True,
}
DIALECTS = [ChatDialect(**COMMON), MessagesDialect(**COMMON)]


@given(st.sets(IDS, max_size=12), st.randoms())
def test_every_neuron_has_a_name_of_its_own_whatever_their_order(ids, random):
    shuffled = list(ids)
    random.shuffle(shuffled)

    names = tool_names(shuffled)

    assert names == tool_names(sorted(ids))
    assert set(names) == ids
    assert len(set(names.values())) == len(ids)
    assert all(re.fullmatch("[A-Za-z0-9_-]{1,64}", name) for name in names.values())


@given(st.sets(IDS, max_size=12))
def test_each_name_leads_back_to_its_neuron(ids):
    tools = definitions_of(Card(neuron_id=each) for each in ids)

    assert {tools.neuron_of(tool.name) for tool in tools} == ids


def cut_at(text, cuts):
    edges = sorted({0, len(text), *(cut % (len(text) + 1) for cut in cuts)})
    return [text[start:end] for start, end in itertools.pairwise(edges)]


def chat_events(calls, cuts):
    for index, (name, args) in enumerate(calls):
        first = {"index": index, "id": f"c{index}", "function": {"name": name, "arguments": ""}}
        pieces = cut_at(json.dumps(args), cuts)
        parts = [{"index": index, "function": {"arguments": each}} for each in pieces]
        for part in (first, *parts):
            yield {"choices": [{"delta": {"tool_calls": [part]}}]}
    yield {"choices": [{"delta": {}, "finish_reason": "tool_calls"}]}


def message_events(calls, cuts):
    for index, (name, args) in enumerate(calls):
        block = {"type": "tool_use", "id": f"c{index}", "name": name, "input": {}}
        yield {"type": "content_block_start", "index": index, "content_block": block}
        for each in cut_at(json.dumps(args), cuts):
            delta = {"type": "input_json_delta", "partial_json": each}
            yield {"type": "content_block_delta", "index": index, "delta": delta}
    yield {"type": "message_delta", "delta": {"stop_reason": "tool_use"}}


@pytest.mark.parametrize(
    ("dialect", "events"),
    list(zip(DIALECTS, [chat_events, message_events], strict=True)),
)
@given(calls=CALLS, cuts=st.lists(st.integers(0, 1000), max_size=6))
def test_streamed_calls_are_whole_wherever_their_arguments_are_cut(dialect, events, calls, cuts):
    reader = dialect.reader()

    for event in events(calls, cuts):
        reader.feed(ServerEvent(json.dumps(event)))

    found = reader.output(runs_tools=True)["calls"]
    assert [(call.id, call.name) for call in found] == [
        (f"c{index}", name) for index, (name, _) in enumerate(calls)
    ]
    assert [arguments_of(call) for call in found] == [args for _, args in calls]


@given(st.lists(st.integers(0, 2), max_size=20))
def test_parts_of_several_calls_may_come_in_turns(order):
    parts = [CallPart(index, f"c{index}", f"n{index}") for index in range(3)]
    parts += [CallPart(index, arguments=str(number)) for number, index in enumerate(order)]

    calls = assembled(parts)

    assert [call.name for call in calls] == ["n0", "n1", "n2"]
    for index, call in enumerate(calls):
        assert call.arguments == "".join(str(n) for n, each in enumerate(order) if each == index)


@given(st.text())
def test_whatever_a_model_writes_as_arguments_is_an_object_or_a_text_for_the_model(text):
    try:
        found = arguments_of(ToolCall("c", "n", text))
    except ValueError as error:
        assert "call it again" in str(error)  # noqa: PT017, either is right
    else:
        assert isinstance(found, dict)


@pytest.mark.parametrize("dialect", DIALECTS)
@given(turns=st.lists(CALLS, max_size=12), max_turns=st.integers(1, 9))
def test_every_loop_ends_and_every_call_is_answered_once(dialect, turns, max_turns):
    tools = definitions_of([Card(neuron_id="a"), Card(neuron_id="b")])
    loop = ToolLoop(dialect, tools, [{"role": "user", "content": "?"}], max_turns)
    ran = []
    try:
        for turn, calls in enumerate(turns):
            made = tuple(
                ToolCall(f"{turn}-{number}", name, json.dumps(args))
                for number, (name, args) in enumerate(calls)
            )
            decided = loop.take({"response": "", "calls": made})
            assert [each.call for each in decided] == list(made)
            ran += [(each.neuron_id, str(each.args)) for each in decided if type(each) is ToRun]
            loop.give([ToolResult(each.call, "ok") for each in decided])
    except NeuronError as error:
        assert error.code == "TOOL_LOOP"  # noqa: PT017, it may also end before
    assert loop.turn_count <= max_turns
    assert all(ran.count(each) <= 3 for each in ran)
    json.dumps(loop.request())


@given(st.text(), st.integers(100, 200))
def test_a_result_that_is_cut_has_a_note_and_its_beginning(text, limit):
    shown = cut(text * 9, limit)

    kept, _, note = shown.partition("\n[cut: ") if "\n[cut: " in shown else (shown, "", "")
    assert len(kept.encode()) <= limit
    assert bool(note) == (len((text * 9).encode("utf-8", "replace")) > limit)
