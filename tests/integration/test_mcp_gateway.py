"""`cosmo serve --mcp`: Neurons as tools, tried with the SDKs of MCP in both protocol eras."""

import asyncio
import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import attrs
import httpx
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters
from mcp.shared.exceptions import MCPError

from cosmonapse import Axon, Clarification, Escalation, NeuronError, PermissionNeeded
from cosmonapse.cards import Card
from house import source
from support.gateways import TOKEN, base_url_of, serving, start_gateway
from support.mcp_clients import (
    MODERN_META,
    MODES,
    LegacySession,
    Person,
    client_of,
    lines_of_call,
    short_lived_client,
    stdio_command,
)
from support.node import GATEWAY_CLIENTS, gateway_node_or_skip
from support.processes import Children
from support.scraping import Scrape

BOOKING = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "questions": {"type": "integer"}},
    "additionalProperties": False,
}
CARRIERS = ("http", "stdio")
began, cancelled = threading.Event(), threading.Event()
# It takes a tenth of a second; the sleep of 60 s and the grace of 10 s are what it must not be.
WITHIN_S = 8.0
pytestmark = [pytest.mark.asyncio, pytest.mark.usefixtures("direct")]


def echo(input, context):
    """Return the input."""
    return {"got": input}


async def think(input, context):
    """Think in three pieces, and use a tool."""
    for piece in ("one ", "two ", "three"):
        await context.think(piece)
    await context.tool_call("search", {"q": "x"})
    return {"response": "done"}


def ask(input, context):
    """Ask as many questions as the input says."""
    said = input.get("clarifications", [input[k] for k in ("clarification",) if k in input])
    if len(said) < input.get("questions", 1):
        raise Clarification(f"Question {len(said) + 1}?")
    return {"answers": [each["answer"] for each in said], "city": input.get("city")}


def ask_by_form(input, context):
    """Ask by a form of its own."""
    if "clarification" not in input:
        schema = {"type": "object", "properties": {"nights": {"type": "integer"}}}
        raise Clarification("How long?", {"schema": schema})
    return {"nights": input["clarification"]["answer"]["nights"]}


def pay(input, context):
    """Ask for consent."""
    if "permission" not in input:
        raise PermissionNeeded("pay", scope="5 EUR", reason="the room")
    return {"granted": input["permission"]["granted"], "why": input["permission"].get("reason")}


def pass_on(input, context):
    """Pass the task to another Neuron."""
    raise Escalation("this is for another one", target="echo")


def refuse(input, context):
    """Refuse the input, as the check of a schema does."""
    raise NeuronError("BAD_INPUT", "nights: Input should be a valid integer")


async def sleep(input, context):
    """Sleep until the task is cancelled."""
    began.set()
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        cancelled.set()
        raise


def axon(function, name=None, **card):
    card = {"input": BOOKING, "description": function.__doc__, **card}
    return Axon(neuron_id=name or function.__name__, neuron_fn=function, **card)


NEURONS = [axon(each) for each in (echo, think, ask, ask_by_form, pay, pass_on, refuse, sleep)]
UNFIT = axon(echo, "unfit")
# As a worker in another language may send them: our Axon refuses such schemas.
object.__setattr__(UNFIT, "card", Card(neuron_id="unfit", description="x", input={"type": "array"}))
FLAWED = axon(echo, "flawed")
A_FLAW = {"type": "object", "properties": {"got": {"$ref": "#/no"}}}
object.__setattr__(FLAWED, "card", Card(neuron_id="flawed", description="x", output=A_FLAW))
UNDESCRIBED = Axon(neuron_id="undescribed", neuron_fn=echo)


@pytest.fixture(scope="module")
def gateway(url):
    flags = ["--mcp", "--metrics", "127.0.0.1:0"]
    with serving(url, *NEURONS, UNFIT, FLAWED, UNDESCRIBED, flags=flags) as running:
        yield running


@pytest.fixture(autouse=True)
def nothing_sleeps():
    began.clear()
    cancelled.clear()


def text_of(result):
    assert result.is_error
    return result.content[0].text


async def until(event):
    assert await asyncio.to_thread(event.wait, WITHIN_S)


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("mode", MODES)
async def test_an_agent_finds_tools_and_calls_answers_and_cancels_them(gateway, carrier, mode):
    progress, person = [], Person(content={"answer": "yes"})

    async def report(done, total, message):
        progress.append(message)

    async with client_of(gateway, carrier, mode, elicitation_callback=person) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        answer = await client.call_tool("echo", {"city": "Oslo"})
        await client.call_tool("think", {}, progress_callback=report)
        asked = await client.call_tool("ask", {"city": "Oslo", "questions": 2})
        sleeping = asyncio.create_task(client.call_tool("sleep", {}))
        await asyncio.to_thread(began.wait, 5)
        sleeping.cancel()
        await until(cancelled)

    assert set(tools) == {each.neuron_id for each in (*NEURONS, FLAWED)}
    assert tools["echo"].description == echo.__doc__
    assert tools["echo"].input_schema == BOOKING
    assert answer.structured_content == {"got": {"city": "Oslo"}}
    assert json.loads(answer.content[0].text) == answer.structured_content
    assert progress == ["one ", "two ", "three", "calls search"]
    assert asked.structured_content == {"answers": ["yes", "yes"], "city": "Oslo"}
    assert person.asked == ["Question 1?", "Question 2?"]


@pytest.mark.parametrize("mode", MODES)
async def test_a_permission_is_the_decision_of_the_person(gateway, mode):
    for action, granted in (("accept", True), ("decline", False)):
        person = Person(action, {"reason": "cheap"})
        async with client_of(gateway, "http", mode, elicitation_callback=person) as client:
            result = await client.call_tool("pay", {})

        assert result.structured_content["granted"] is granted
        assert person.asked == ["Allow pay on 5 EUR? (the room)"]


@pytest.mark.parametrize("mode", MODES)
async def test_a_person_who_declines_or_dismisses_a_question_ends_the_call(gateway, mode):
    texts = []
    for action, tool in (("decline", "ask"), ("cancel", "ask"), ("cancel", "pay")):
        async with client_of(gateway, "http", mode, elicitation_callback=Person(action)) as client:
            texts.append(text_of(await client.call_tool(tool, {})))

    assert texts == [
        "CLARIFICATION: the user declined to answer: Question 1?",
        "CLARIFICATION: the user dismissed the question: Question 1?",
        "PERMISSION: the user dismissed the question: pay",
    ]


@pytest.mark.parametrize("mode", MODES)
async def test_a_form_of_the_neuron_and_a_task_passed_on_reach_the_person(gateway, mode):
    person = Person(content={"nights": 3})
    async with client_of(gateway, "http", mode, elicitation_callback=person) as client:
        form = await client.call_tool("ask_by_form", {})
        passed = await client.call_tool("pass_on", {"city": "Oslo"})

    assert form.structured_content == {"nights": 3}
    assert passed.structured_content == {"got": {"city": "Oslo"}}
    assert person.asked[1].endswith("this is for another one. Pass it on to echo?")


@pytest.mark.parametrize("mode", MODES)
async def test_a_client_that_cannot_ask_is_told_how_to_answer(gateway, mode):
    async with client_of(gateway, "http", mode) as client:
        arguments = {"city": "Oslo", "questions": 2}
        for answer in ("first", "second"):
            text = text_of(await client.call_tool("ask", arguments))
            given = json.loads(text[text.index("{") :].replace("<the answer>", answer))
            arguments = {**arguments, **given}
        result = await client.call_tool("ask", arguments)
        refused = text_of(await client.call_tool("pay", {}))
        forged = text_of(await client.call_tool("pay", {"permission": {"granted": True}}))

    assert text.startswith("CLARIFICATION: Question 2?\n")
    assert result.structured_content["answers"] == ["first", "second"]
    assert refused.startswith("PERMISSION: Allow pay on 5 EUR?")
    assert forged.startswith("BAD_INPUT: 'permission' is for a person to give")


async def test_a_neuron_that_asks_for_ever_ends_its_call_after_32_questions(gateway):
    person = Person(content={"answer": "x"})
    async with client_of(gateway, "http", "legacy", elicitation_callback=person) as client:
        text = text_of(await client.call_tool("ask", {"questions": 99}))

    assert text == "NEURON_ERROR: ask asked 32 questions in one call"
    assert len(person.asked) == 32


async def test_a_state_that_a_client_changed_is_refused(gateway):
    async with client_of(gateway, "http", "auto", elicitation_callback=Person()) as client:
        asked = await client.session.call_tool("ask", {}, allow_input_required=True)
        broken = asked.request_state[:-2] + ("AA" if asked.request_state[-2:] != "AA" else "BB")
        with pytest.raises(MCPError, match="Invalid or expired requestState"):
            await client.session.call_tool(
                "ask", {}, request_state=broken, input_responses={}, allow_input_required=True
            )


async def test_errors_tell_a_model_what_to_do(gateway):
    async with client_of(gateway, "http", "auto") as client:
        bad = text_of(await client.call_tool("refuse", {}))
        unknown = text_of(await client.call_tool("nobody", {}))
        unfit = text_of(await client.call_tool("unfit", {}))

    assert bad.splitlines() == [
        "BAD_INPUT: nights: Input should be a valid integer",
        "Correct the arguments by the input schema of this tool, and call it again.",
    ]
    assert unknown.startswith("NO_SUCH_NEURON: there is no tool 'nobody'")
    assert unfit.startswith("NO_SUCH_NEURON: there is no tool 'unfit'")


async def test_cards_that_would_spoil_the_list_are_named_in_the_log_and_in_the_metrics(gateway):
    async with client_of(gateway, "http", "auto") as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}

    assert tools["flawed"].output_schema is None
    assert "unfit is no tool of MCP: its input schema: the root" in gateway.process.said
    assert "flawed is a tool of MCP without its output schema" in gateway.process.said
    assert gateway.process.said.count("unfit is no tool") == 1
    metrics = Scrape(gateway.process.line("  metrics").text)
    for event in ("drop.unfit_card", "drop.output_schema"):
        assert metrics.value("cosmonapse_events_total", side="gateway", event=event) == 1


async def test_a_client_that_listens_hears_of_tools_that_come_and_go_once_it_can_list_them(gateway):
    async with (
        client_of(gateway, "http", "auto") as client,
        client.listen(tools_list_changed=True) as changes,
    ):
        heard = aiter(changes)
        await client.list_tools()
        await asyncio.to_thread(gateway.dendrite.add_axon, axon(echo, "late"))
        try:
            await asyncio.wait_for(anext(heard), 20)
            tools = [tool.name for tool in (await client.list_tools()).tools]
        finally:
            await asyncio.to_thread(gateway.dendrite.detach_axon, "late")
        await asyncio.wait_for(anext(heard), 20)
        left = [tool.name for tool in (await client.list_tools()).tools]

    assert "late" in tools
    assert "late" not in left


@pytest.mark.parametrize("mode", MODES)
async def test_a_client_on_stdio_that_is_killed_ends_its_task(gateway, mode, tmp_path):
    err = tmp_path / "stderr"
    with short_lived_client(gateway, mode, "sleep", err) as client:
        server = int(await asyncio.to_thread(client.stdout.readline))
        await asyncio.to_thread(began.wait, 20)

        client.kill()
        await until(cancelled)

    for _ in range(100):
        if not _command_of(server):
            break
        await asyncio.sleep(0.05)
    assert not _command_of(server)
    assert err.read_text() == ""


def _command_of(pid):
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def modern_post(client, method, **params):
    """Send a request of 2026-07-28; the SDK would keep the process of the test longer."""
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": {**params, "_meta": MODERN_META}}
    headers = {
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": "2026-07-28",
        "mcp-method": method,
        **({"mcp-name": params["name"]} if "name" in params else {}),
    }
    return client.post("/mcp", json=body, headers=headers)


async def test_a_client_over_http_that_hangs_up_ends_its_task(gateway):
    async with gateway.async_client() as client:
        calling = asyncio.create_task(modern_post(client, "tools/call", name="sleep"))
        await asyncio.to_thread(began.wait, 5)
        calling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await calling

    await until(cancelled)


async def dropped_stream(client):
    """Call `sleep` in a session of 2025, and drop the stream of its answer once it runs."""
    session = LegacySession(client)
    await session.begin()
    async with session.stream("tools/call", 2, name="sleep", arguments={}):
        await asyncio.to_thread(began.wait, WITHIN_S)
    return session


async def test_over_http_a_client_of_2025_that_drops_its_stream_is_bounded_by_the_time(
    url, gateway
):
    with Children() as children:
        process = start_gateway(children, url, gateway.namespace, "--mcp", "--timeout", "1")
        base_url = await asyncio.to_thread(base_url_of, process)
        await asyncio.to_thread(process.line, "  connected")
        async with attrs.evolve(gateway, base_url=base_url).async_client() as client:
            session = await dropped_stream(client)

            await until(cancelled)
            again = await session.post("tools/list", 3)

    assert again.status_code == 200
    assert "Traceback" not in process.said


async def test_over_http_the_end_of_a_session_of_2025_ends_its_tasks(gateway):
    async with gateway.async_client() as client:
        session = await dropped_stream(client)

        ended = await session.delete()

    assert ended.status_code == 200
    await until(cancelled)


async def test_sigterm_answers_open_calls_over_http_and_ends_streams(url, gateway):
    with Children() as children:
        process = start_gateway(children, url, gateway.namespace, "--mcp")
        base_url = await asyncio.to_thread(base_url_of, process)
        await asyncio.to_thread(process.line, "  connected")
        async with attrs.evolve(gateway, base_url=base_url).async_client() as client:
            wanted = {"toolsListChanged": True}
            listening = modern_post(client, "subscriptions/listen", notifications=wanted)
            calling = modern_post(client, "tools/call", name="sleep")
            open_ones = asyncio.gather(listening, calling)
            await asyncio.to_thread(began.wait, 10)

            at_s = time.monotonic()
            process.send(signal.SIGTERM)
            listened, called = await open_ones
            await asyncio.to_thread(process.wait)
            took_s = time.monotonic() - at_s

    assert "subscriptionId" in listened.text
    assert "CANCELLED: this gateway is stopping" in called.text
    assert cancelled.wait(WITHIN_S)
    assert took_s < WITHIN_S
    assert "Traceback" not in process.said


async def test_without_the_extra_the_verb_names_it_in_one_line():
    program = "import sys; sys.modules.update(mcp=None, mcp_types=None, pydantic=None)\n"
    program += "from cosmonapse.cli import main; sys.argv[1:] = sys.argv[2:]; main()"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program, "-", "serve", "--mcp"), stderr=subprocess.PIPE
    )
    _, err = await process.communicate()

    assert process.returncode == 1
    assert b"the extra [mcp] wants mcp>=" in err
    assert err.count(b"\n") <= 1


async def test_stdout_has_the_protocol_alone_and_sigterm_ends_an_open_call(gateway):
    process = await asyncio.create_subprocess_exec(
        *stdio_command(gateway, "--tools", "sle*", "--tools", "echo"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    listing = {"jsonrpc": "2.0", "id": 7, "method": "tools/list", "params": {"_meta": MODERN_META}}
    process.stdin.write(json.dumps(listing).encode() + b"\n")
    process.stdin.write(lines_of_call("auto", "sleep").encode())
    listed = json.loads(await process.stdout.readline())
    await asyncio.to_thread(began.wait, 20)

    at_s = time.monotonic()
    process.terminate()
    out, err = await process.communicate()
    took_s = time.monotonic() - at_s

    assert [tool["name"] for tool in listed["result"]["tools"]] == ["echo", "sleep"]
    assert json.loads(out)["result"]["content"][0]["text"].startswith("CANCELLED: this gateway")
    assert cancelled.wait(WITHIN_S)
    assert (process.returncode, err) == (0, b"")
    assert took_s < WITHIN_S


async def test_without_a_synapse_stdio_says_so_in_one_line_and_ends(tmp_path):
    command = ("-m", "cosmonapse.cli", "serve", "--mcp=stdio", "--url", "cosmo://127.0.0.1:1")
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    out, err = await process.communicate()

    assert (process.returncode, out) == (3, b"")
    assert err.count(b"\n") <= 1
    assert b"no Synapse at cosmo://127.0.0.1:1" in err


async def test_mcp_over_http_needs_the_token_and_answers_without_a_redirect(gateway):
    async with httpx.AsyncClient(base_url=gateway.base_url, trust_env=False) as stranger:
        refused = await stranger.post("/mcp", json={})
        known = await stranger.post(
            "/mcp",
            json={"jsonrpc": "2.0", "id": 1, "method": "ping"},
            headers={"authorization": f"Bearer {TOKEN}", "origin": "http://evil.example"},
        )

    assert refused.status_code == 401
    assert known.status_code == 403


async def test_the_configuration_on_the_page_is_one_that_a_host_can_run(gateway):
    entry = json.loads(block_of("json"))["mcpServers"]["my-agents"]
    args = [gateway.url if each.startswith("cosmo://") else each for each in entry["args"]]
    assert (entry["command"], args[:2]) == ("cosmo", ["serve", "--mcp=stdio"])

    command = ("-m", "cosmonapse.cli", *args, "-n", gateway.namespace)
    server = StdioServerParameters(command=sys.executable, args=list(command))
    async with Client(server, mode="legacy") as client:
        result = await client.call_tool("echo", {"city": "Oslo"})

    assert result.structured_content == {"got": {"city": "Oslo"}}


async def test_the_program_on_the_page_lists_the_tools_with_the_token(gateway, monkeypatch, capsys):
    monkeypatch.setenv("COSMO_TOKEN", gateway.token)
    program = block_of("python").replace("http://127.0.0.1:8080", gateway.base_url)

    await asyncio.to_thread(exec, compile(program, "gateways.md", "exec"), {})

    assert "echo - Return the input.\n" in capsys.readouterr().out


def block_of(language):
    """Return the block in a language of the section MCP of the page."""
    text = (source.ROOT / "docs" / "gateways.md").read_text()
    section = text.partition("\n## MCP\n")[2].partition("\n## ")[0]
    return section.partition(f"```{language}\n")[2].partition("```")[0]


async def test_the_typescript_sdk_uses_the_tools_over_stdio_and_http(gateway):
    node = gateway_node_or_skip()
    command = json.dumps(stdio_command(gateway))
    process = await asyncio.create_subprocess_exec(
        node,
        GATEWAY_CLIENTS / "mcp_client.mjs",
        f"{gateway.base_url}/mcp",
        TOKEN,
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 150)

    assert process.returncode == 0, err.decode()
    for carrier in json.loads(out):
        assert set(carrier.pop("tools")) == {each.neuron_id for each in (*NEURONS, FLAWED)}
        assert carrier == {
            "echo": {"got": {"city": "Oslo"}},
            "ask": {"answers": ["yes"], "city": "Oslo"},
            "pay": {"granted": True, "why": None},
            "progress": ["one ", "two ", "three", "calls search"],
            "bad": "BAD_INPUT: nights: Input should be a valid integer",
            "cancelled": True,
        }
