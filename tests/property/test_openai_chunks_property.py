"""Whatever a Neuron says and gives, a client of OpenAI's API gets valid pieces, and all of it."""

import json

from hypothesis import given
from hypothesis import strategies as st

from cosmonapse import Signal, SignalType
from cosmonapse.neurons.answers import OUTPUT_TEXT_KEYS
from cosmonapse.serve.openai.chunks import ChatChunks
from cosmonapse.serve.openai.completions import completion, said_in_output

# A text of any code points, lone surrogates too: they cannot cross the wire, but nothing may break.
TEXTS = st.text(st.characters(codec=None), max_size=20)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.binary(max_size=5) | TEXTS
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
CALL_KEYS = st.sampled_from(["id", "type", "function", "name", "arguments"])
CALLS = st.lists(st.dictionaries(CALL_KEYS, VALUES | st.dictionaries(CALL_KEYS, VALUES)))
KNOWN = (*OUTPUT_TEXT_KEYS, "reasoning", "finish_reason", "stop_reason", "usage", "tool_calls")
OUTPUTS = st.dictionaries(st.sampled_from(KNOWN) | TEXTS, VALUES | TEXTS | CALLS, max_size=5)
THOUGHTS = st.lists(st.tuples(TEXTS, st.booleans(), st.booleans()), max_size=6)
REASONS = {"stop", "length", "tool_calls", "content_filter"}


def thought(text, is_reasoning):
    kind = {"kind": "reasoning"} if is_reasoning else {}
    return Signal(type=SignalType.THOUGHT_DELTA, payload={"delta": text, **kind})


def streamed(thoughts, output):
    chunks = ChatChunks("chatcmpl-1", 1, "m", include_usage=True)
    out = chunks.opening()
    for text, is_reasoning, is_read in thoughts:
        chunks.take(thought(text, is_reasoning))
        out += chunks.pop() if is_read else b""
    chunks.take(Signal(type=SignalType.AGENT_OUTPUT, payload={"output": output}))
    return out + chunks.end()


def joined(deltas, key):
    return "".join(delta.get(key) or "" for delta in deltas)


@given(thoughts=THOUGHTS, output=OUTPUTS)
def test_a_stream_of_anything_is_valid_and_whole(thoughts, output):
    *events, done, after = streamed(thoughts, output).decode().split("\n\n")
    bodies = [json.loads(event.removeprefix("data: ")) for event in events]
    choices = [body["choices"][0] for body in bodies[:-1]]
    deltas = [choice["delta"] for choice in choices]

    assert (done, after) == ("data: [DONE]", "")
    assert all("\n" not in event for event in events)
    assert bodies[-1]["choices"] == []
    assert all(
        type(each) is int
        for each in bodies[-1]["usage"].values()
        if each != {} and not isinstance(each, dict)
    )
    assert [choice["finish_reason"] for choice in choices[:-1]] == [None] * (len(choices) - 1)
    assert choices[-1]["finish_reason"] in REASONS
    said = "".join(text for text, is_reasoning, _ in thoughts if not is_reasoning)
    assert joined(deltas, "content").startswith(said)
    text = next((output[key] for key in OUTPUT_TEXT_KEYS if isinstance(output.get(key), str)), "")
    assert joined(deltas, "content").strip().endswith(text.strip())


@given(output=OUTPUTS)
def test_a_plain_answer_of_anything_is_valid(output):
    body = completion(said_in_output(output), "chatcmpl-1", 1, "m")
    message = body["choices"][0]["message"]

    assert isinstance(message["content"], str) or message["tool_calls"]
    for call in message.get("tool_calls", ()):
        assert isinstance(call["id"], str)
        assert isinstance(call["function"]["name"], str)
        assert isinstance(call["function"]["arguments"], str)
    assert body["usage"]["total_tokens"] >= 0
