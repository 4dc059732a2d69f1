"""The trace context in the meta of a TASK: what is read, what counts as absent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosmonapse.telemetry.trace_context import (
    FoundContext,
    TraceContext,
    found_in,
    is_tracestate,
    passed_on,
    traceparent_of,
)

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{SPAN}-01"
CONTEXT = TraceContext(int(TRACE, 16), int(SPAN, 16), 1)


def test_the_meta_of_most_tasks_says_nothing() -> None:
    assert found_in({"attempt": 2}) == FoundContext(None)


def test_a_traceparent_says_trace_span_and_whether_it_is_recorded() -> None:
    assert found_in({"traceparent": GOOD}) == FoundContext(CONTEXT)
    assert found_in({"traceparent": GOOD[:-1] + "2"}).context == CONTEXT._replace(flags=0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        GOOD.upper(),
        GOOD + "-more",
        GOOD + " ",
        GOOD + "\n",
        GOOD.replace("00-4", "ff-4"),
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{SPAN}-1",
        f"01-{TRACE}-{SPAN}-01-" + "x" * 400,
        GOOD.encode(),
        7,
        None,
        ["00"],
    ],
)
def test_a_traceparent_that_is_invalid_counts_as_absent_and_is_counted(text: object) -> None:
    assert found_in({"traceparent": text, "tracestate": "a=1"}) == FoundContext(None, 1)


def test_a_later_version_may_append_something() -> None:
    assert found_in({"traceparent": "cc" + GOOD[2:] + "-what the future brings"}).context == CONTEXT


def test_a_tracestate_travels_as_it_came() -> None:
    state = "congo=t61rcWkgMzE,vendor@rojo=00f067aa"

    found = found_in({"traceparent": GOOD, "tracestate": state})

    assert found == FoundContext(CONTEXT._replace(state=state))


@pytest.mark.parametrize(
    "state",
    [
        "no equals sign",
        "a=1,a=2",
        "A=1",
        "a=b=c",
        "a=é",
        ",",
        "a=" + "x" * 511,
        ",".join(f"k{at}=1" for at in range(33)),
        5,
        {"a": "1"},
    ],
)
def test_a_tracestate_that_is_invalid_is_dropped_alone(state: object) -> None:
    assert found_in({"traceparent": GOOD, "tracestate": state}) == FoundContext(CONTEXT, 1)
    assert not is_tracestate(state)


@given(st.integers(1, 2**128 - 1), st.integers(1, 2**64 - 1), st.integers(0, 255))
def test_what_is_written_is_read(trace_id: int, span_id: int, flags: int) -> None:
    found = found_in({"traceparent": traceparent_of(trace_id, span_id, flags)})

    assert found.context == TraceContext(trace_id, span_id, flags & 1)


@given(st.dictionaries(st.sampled_from(["traceparent", "tracestate"]), st.text() | st.binary()))
def test_nothing_that_arrives_raises(meta: dict[str, object]) -> None:
    assert found_in(meta).dropped_count <= 2


def test_an_edge_passes_valid_headers_on_and_no_others() -> None:
    assert passed_on({"traceparent": GOOD, "tracestate": "a=1", "cookie": "x"}) == {
        "traceparent": GOOD,
        "tracestate": "a=1",
    }
    assert passed_on({"traceparent": GOOD, "tracestate": "A"}) == {"traceparent": GOOD}
    assert passed_on({"traceparent": "x", "tracestate": "a=1"}) == {}
    assert passed_on({}) == {}
