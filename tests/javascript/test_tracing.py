"""One trace in two languages: a caller in JavaScript, a worker in each."""

import json
import signal
import subprocess

from cosmonapse.testing import ChatServer
from house import pages
from support.node import CLIENT
from support.processes import Children
from support.spans import printed_by_node, tree_of
from support.tracing_children import spans_of, started_worker

PROGRAM = CLIENT / "test" / "support" / "traced.js"
TREE = [
    " > request",
    "dispatch inner > invoke_agent inner",
    "dispatch model > invoke_agent model",
    "dispatch outer > invoke_agent outer",
    "invoke_agent inner > work",
    "invoke_agent model > chat a-model",
    "invoke_agent outer > dispatch inner",
    "invoke_agent outer > dispatch model",
    "invoke_agent outer > execute_tool search",
    "request > dispatch outer",
]


def test_a_trace_goes_through_both_languages_and_back(node):
    with Children() as children, ChatServer() as chat:
        chat.answers("an answer")
        _, url = children.synapse("--namespace", "traced")
        in_python = started_worker(children, url, ("outer", "model"), chat)
        in_javascript = children.start(PROGRAM, url, "worker", program=node)
        in_javascript.line("ready")

        caller = children.start(PROGRAM, url, "caller", program=node)
        output = json.loads(caller.line("output ").text)
        caller.wait()

        in_javascript.send(signal.SIGTERM)
        in_javascript.wait()
        spans = printed_by_node([*caller.said.splitlines(), *in_javascript.said.splitlines()])
        spans += spans_of(in_python)
    spans = [each for each in spans if not each.name.startswith("queue")]  # a loaded machine
    assert tree_of(spans) == TREE
    assert len({each.trace_id for each in spans}) == 1
    sent = next(each for each in spans if each.name == "dispatch inner")
    assert output["traceparent"] == f"00-{sent.trace_id}-{sent.span_id}-01"
    assert output["said"] == "an answer"


AROUND_THE_PAGE = """
import { Axon, Dendrite, connectSynapse } from '%s'
const myTracer = { headers: () => ({ traceparent: 'T' }), within: (meta, fn) => fn(meta) }
const synapse = await connectSynapse('%s')
%s
dendrite.attachAxon(new Axon({ neuronId: 'n', neuronFn: (_, { task }) => task.meta }))
await dendrite.start()
console.log((await dendrite.ask({ neuron: 'n', input: {} })).traceparent)
await dendrite.stop()
"""


def test_the_program_of_the_page_stands_for_another_tool(node):
    (code,) = (
        block.code
        for block in pages.blocks(pages.DOCS / "tracing.md")
        if block.language == "javascript"
    )
    with Children() as children:
        _, url = children.synapse()
        program = AROUND_THE_PAGE % (CLIENT / "src" / "index.js", url, code)

        ran = subprocess.run(
            [node, "--input-type=module", "--eval", program],
            cwd=CLIENT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert (ran.stdout, ran.returncode) == ("T\n", 0), ran.stderr
