"""Tools of MCP servers as Neurons, with real servers: of Python in both eras, and of node."""

import ast
import asyncio
import os
import signal
import socket
import sys
from pathlib import Path

import pytest
import pytest_asyncio

import cosmonapse
from cosmonapse import (
    Axon,
    Clarification,
    Dendrite,
    McpServer,
    MemorySynapse,
    NeuronError,
    SignalType,
    ToolServerUnreachable,
)
from house import pages
from support.node import GATEWAY_CLIENTS, gateway_node_or_skip
from support.processes import free_ports, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

SERVER = Path(__file__).parents[1] / "support" / "mcp_tools_server.py"
STUB = SERVER.with_name("mcp_stub.py")
OF_NODE = GATEWAY_CLIENTS / "node_modules" / "@modelcontextprotocol"


def is_running(pid):
    """Return whether a process runs; one that has ended and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def pid_or_none(dendrite, era):
    """Return the process id of a server; None while it is away, which is a recoverable error."""
    try:
        return (await dendrite.ask(neuron=f"{era}.pid", input={}))["pid"]
    except NeuronError as error:
        return None if error.recoverable else error


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def dendrite():
    async with Dendrite(synapse=MemorySynapse(), namespace="mcp", dendrite_id="tools") as running:
        yield running


@pytest.fixture(scope="module")
def notes(tmp_path_factory):
    path = tmp_path_factory.mktemp("notes") / "notes"
    path.touch()
    return path


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["auto", "legacy"])
async def era(request, dendrite, notes):
    """Host the tools of a Python server in one era; return the id that they begin with."""
    name = request.param
    server = McpServer(
        [sys.executable, str(SERVER), str(notes)],
        id=name,
        mode=name,
        elicitation=True if name == "legacy" else None,
    )
    await dendrite.add_source(server)
    yield name
    pid = (await dendrite.ask(neuron=f"{name}.pid", input={}))["pid"]
    await dendrite.remove_source(server)
    assert not is_running(pid)
    assert not [each for each in await dendrite.find_neurons() if each.neuron_id.startswith(name)]


async def test_each_tool_is_a_neuron_with_a_card_and_a_tool_of_a_clashing_or_long_name_is_left_out(
    dendrite, era
):
    records = {each.neuron_id: each for each in await dendrite.find_neurons("tool")}
    card = await dendrite.card(f"{era}.promised")

    assert f"{era}.a_b" in records
    assert card.description == "The tool promised"
    assert card.input["type"] == "object"
    assert card.output["required"] == ["n"]
    assert dendrite.counts["tool_left_out"] >= 2
    assert not any("long" in name for name in records)


async def test_a_call_is_on_the_trace_with_its_progress_and_its_result(dendrite, era):
    pathway = await dendrite.dispatch(neuron=f"{era}.slow", input={"s": 0.05}, timeout_s=10)

    signals = [signal async for signal in pathway]

    types = [each.type for each in signals]
    assert types[0] is SignalType.TOOL_CALL
    assert signals[0].payload["tool_name"] == "slow"
    assert types[-2:] == [SignalType.TOOL_RESULT, SignalType.AGENT_OUTPUT]
    thoughts = [each.payload["delta"] for each in signals[1:-2]]
    assert thoughts == ["step 0", "step 1", "step 2"]


async def test_parts_that_are_no_text_survive(dendrite, era):
    output = await dendrite.ask(neuron=f"{era}.parts", input={})

    assert output["text"] == "one"
    assert output["content"][1] == {"type": "image", "data": "aGk=", "mimeType": "image/png"}


@pytest.mark.parametrize(
    ("tool", "code", "words"),
    [
        ("broken", "TOOL_ERROR", "it is broken"),
        ("refused", "TOOL_ERROR", "no such thing"),
        ("promised", "BAD_OUTPUT", "many"),
    ],
)
async def test_a_tool_that_fails_ends_its_task_with_the_reason(dendrite, era, tool, code, words):
    with pytest.raises(NeuronError) as caught:
        await dendrite.ask(neuron=f"{era}.{tool}", input={})

    assert caught.value.code == code
    assert words in caught.value.message
    assert not caught.value.recoverable


async def test_a_caller_that_gives_up_cancels_the_call_at_the_server(dendrite, era, notes):
    before = notes.read_text().count("cancelled slow")

    with pytest.raises(TimeoutError):
        await dendrite.ask(neuron=f"{era}.slow", input={"s": 30}, timeout_s=0.3)

    await until(lambda: notes.read_text().count("cancelled slow") > before, 2.0)


async def test_questions_of_a_tool_are_answered_one_after_the_other(dendrite, era):
    asked = []

    async def answer(signal):
        asked.append((signal.payload["question"], signal.payload["context"]["schema"]["required"]))
        given = "Oslo" if "city" in signal.payload["question"] else {"nights": 2}
        await dendrite.respond_to_clarification(signal, answer=given)

    dendrite.on_clarification(answer)
    try:
        output = await dendrite.ask(neuron=f"{era}.book", input={}, timeout_s=10)
    finally:
        dendrite.off(answer)

    assert output["text"] == "2 nights in Oslo"
    assert asked == [("Which city?", ["city"]), ("How many nights?", ["nights"])]


async def test_an_answer_that_comes_with_the_input_is_used_and_none_declines(dendrite, era):
    answers = [{"question": "Which city?", "answer": None}]

    with pytest.raises(NeuronError, match="declined"):
        await dendrite.ask(neuron=f"{era}.book", input={"clarifications": answers}, timeout_s=10)


async def test_a_hundred_calls_at_once_are_all_answered(dendrite, era):
    calls = [dendrite.ask(neuron=f"{era}.pid", input={}, timeout_s=20) for _ in range(100)]

    outputs = await asyncio.gather(*calls)

    assert len({output["pid"] for output in outputs}) == 1


async def test_a_tool_that_is_added_becomes_a_neuron(dendrite, era):
    await dendrite.ask(neuron=f"{era}.grow", input={})

    await dendrite.wait_for_neuron(neuron=f"{era}.grown", timeout_s=5)


async def test_a_killed_server_fails_its_calls_at_once_and_is_back_soon(dendrite, era):
    pid = (await dendrite.ask(neuron=f"{era}.pid", input={}))["pid"]
    running = await dendrite.dispatch(neuron=f"{era}.slow", input={"s": 30}, timeout_s=30)
    await anext(aiter(running))
    loop = asyncio.get_running_loop()

    os.kill(pid, signal.SIGKILL)
    killed_s = loop.time()
    outcome = await running.outcome()
    failed_s = loop.time()

    assert outcome.payload["code"] == "TOOL_UNREACHABLE"
    assert outcome.payload["recoverable"]
    assert failed_s - killed_s < 8.0  # a tenth of a second; the call would take 30 s

    async with asyncio.timeout(10):
        while (again := await pid_or_none(dendrite, era)) in (None, pid):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    assert is_running(again)
    assert dendrite.counts["tool_server_away"] >= 1


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["no-such-command-of-tests", "--key", "secret"], "there is no command"),
        ([sys.executable, "-c", "raise SystemExit('no licence')"], "it wrote: no licence"),
        ([sys.executable, "-c", ""], "it ended before it listed its tools: start it by hand"),
    ],
)
async def test_a_server_that_cannot_start_is_one_line(dendrite, command, words):
    with pytest.raises(ToolServerUnreachable) as caught:
        await dendrite.add_source(McpServer(command))

    assert words in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "\n" not in str(caught.value)


async def test_what_is_no_message_is_skipped_and_a_result_that_is_none_is_bad_output(
    dendrite, caplog
):
    junk = McpServer([sys.executable, str(STUB), "junk"], id="junk", mode="legacy")
    wrong = McpServer([sys.executable, str(STUB), "wrong"], id="wrong", mode="legacy")
    await asyncio.gather(dendrite.add_source(junk), dendrite.add_source(wrong))

    assert (await dendrite.ask(neuron="junk.pid", input={}))["text"].isdigit()
    assert junk.counts["tool_server_noise"] == 4
    (told,) = [each.message for each in caplog.records if "no message of MCP" in each.message]
    assert told.startswith("the MCP server junk wrote a line to its standard output")
    with pytest.raises(NeuronError, match="the server broke the protocol") as caught:
        await dendrite.ask(neuron="wrong.pid", input={})
    assert caught.value.code == "BAD_OUTPUT"


async def test_a_url_without_a_server_is_one_line(dendrite):
    server = McpServer("http://user:secret@127.0.0.1:9/mcp?key=secret", token="secret")

    with pytest.raises(ToolServerUnreachable) as caught:
        await dendrite.add_source(server)

    assert "connection attempts failed" in str(caught.value)
    assert "secret" not in str(caught.value)


async def test_a_server_behind_a_url_is_asked_with_the_token_and_found_again(dendrite, children):
    port = free_ports()
    url = f"http://127.0.0.1:{port}/mcp"
    first = children.start(str(SERVER), os.devnull, str(port))
    assert first.says("begins")
    await until(lambda: listens(port))
    with pytest.raises(ToolServerUnreachable, match="it answered 401 Unauthorized: give the right"):
        await dendrite.add_source(McpServer(url, token="another"))
    await dendrite.add_source(McpServer(url, id="far", token="secret-of-tests", tools=["pid"]))
    assert (await dendrite.ask(neuron="far.pid", input={}))["pid"] == first.pid

    old = McpServer(url, id="old", token="secret-of-tests", tools=["large"], mode="legacy")
    await dendrite.add_source(old)
    assert len((await dendrite.ask(neuron="old.large", input={}))["text"]) == 2_000_000
    await dendrite.remove_source(old)

    first.kill()
    with pytest.raises(NeuronError) as caught:
        await dendrite.ask(neuron="far.pid", input={})
    second = children.start(str(SERVER), os.devnull, str(port))

    assert caught.value.recoverable
    async with asyncio.timeout(20):
        while await pid_or_none(dendrite, "far") != second.pid:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


def listens(port):
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0


async def book(input, context):
    await context.think("looking")
    if "clarification" not in input:
        raise Clarification("Smoking?")
    return {"text": f"{input['nights']} nights, smoking: {input['clarification']['answer']}"}


async def test_the_neurons_of_another_fabric_are_tools_with_their_thoughts_and_questions(
    dendrite, url, namespace
):
    schema = {"type": "object", "properties": {"nights": {"type": "integer"}}}
    axon = Axon(neuron_id="book", neuron_fn=book, description="Books", input=schema)
    synapse = await cosmonapse.connect_synapse(url)
    async with Dendrite(synapse=synapse, namespace=namespace, dendrite_id="far") as far:
        await far.add_axon(axon)
        command = ["-m", "cosmonapse.cli", "serve", "--mcp=stdio", "--url", url, "-n", namespace]
        server = McpServer([sys.executable, *command], id="chain")
        await dendrite.add_source(server)

        given = {"nights": 2}
        pathway = await dendrite.dispatch(neuron="chain.book", input=given, timeout_s=10)
        thoughts = [each async for each in pathway if each.type is SignalType.THOUGHT_DELTA]
        asked = await pathway.outcome()
        answer = {"question": asked.payload["question"], "answer": "never"}
        output = await dendrite.ask(
            neuron="chain.book", input={**given, "clarification": answer}, timeout_s=10
        )
        await dendrite.remove_source(server)

    assert "looking" in [each.payload["delta"] for each in thoughts]
    assert "Smoking?" in asked.payload["question"]
    assert "answer" in asked.payload["context"]["schema"]["properties"]
    assert output == {"text": "2 nights, smoking: never"}


async def test_servers_of_node_are_hosted_as_they_are(dendrite, tmp_path):
    node = str(gateway_node_or_skip())
    (tmp_path / "a.txt").write_text("content of a")
    files = [node, str(OF_NODE / "server-filesystem" / "dist" / "index.js"), str(tmp_path)]
    everything = [node, str(OF_NODE / "server-everything" / "dist" / "index.js")]
    fs = McpServer(files, id="fs", tools=["read_*", "list_*"], capabilities=["files"])

    await asyncio.gather(dendrite.add_source(fs), dendrite.add_source(McpServer(everything)))

    ids = [each.neuron_id for each in await dendrite.find_neurons("files")]
    assert "fs.read_text_file" in ids
    assert "fs.write_file" not in ids
    read = await dendrite.ask(neuron="fs.read_text_file", input={"path": f"{tmp_path}/a.txt"})
    assert read["content"] == "content of a"
    with pytest.raises(NeuronError, match="outside allowed directories"):
        await dendrite.ask(neuron="fs.read_text_file", input={"path": "/etc/hostname"})
    name = next(
        each.neuron_id
        for each in await dendrite.find_neurons("tool")
        if each.neuron_id.endswith("get-structured-content")
    )
    assert "temperature" in await dendrite.ask(neuron=name, input={"location": "Chicago"})


APP = """
from cosmonapse import McpServer

tools = McpServer({command!r}, id="of-worker", tools=["pid"])
"""


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
async def test_no_server_outlives_its_worker(children, url, namespace, tmp_path, end):
    (tmp_path / "app.py").write_text(APP.format(command=[sys.executable, str(STUB)]))
    worker = children.cosmo("worker", "app", "--url", url, "-n", namespace, cwd=tmp_path)
    synapse = await cosmonapse.connect_synapse(url)
    async with Dendrite(synapse=synapse, namespace=namespace, dendrite_id="caller") as caller:
        await caller.wait_for_neuron(neuron="of-worker.pid", timeout_s=20)
        pid = int((await caller.ask(neuron="of-worker.pid", input={}))["text"])
        assert is_running(pid)

        for process in worker.family() if end is signal.SIGKILL else [worker.pid]:
            os.kill(process, end)

        await until(lambda: not is_running(pid))


async def test_the_page_runs_as_it_stands(dendrite, tmp_path):
    node = str(gateway_node_or_skip())
    (tmp_path / "a.txt").write_text("from the page")
    files = f"{node} {OF_NODE}/server-filesystem/dist/index.js"
    names = {"dendrite": dendrite}

    for block in pages.blocks(pages.DOCS / "mcp-tools.md"):
        if block.language == "python":
            code = block.code.replace("npx -y @modelcontextprotocol/server-filesystem", files)
            code = code.replace("/srv", str(tmp_path)).replace('"fs', '"page')
            compiled = compile(code, "block", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            running = eval(compiled, names)
            if running is not None:
                await running

    assert names["output"]["content"] == "from the page"
    assert names["card"].input["required"] == ["path"]
    names["greeters"].names[:] = ["alan"]
    names["greeters"].changed.set()
    assert (await dendrite.wait_for_neuron(neuron="alan", timeout_s=5)).neuron_id == "alan"
    await until_gone(dendrite, "ada")


async def until_gone(dendrite, neuron_id):
    async with asyncio.timeout(5):
        while neuron_id in [each.neuron_id for each in await dendrite.find_neurons()]:  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_a_server_that_is_silent_is_given_up_in_time(dendrite):
    silent = [sys.executable, "-c", "import sys; sys.stdin.read()"]

    with pytest.raises(ToolServerUnreachable, match=r"within 0\.3 s"):
        await dendrite.add_source(McpServer(silent, start_timeout_s=0.3))
