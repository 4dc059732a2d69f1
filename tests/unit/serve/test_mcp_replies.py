"""What an MCP client reads of the Signals of a task."""

import pytest

from cosmonapse.edge.gaps import gap_text
from cosmonapse.errors import SynapseUnreachable
from cosmonapse.serve.mcp_replies import error_reply, progress_of, reply_of
from cosmonapse.signals import Directed, SignalType, made


def signal(type, **payload):
    return made(type, payload, Directed("me", "peer"), None, None, {})


@pytest.mark.parametrize(
    ("told", "text"),
    [
        (signal(SignalType.THOUGHT_DELTA, delta="hm"), "hm"),
        (signal(SignalType.TOOL_CALL, tool_name="fs.read"), "calls fs.read"),
        (signal(SignalType.TOOL_RESULT, tool_name="fs.read", result=1), "fs.read has answered"),
        (signal(SignalType.TOOL_RESULT, tool_name="fs", error="no"), "fs failed: no"),
        (signal(SignalType.PLAN, steps=["a", "b"]), "plan: a; b"),
        (signal(SignalType.MEMORY_APPEND, key="a", value=1), None),
    ],
)
def test_progress_is_told_in_words(told, text):
    assert progress_of(told) == ([] if text is None else [text])


def test_progress_says_what_is_missing_before_the_rest():
    told = signal(SignalType.THOUGHT_DELTA, delta="hm")

    assert progress_of(told, 1)[0].startswith("1 Signal is missing here: ")
    assert progress_of(told, 1)[1:] == ["hm"]
    assert progress_of(told, 1234)[0].startswith("1,234 Signals are missing")
    assert progress_of(signal(SignalType.AGENT_OUTPUT, output={}), 2) == [gap_text(2)]


def test_an_output_is_content_and_the_same_as_text():
    reply = reply_of(signal(SignalType.AGENT_OUTPUT, output={"a": "é", "b": float("nan")}))

    assert reply.content == {"a": "é", "b": None}
    assert reply.text == '{"a": "é", "b": null}'


@pytest.mark.parametrize(
    ("payload", "lines"),
    [
        ({"code": "BAD_INPUT", "message": "a: missing"}, ["BAD_INPUT: a: missing", "Correct"]),
        (
            {"code": "WORKER_LOST", "message": "gone", "recoverable": True},
            ["WORKER_LOST: gone", "The same call may succeed later."],
        ),
        (
            {"code": "OVERLOADED", "message": "full", "recoverable": True, "retry_after_s": 2},
            ["OVERLOADED: full", "The same call may succeed in 2 s."],
        ),
        ({"code": "MY_OWN", "message": "no"}, ["MY_OWN: no"]),
    ],
)
def test_an_error_is_its_code_its_text_and_what_to_do(payload, lines):
    reply = reply_of(signal(SignalType.ERROR, **payload))

    assert reply.content is None
    assert len(reply.text.splitlines()) == len(lines)
    for told, start in zip(reply.text.splitlines(), lines, strict=True):
        assert told.startswith(start)


def test_an_exception_of_the_gateway_names_no_url():
    text = reply_of(SynapseUnreachable("cosmo://10.0.0.1:7070", "refused", "start it")).text

    assert text.startswith("SYNAPSE_UNREACHABLE: ")
    assert "10.0.0.1" not in text
    assert error_reply("CANCELLED", "it ends").content is None
