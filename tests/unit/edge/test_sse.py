"""Signals as server-sent events."""

import pytest

from cosmonapse.edge.sse import CUT_OFF, KEEP_ALIVE, event, event_of, is_over
from cosmonapse.signals import Signal, SignalType

TRACE = "trc_" + "a" * 26


@pytest.mark.parametrize(
    ("type", "payload", "told"),
    [
        (
            SignalType.THOUGHT_DELTA,
            {"delta": "a\nb", "seq": 0},
            b'thought\ndata: {"delta": "a\\nb"',
        ),
        (SignalType.AGENT_OUTPUT, {"output": {"n": 1}}, b'output\ndata: {"n": 1}'),
        (SignalType.FINAL, {"result": {"n": 1}}, b'output\ndata: {"n": 1}'),
        (SignalType.CLARIFICATION, {"question": "Which?"}, b'question\ndata: {"error": "the Neur'),
        (SignalType.TOOL_CALL, {"tool_name": "t"}, b'tool_call\ndata: {"tool_name": "t"}'),
        (SignalType.PLAN, {"steps": ["a"]}, b'plan\ndata: {"steps": ["a"]}'),
    ],
)
def test_each_type_has_its_event(type, payload, told):
    said = event_of(Signal(type=type, payload=payload, trace_id=TRACE))

    last = type not in (SignalType.THOUGHT_DELTA, SignalType.TOOL_CALL, SignalType.PLAN)
    assert said.startswith(b"event: " + told)
    assert said.endswith(f"}}\nid: end-{TRACE}\n\n".encode() if last else b"}\n\n")


def test_an_error_event_has_the_body_of_an_error_answer():
    payload = {"code": "NO_GOOD", "message": "why", "recoverable": False}

    said = event_of(Signal(type=SignalType.ERROR, payload=payload, trace_id=TRACE))

    body = f'{{"error": "why", "code": "NO_GOOD", "retry": false, "trace_id": "{TRACE}"}}'
    assert said == f"event: error\ndata: {body}\nid: end-{TRACE}\n\n".encode()


def test_a_comment_keeps_the_connection_alive():
    assert KEEP_ALIVE.startswith(b":")
    assert KEEP_ALIVE.endswith(b"\n\n")


def test_a_stream_that_was_cut_off_ends_with_an_id_too():
    assert CUT_OFF.endswith(b"\nid: end-stopped\n\n")


@pytest.mark.parametrize(
    ("last_event_id", "over"),
    [(None, False), ("", False), ("7", False), (f"end-{TRACE}", True), ("end-stopped", True)],
)
def test_a_stream_is_over_for_one_who_read_its_last_event(last_event_id, over):
    assert is_over(last_event_id) is over


@pytest.mark.parametrize("event_id", ["a\nb", "a\rb", "a\0b"])
def test_an_id_that_would_break_the_event_is_refused(event_id):
    with pytest.raises(ValueError, match="one line of text"):
        event("thought", {}, event_id)


@pytest.mark.parametrize("name", ["", "a\nb", "a\rb"])
def test_a_name_that_would_break_the_event_is_refused(name):
    with pytest.raises(ValueError, match="one line of text"):
        event(name, {})
