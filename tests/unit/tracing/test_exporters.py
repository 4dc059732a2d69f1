"""A TracerProvider out of the variables of OpenTelemetry, each in a process of its own."""

import os
import subprocess
import sys
import time

import pytest

from house import source

HIDDEN_SDK = """
import sys
sys.modules["opentelemetry.sdk"] = None
"""
HIDDEN_API = """
import sys
sys.modules["opentelemetry"] = None
"""
SET = """
from cosmonapse.trace_export import set_provider_as_asked
set_provider_as_asked()
import sys
trace = sys.modules.get("opentelemetry.trace")
print("none" if trace is None else type(trace.get_tracer_provider()).__name__)
"""
EDGE = """
from cosmonapse import Dendrite, MemorySynapse
from cosmonapse.trace_export import trace_as_asked
dendrite = Dendrite(synapse=MemorySynapse())
trace_as_asked(dendrite)
from cosmonapse.tracing import is_enabled
from opentelemetry import trace
print(is_enabled(dendrite), type(trace.get_tracer_provider()).__name__)
"""
HANGING = """
import asyncio, sys, threading
from cosmonapse import trace_export
from cosmonapse.tracing import exporters

class Exporter:
    def export(self, spans):
        print(spans[0].name, flush=True)
        threading.Event().wait()

    def shutdown(self):
        pass

exporters.FLUSH_S = 0.3
exporters._exporter = lambda names: Exporter()
provider = exporters.asked_for()
provider.get_tracer("test").start_span("the last").end()
if "waits" in WAY:
    asyncio.run(trace_export.export_the_rest())
    exporters.FLUSH_S = 300
"""
CONSOLE = {"OTEL_TRACES_EXPORTER": "console"}


def run(program, environment):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OTEL_")}
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=source.ROOT,
        env={**kept, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )


@pytest.mark.parametrize(
    ("environment", "provider"),
    [({}, "none"), ({"OTEL_TRACES_EXPORTER": "none"}, "none"), (CONSOLE, "TracerProvider")],
)
def test_a_worker_sets_a_provider_where_a_variable_asks_for_one(environment, provider):
    ran = run(SET, environment)

    assert (ran.stdout.strip(), ran.stderr) == (provider, "")


def test_an_edge_is_traced_and_leaves_the_provider_of_the_process_alone():
    assert run(EDGE, CONSOLE).stdout.split() == ["True", "ProxyTracerProvider"]


@pytest.mark.parametrize(
    ("hidden", "environment", "told"),
    [
        (HIDDEN_API, CONSOLE, "cannot be imported"),
        (HIDDEN_SDK, CONSOLE, "its SDK is not installed: pip install opentelemetry-sdk"),
        ("", {"OTEL_TRACES_EXPORTER": "x"}, "the exporter x is not installed: pip install"),
        (
            "",
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            "the exporter otlp_proto_grpc is not installed",
        ),
    ],
)
def test_what_is_missing_is_one_line_and_the_process_runs(hidden, environment, told):
    ran = run(hidden + SET, environment)

    assert told in ran.stderr
    assert ran.stderr.count("\n") == 1
    assert "TracerProvider" not in ran.stdout.replace("ProxyTracerProvider", "")


def test_without_the_extra_the_module_says_what_to_install():
    ran = run(
        HIDDEN_API
        + "from cosmonapse import MissingExtra\n"
        + "try:\n    import cosmonapse.tracing\nexcept MissingExtra as error:\n    print(error)",
        {},
    )

    assert "cannot be imported" in ran.stdout


@pytest.mark.parametrize("way", ["leaves", "waits"])
def test_an_exporter_that_hangs_holds_the_end_of_a_process_up_for_a_moment_only(way):
    started_s = time.monotonic()

    ran = run(f"WAY = {way!r}\n{HANGING}", CONSOLE)

    assert ran.stdout == "the last\n"
    assert time.monotonic() - started_s < 20
