"""A Signal as one line for people and as one JSON object for tools."""

import json
import re

import attrs
import pytest

from cosmonapse import Directed, SignalType
from cosmonapse.doppler.columns import cells
from cosmonapse.doppler.durations import TaskDurations
from cosmonapse.doppler.formatter import LineFormatter, json_line
from cosmonapse.doppler.masking import MASK
from cosmonapse.doppler.preview import preview
from support.observed import CALLER, WORKER, observed, reply, task

EVIL = "\x1b]0;gone\x07\x9b2J\u202e\nnext\x7f"
SAID = [
    (SignalType.TASK, {"input": {"prompt": "hello"}}, "hello"),
    (SignalType.TASK, {"input": {"messages": [{"role": "user", "content": "hello"}]}}, "hello"),
    (SignalType.AGENT_OUTPUT, {"output": {"response": "hi", "usage": {}}}, "hi"),
    (SignalType.AGENT_OUTPUT, {"output": {"n": [1]}}, '{"n": [1]}'),
    (SignalType.ERROR, {"code": "X", "message": "y", "recoverable": True}, "X: y (may be"),
    (SignalType.THOUGHT_DELTA, {"delta": "piece", "seq": 0}, "piece"),
    (SignalType.TOOL_CALL, {"tool_name": "find", "args": {"q": 1}}, 'find({"q": 1})'),
    (SignalType.TOOL_RESULT, {"tool_name": "find", "result": [2]}, "find -> [2]"),
    (SignalType.TOOL_RESULT, {"tool_name": "find", "error": "no"}, "find failed: no"),
    (SignalType.CLARIFICATION, {"question": "which?"}, "which?"),
    (SignalType.PERMISSION_DECISION, {"granted": False, "reason": "no"}, "not granted: no"),
    (SignalType.PERMISSION, {"action": "delete", "scope": "all"}, "may I delete: all"),
    (SignalType.ESCALATION, {"reason": "too hard", "target": "boss"}, "too hard -> boss"),
    (SignalType.REGISTER, {"role": "worker", "capabilities": ["a", "b"]}, "worker, offers a, b"),
    (SignalType.HEARTBEAT, {"status": "busy", "running": 1, "queued": 2, "loop_lag_ms": 3}, "busy"),
    (SignalType.BID, {"cost": 1.5}, '{"cost": 1.5}'),
]


@pytest.mark.parametrize(("type", "payload", "said"), SAID)
def test_a_preview_says_the_main_thing(type, payload, said):
    assert preview(observed(type, payload).signal).startswith(said)


@pytest.mark.parametrize("type", list(SignalType))
@pytest.mark.parametrize("value", [None, 7, [EVIL], {"a": {}}, float("nan")])
def test_a_preview_puts_up_with_any_payload(type, value):
    keys = ("input", "output", "result", "delta", "code", "capabilities", "tool_name", "error")

    assert isinstance(preview(observed(type, dict.fromkeys(keys, value)).signal), str)


def test_a_line_shows_time_type_trace_neuron_and_what_is_said():
    said = task(payload={"input": {"prompt": "hello"}})

    line = LineFormatter()(said)

    trace = said.signal.trace_id[:8]
    assert re.fullmatch(
        rf"\d\d:\d\d:\d\d\.\d{{3}}  TASK {{16}}  {trace}  worker {{14}}  hello", line
    )


def test_the_columns_of_all_types_are_aligned():
    lines = [LineFormatter()(observed(each, neuron="worker")) for each in SignalType]

    assert len({line.index("trc_") for line in lines}) == 1
    assert len({line.index("worker") for line in lines}) == 1


@pytest.mark.parametrize(
    ("meta", "duration_s", "told"),
    [
        ({"queued_ms": 120, "ran_ms": 280}, 0.404, "[404 ms, queued 120 ms] hi"),
        ({"queued_ms": 0, "ran_ms": 404}, 0.404, "[404 ms] hi"),
        ({"queued_ms": 1500, "ran_ms": 280}, None, "[queued 1.50 s, ran 280 ms] hi"),
        ({"queued_ms": 1500}, None, "[queued 1.50 s] hi"),
        ({"queued_ms": 0, "ran_ms": 0}, None, "[ran 0 ms] hi"),
        ({"queued_ms": True, "ran_ms": "x"}, None, "hi"),
        ({"queued_ms": -1, "ran_ms": 2**60}, None, "hi"),
        ({}, None, "hi"),
    ],
)
def test_a_reply_shows_how_long_its_task_took_and_waited(meta, duration_s, told):
    said = reply(task(), payload={"output": "hi"})
    said = said._replace(signal=attrs.evolve(said.signal, meta=meta), duration_s=duration_s)

    assert LineFormatter()(said).endswith(f"  {told}")


def test_a_line_is_as_wide_as_the_terminal():
    said = task(payload={"input": {"prompt": "x" * 500}})

    line = LineFormatter(width=lambda: 100)(said)

    assert len(line) == 100
    assert line.endswith("…")


@pytest.mark.parametrize("width", [*range(1, 130), 1_000])
@pytest.mark.parametrize("text", ["x" * 2_000, "水" * 2_000, "e\u0301" * 2_000, "🙂 short", ""])
def test_no_line_is_wider_than_the_terminal(width, text):
    said = reply(task(), payload={"output": text}, neuron="n" * 60)._replace(duration_s=1.5)
    format_line = LineFormatter(width=lambda: width)

    assert cells(format_line(said)) <= width
    assert cells(format_line.line(said, text, shows_end=True)) <= width


def test_a_line_follows_the_width_of_the_terminal_and_keeps_room_for_the_text():
    widths = iter((120, 80, 60, 40))
    said = task(payload={"input": {"prompt": "x" * 500}})
    format_line = LineFormatter(width=lambda: next(widths))

    lines = [format_line(said) for _ in range(4)]

    assert [len(line) for line in lines] == [120, 80, 60, 40]
    assert all(line.count("x") >= len(line) // 4 for line in lines)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0.0, "0 ms"),
        (0.1523, "152 ms"),
        (1.26, "1.26 s"),
        (12.34, "12.3 s"),
        (75.9, "1 m 15 s"),
        (7_260.0, "2 h 01 m"),
        (90_000.0, "1 d 1 h"),
    ],
)
def test_a_reply_shows_how_long_its_task_took(seconds, shown):
    durations = TaskDurations()
    asked = task()
    answer = reply(asked, payload={"output": {"response": "hi"}})

    durations.note(asked, 100.0)
    noted = durations.note(answer, 100.0 + seconds)

    assert f"  [{shown}] hi" in LineFormatter()(noted)
    assert json.loads(json_line(noted))["duration_s"] == pytest.approx(seconds)
    assert json.loads(json_line(answer))["duration_s"] is None


def test_the_oldest_of_too_many_tasks_is_forgotten(monkeypatch):
    monkeypatch.setattr("cosmonapse.doppler.durations.MOST_TASKS", 2)
    durations = TaskDurations()
    asked = [task() for _ in range(3)]

    for each in asked:
        durations.note(each, 0.0)

    found = [durations.note(reply(each), 1.0).duration_s for each in asked]
    assert found == [None, 1.0, 1.0]


def test_only_the_type_of_a_line_is_styled_and_the_columns_stay():
    said = observed(SignalType.ERROR, neuron="worker")

    styled = LineFormatter(styled=lambda text, type: f"<{text}:{type.value}>")(said)

    assert "<ERROR" in styled
    assert styled.replace("<", "").replace(":ERROR>", "") == LineFormatter()(said)


def test_a_task_by_capabilities_shows_them():
    said = observed(SignalType.TASK, directed=Directed(capabilities=("chat", "fr")))

    assert "chat, fr" in LineFormatter()(said)


@pytest.mark.parametrize("whole", [False, True])
def test_nothing_that_a_signal_says_steers_the_terminal(whole):
    said = observed(SignalType.ERROR, {"code": EVIL, "message": EVIL, EVIL: EVIL}, neuron=EVIL)

    lines = LineFormatter(payload=whole)(said).split("\n")

    assert all(line.isprintable() for line in lines)
    assert len(lines) == (1 if not whole else 6)
    assert json_line(said).isprintable()
    assert json_line(said).isascii()


def test_a_payload_is_shown_whole_and_masked():
    said = task(payload={"input": {"api_key": "s3cret", "text": "x" * 5_000}})

    shown = LineFormatter(payload=True)(said)

    assert "s3cret" not in shown
    assert "x" * 5_000 in shown


def test_a_json_line_is_the_signal_and_its_way():
    asked = task()
    answer = reply(asked, payload={"output": {"token": "s3cret", "nan": float("nan")}})

    value = json.loads(json_line(answer))

    assert value["payload"] == {"output": {"token": MASK, "nan": "nan"}}
    assert value["parent_id"] == asked.signal.id
    assert (value["caller"], value["worker"]) == (CALLER.hex(), WORKER.hex())
    assert (value["bytes"], value["neuron"]) == (len(answer.body), "worker")


@pytest.mark.parametrize("ts", [float("nan"), float("inf"), 1e300])
def test_a_clock_that_says_nonsense_is_put_up_with(ts):
    said = observed(ts=ts)

    assert LineFormatter()(said).startswith("--:--:--.---")
    json.loads(json_line(said))
