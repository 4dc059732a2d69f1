"""Traces stay whole within bounds; failed and slow ones outlive newer ones."""

import pytest

from cosmonapse import SignalType
from cosmonapse.prism import trace as trace_module
from cosmonapse.prism.root_causes import Cause
from cosmonapse.prism.trace_steps import MAX_BODY_BYTES, MAX_TEXT_CHARS, MAX_TIMES
from cosmonapse.prism.trace_store import MAX_FAILED, MAX_SLOW, TraceStore
from support.observed import CALLER, observed, reply, task


def fill(store, *signals, cause=None):
    for number, each in enumerate(signals, store.v + 1):
        own = cause if each.signal.type is SignalType.ERROR else None
        store.observe(number, each, each.signal.ts, own)


def summary(store, asked):
    return store.whole(store.trace(asked.signal.trace_id), 0)["summary"]


def records(store, asked, after=0):
    return store.whole(store.trace(asked.signal.trace_id), after)["records"]


def thought(asked, text, **payload):
    return reply(asked, SignalType.THOUGHT_DELTA, {"delta": text, **payload}, ts=2.0)


def test_a_trace_is_told_in_one_line():
    store, asked = (
        TraceStore(lambda instance: "web"),
        task("writer", ts=1.0, payload={"input": {"prompt": "Why?"}}),
    )

    fill(store, asked, thought(asked, "so"), reply(asked, neuron="writer", ts=4.0))

    told = summary(store, asked)
    assert told["status"] == "done"
    assert (told["prompt"], told["neuron"], told["caller"]["name"]) == ("Why?", "writer", "web")
    assert (told["took_s"], told["first_thought_s"]) == (3.0, 1.0)
    assert (told["tasks"], told["signals"], told["errors"], told["beginning"]) == (1, 3, 0, "seen")


def test_a_trace_whose_outcome_was_not_seen_says_so_until_one_comes():
    store, asked = TraceStore(), task()
    child = task(trace_id=asked.signal.trace_id, parent_id=asked.signal.id)
    fill(store, asked, child)
    store.lose(asked.signal.trace_id, child.signal.id)
    assert summary(store, asked)["status"] == "running"
    before = store.v

    for _ in range(2):
        store.lose(asked.signal.trace_id, asked.signal.id)

    assert summary(store, asked)["status"] == "unseen"
    assert summary(store, asked)["v"] == store.v == before + 1
    fill(store, reply(asked))
    assert summary(store, asked)["status"] == "done"
    fill(store, task(trace_id=asked.signal.trace_id))
    assert summary(store, asked)["status"] == "running"


def test_a_trace_that_is_not_kept_any_more_cannot_be_lost():
    store, asked = TraceStore(), task()

    store.lose(asked.signal.trace_id, asked.signal.id)

    assert (len(store), store.v) == (0, 0)


def test_thoughts_that_follow_each_other_are_one_record_with_their_times():
    store, asked = TraceStore(), task(ts=1.0)
    pieces = [thought(asked, text) for text in ("a", "b", "c")]
    tool = reply(asked, SignalType.TOOL_CALL, {"tool_name": "t", "args": {}})

    fill(store, asked, *pieces, tool, thought(asked, "d"), thought(asked, "e", kind="reasoning"))

    texts = [
        (each["payload"]["delta"], each["run"]["count"])
        for each in records(store, asked)
        if "run" in each
    ]
    assert texts == [("abc", 3), ("d", 1), ("e", 1)]
    run = records(store, asked)[1]["run"]
    assert (run["at"], run["last_n"]) == ([0, 0, 0], 4)


def test_only_what_changed_since_a_version_is_told():
    store, asked = TraceStore(), task()
    fill(store, asked, thought(asked, "a"))
    before = store.v

    fill(store, thought(asked, "b"))

    (changed,) = records(store, asked, before)
    assert changed["payload"]["delta"] == "ab"
    assert records(store, asked, store.v) == []


def test_a_long_stream_keeps_its_end_and_some_of_its_times():
    store, asked = TraceStore(), task()

    fill(
        store,
        asked,
        *(thought(asked, "x" * 1_000) for _ in range(MAX_TIMES * 3)),
        thought(asked, "end"),
    )

    record = records(store, asked)[1]
    assert record["payload"]["delta"].endswith("end")
    assert len(record["payload"]["delta"]) <= MAX_TEXT_CHARS
    assert record["cut"]
    assert len(record["run"]["at"]) <= MAX_TIMES + 1
    assert record["run"]["count"] == MAX_TIMES * 3 + 1


def test_a_trace_whose_first_signal_answers_something_says_that_its_beginning_is_gone():
    store, asked = TraceStore(), task()

    fill(store, reply(asked))

    assert summary(store, asked)["beginning"] == "gone"


def test_the_newest_traces_are_kept():
    store, asked = TraceStore(most=2), [task() for _ in range(3)]

    fill(store, *asked)

    assert store.trace(asked[0].signal.trace_id) is None
    assert [each.id for each in store.newest_first()] == [
        each.signal.trace_id for each in reversed(asked[1:])
    ]
    assert store.evicted == 1


def test_failed_and_slow_traces_are_pinned_within_bounds():
    store, cause = TraceStore(most=1), Cause("worker", "X", "m")
    bad = task(ts=1.0)
    fill(store, bad, reply(bad, SignalType.ERROR, {"code": "X"}, ts=2.0), cause=cause)
    for seconds in range(MAX_SLOW + 20):
        asked = task(ts=1.0)
        fill(store, asked, reply(asked, ts=2.0 + seconds % 60))

    assert summary(store, bad)["pinned"] == "failed"
    assert summary(store, bad)["cause"] == {"neuron": "worker", "code": "X", "message": "m"}
    assert len(store) == 1 + MAX_SLOW + 1
    for _ in range(MAX_FAILED + 5):
        asked = task(ts=1.0)
        fill(store, asked, reply(asked, SignalType.ERROR, {"code": "X"}), cause=cause)
    assert len(store) == 1 + MAX_SLOW + MAX_FAILED
    assert store.trace(bad.signal.trace_id) is None


def test_a_pinned_trace_that_goes_on_is_a_recent_one_again():
    store = TraceStore(most=1)
    asked = task(ts=1.0)
    fill(store, asked, reply(asked, ts=9.0), task())
    assert summary(store, asked)["pinned"] == "slow"

    fill(store, thought(asked, "more"))

    assert summary(store, asked)["pinned"] == ""
    assert summary(store, asked)["signals"] == 3


def test_the_store_is_bounded_in_bytes():
    store = TraceStore(most_bytes=100_000)

    for _ in range(50):
        asked = task(payload={"input": {"text": "x" * 10_000}})
        fill(store, asked, reply(asked))

    assert store.size_bytes <= 100_000
    assert 0 < len(store) < 15


def test_of_a_trace_that_is_too_large_the_middle_goes(monkeypatch):
    monkeypatch.setattr(trace_module, "MAX_STEPS", 100)
    store, asked = TraceStore(), task()
    plans = [reply(asked, SignalType.PLAN, {"steps": [n]}) for n in range(300)]

    fill(store, asked, *plans)

    kept = records(store, asked)
    told = summary(store, asked)
    assert len(kept) <= 100
    assert kept[0]["type"] == "TASK"
    assert kept[-1]["payload"] == {"steps": [299]}
    assert told["dropped"] == 301 - len(kept)


def test_a_large_signal_is_kept_cut():
    store, asked = TraceStore(), task(payload={"input": {"text": "x" * (2 * MAX_BODY_BYTES)}})

    fill(store, asked)

    (record,) = records(store, asked)
    assert record["cut"]
    assert store.size_bytes < MAX_BODY_BYTES


def test_a_trace_is_found_by_the_beginning_of_its_id():
    store, asked = TraceStore(), task()
    fill(store, asked)

    assert store.trace(asked.signal.trace_id[:8]).id == asked.signal.trace_id
    assert store.trace("trc_") is None
    assert store.trace("nothing-like-it") is None


def test_a_question_is_told_until_the_task_goes_on():
    store, asked = TraceStore(), task("writer")
    question = reply(asked, SignalType.CLARIFICATION, {"question": "Which one?"}, "writer")
    fill(store, asked, question)

    told = summary(store, asked)
    assert told["status"] == "asking"
    assert (told["ask"]["kind"], told["ask"]["question"]) == ("clarification", "Which one?")
    short = asked.signal.trace_id[:8]
    assert told["ask"]["who"] == (
        f"its caller {CALLER.hex()}, or whoever may decide: cosmo answer --trace {short}"
    )

    again = task("writer", trace_id=asked.signal.trace_id, parent_id=question.signal.id)
    fill(store, again)
    assert (summary(store, asked)["status"], summary(store, asked)["ask"]) == ("running", None)


def test_a_question_of_a_task_below_makes_the_trace_an_asking_one_until_that_above_ends():
    store, asked = TraceStore(), task("top")
    below = task("below", trace_id=asked.signal.trace_id, parent_id=asked.signal.id)
    question = reply(below, SignalType.PERMISSION, {"action": "delete it"}, "below")

    fill(store, asked, below, question)
    assert summary(store, asked)["status"] == "asking"
    assert summary(store, asked)["ask"]["question"] == "may I delete it"

    fill(store, reply(asked, neuron="top"))
    assert (summary(store, asked)["status"], summary(store, asked)["ask"]) == ("done", None)


def test_a_caller_that_gives_up_waiting_for_an_answer_ends_the_question():
    store, asked = TraceStore(), task("writer")
    fill(store, asked, reply(asked, SignalType.CLARIFICATION, {"question": "Which one?"}))

    error = reply(asked, SignalType.ERROR, {"code": "EXPIRED"})
    fill(store, error, cause=Cause("writer", "EXPIRED", ""))

    assert (summary(store, asked)["status"], summary(store, asked)["ask"]) == ("failed", None)


@pytest.mark.parametrize(
    ("type", "payload", "status"),
    [
        (SignalType.AGENT_OUTPUT, {"output": {}}, "done"),
        (SignalType.ERROR, {"code": "EXPIRED"}, "failed"),
    ],
)
def test_the_task_at_the_top_decides_though_one_below_is_cancelled_later(type, payload, status):
    store, asked = TraceStore(), task("top")
    below = task("below", trace_id=asked.signal.trace_id, parent_id=asked.signal.id)
    fill(store, asked, below, reply(asked, type, payload), cause=Cause("top", "EXPIRED", ""))

    cancelled = reply(below, SignalType.ERROR, {"code": "CANCELLED"})
    fill(store, cancelled, cause=Cause("below", "CANCELLED", ""))

    assert summary(store, asked)["status"] == status
    assert summary(store, asked)["errors"] == 1 + (status == "failed")


def test_the_first_outcome_of_a_task_counts_as_its_caller_has_it():
    store, asked = TraceStore(), task()
    fill(
        store,
        asked,
        reply(asked, SignalType.ERROR, {"code": "EXPIRED"}),
        reply(asked),
        cause=Cause("worker", "EXPIRED", ""),
    )

    assert summary(store, asked)["status"] == "failed"


def test_thoughts_of_a_task_that_was_not_seen_are_one_record_too():
    store, asked = TraceStore(), task("writer")

    fill(store, thought(asked, "a"), thought(asked, "b"))
    told = summary(store, asked)
    assert (told["status"], told["beginning"], told["first_thought_s"]) == ("running", "gone", None)
    assert [each["payload"]["delta"] for each in records(store, asked)] == ["ab"]

    fill(store, reply(asked))
    assert summary(store, asked)["status"] == "done"


def test_the_clock_of_a_sender_that_is_wrong_does_not_make_a_trace_slow():
    store, asked = TraceStore(), task(ts=1.0)

    store.observe(1, asked, 1.0)
    store.observe(2, reply(asked, ts=1e9), 1.5)

    assert summary(store, asked)["took_s"] == 0.5


def test_presence_belongs_to_no_trace():
    store = TraceStore()

    fill(store, observed(SignalType.HEARTBEAT, {"status": "ready"}))

    assert (len(store), store.v) == (0, 0)
