"""Each record says which task it belongs to."""

import logging
import sys
import types

import pytest

from cosmonapse.telemetry import current_trace
from cosmonapse.telemetry.task_filter import TaskFilter


def fields(**given):
    record = logging.makeLogRecord(given)
    assert TaskFilter().filter(record)
    return [record.trace_id, record.neuron, record.otel_trace_id, record.otel_span_id]


@pytest.fixture
def task():
    token = current_trace.CURRENT.set(("trc_1", "echo"))
    yield
    current_trace.CURRENT.reset(token)


def test_outside_a_task_a_format_may_name_the_fields_all_the_same():
    assert fields() == ["-"] * 4


def test_in_a_task_they_are_there_and_what_a_record_has_is_kept(task):
    assert fields()[:2] == ["trc_1", "echo"]
    assert fields(trace_id="trc_2")[:2] == ["trc_2", "echo"]


def test_a_span_is_named_where_opentelemetry_is_in_use(monkeypatch):
    context = types.SimpleNamespace(is_valid=True, trace_id=10, span_id=11)
    span = types.SimpleNamespace(get_span_context=lambda: context)
    trace = types.SimpleNamespace(get_current_span=lambda: span)
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", trace)

    assert fields()[2:] == [f"{10:032x}", f"{11:016x}"]
    context.is_valid = False
    assert fields()[2:] == ["-", "-"]


def test_a_filter_follows_the_tasks(monkeypatch):
    monkeypatch.setattr(current_trace, "is_followed", False)

    TaskFilter()

    assert current_trace.is_followed
