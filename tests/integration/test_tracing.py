"""One request is one trace: from an edge to its workers, a model and back, in real processes.

Each process exports by the exporter `console`, as the variables of OpenTelemetry ask for it: what
it prints is read here.
"""

import re

import httpx
import pytest
from opentelemetry.sdk.trace import TracerProvider

from cosmonapse import BlockingDendrite, tracing
from cosmonapse.testing import ChatServer
from house import pages
from support import traced_app
from support.processes import ROOT, Children
from support.spans import tree_of
from support.tracing_children import EXPORTING, spans_of, started_worker

TRACE_ID, SPAN_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
HEADERS = {"traceparent": f"00-{TRACE_ID}-{SPAN_ID}-01", "tracestate": "vendor=1"}
APP = ROOT / "tests" / "support" / "traced_app.py"
TREE = [
    "chat client > dispatch outer",
    "dispatch inner > invoke_agent inner",
    "dispatch model > invoke_agent model",
    "dispatch outer > invoke_agent outer",
    "invoke_agent model > chat a-model",
    "invoke_agent outer > dispatch inner",
    "invoke_agent outer > dispatch model",
    "invoke_agent outer > execute_tool search",
]


@pytest.fixture
def chat():
    with ChatServer() as server:
        yield server


@pytest.fixture
def children():
    with Children() as children:
        yield children


def test_a_request_is_one_trace_over_an_edge_two_workers_and_a_model(children, chat):
    chat.answers("an answer")
    _, url = children.synapse("--namespace", "traced")
    workers = [
        started_worker(children, url, each, chat) for each in (("outer", "model"), ("inner",))
    ]
    edge = children.start(APP, url, "0", env=EXPORTING, merge_stderr=True)
    address = re.search(r"http://\S+", edge.line("INFO:     Uvicorn running on").text)[0]

    with httpx.Client(trust_env=False) as client:
        answer = client.post(f"{address}/ask", headers=HEADERS, timeout=20.0).json()

    edge.may_complain = True
    spans = [span for child in (edge, *workers) for span in spans_of(child)]
    assert answer["said"] == "an answer"
    spans = [each for each in spans if not each.name.startswith("queue")]  # a loaded machine
    assert tree_of(spans, {SPAN_ID: "chat client"}) == TREE
    assert {span.trace_id for span in spans} == {TRACE_ID}
    by_name = {span.name: span for span in spans}
    assert answer["traceparent"] == f"00-{TRACE_ID}-{by_name['dispatch inner'].span_id}-01"
    model = by_name["chat a-model"].attributes
    assert model["gen_ai.provider.name"] == "openai"
    assert model["gen_ai.usage.input_tokens"] > 0
    assert model["gen_ai.response.finish_reasons"] == ["stop"]
    said = "\n".join(child.said for child in (edge, *workers))
    assert traced_app.MARKER not in said


def test_a_worker_without_an_exporter_says_so_in_one_line_and_serves(children, chat):
    _, url = children.synapse("--namespace", "traced")
    env = {**EXPORTING, "OTEL_TRACES_EXPORTER": "nothing-that-is-installed"}

    worker = children.cosmo(
        *("worker", "support.traced_app:inner", "--url", url, "-n", "traced"),
        env=env,
        merge_stderr=True,
    )

    worker.line("cosmo worker: serving")
    (line,) = [each for each in worker.said.splitlines() if "no traces are exported" in each]
    assert "nothing-that-is-installed is not installed" in line


PROGRAM = """
import sys
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
if "set" in sys.argv:
    trace.set_tracer_provider(TracerProvider())
from cosmonapse import BlockingDendrite
with BlockingDendrite("memory://here") as dendrite:
    print("traced:", dendrite.dendrite._observers.reads_signals)
"""


@pytest.mark.parametrize(
    ("arguments", "environment", "is_traced"),
    [
        (["set"], {}, "True"),
        ([], {}, "False"),
        (["set"], {"OTEL_PYTHON_DISABLED_INSTRUMENTATIONS": "x, cosmonapse"}, "False"),
    ],
)
def test_a_dendrite_is_traced_where_the_program_has_set_a_provider(
    children, arguments, environment, is_traced
):
    child = children.start("-c", PROGRAM, *arguments, env=environment)

    assert child.line("traced:").text == is_traced


def test_the_program_of_the_page_turns_it_on():
    (code,) = (
        each.code for each in pages.blocks(pages.DOCS / "tracing.md") if "enable(" in each.code
    )
    dendrite = BlockingDendrite("memory://page")

    exec(code, {"dendrite": dendrite, "tracer_provider": TracerProvider()})

    assert tracing.is_enabled(dendrite)
    tracing.disable(dendrite)
    assert not tracing.is_enabled(dendrite)
