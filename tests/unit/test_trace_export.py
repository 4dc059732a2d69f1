"""The end of a process that is traced: what is left is exported, and nobody waits for ever."""

import os
import threading

import pytest

from cosmonapse import trace_export
from cosmonapse.tracing import exporters
from support.spans import Spans

pytestmark = pytest.mark.asyncio


class Hanging:
    """A provider whose exporter does not come back."""

    def __init__(self):
        self.may_end = threading.Event()

    def force_flush(self):
        self.may_end.wait(30)


async def test_what_is_left_is_exported(monkeypatch):
    flushed = []
    spans = Spans()
    monkeypatch.setattr(spans.provider, "force_flush", lambda: flushed.append(True))
    monkeypatch.setitem(exporters._made, os.getpid(), spans.provider)

    await trace_export.export_the_rest()

    assert flushed == [True]


async def test_an_exporter_that_hangs_does_not_hold_the_end_up(monkeypatch):
    hanging = Hanging()
    monkeypatch.setitem(exporters._made, os.getpid(), hanging)
    monkeypatch.setattr(exporters, "FLUSH_S", 0.05)

    await trace_export.export_the_rest()

    assert not hanging.may_end.is_set()
    hanging.may_end.set()


async def test_an_exporter_that_raises_is_a_warning(monkeypatch, caplog):
    def raises():
        raise OSError("no such host")

    spans = Spans()
    monkeypatch.setattr(spans.provider, "force_flush", raises)
    monkeypatch.setitem(exporters._made, os.getpid(), spans.provider)

    await trace_export.export_the_rest()

    assert [each.getMessage() for each in caplog.records] == [
        "the last spans were not exported: OSError('no such host')"
    ]


async def test_a_process_without_a_provider_of_the_sdk_has_nothing_to_export():
    await trace_export.export_the_rest()
