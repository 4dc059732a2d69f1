"""The demonstration of a gateway: what reaches the Neurons from curl, openai and an MCP host."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
import urllib.error
import urllib.request

from ..runtime.extras import check_versions, missing_extra
from .processes import ChildFailed, Processes, Say, start_fabric
from .worker import NEURON_ID

NAMESPACE = "demo"
_READY_S = 10.0
_LOOK_EVERY_S = 0.1
_BODY = '{"prompt": "What is an Axon?"}'
_OPENAI = """\
from openai import OpenAI

client = OpenAI(base_url="{base_url}/v1", api_key="any")
messages = [{{"role": "user", "content": "What is an Axon?"}}]
answer = client.chat.completions.create(model="{neuron}", messages=messages)
print(answer.choices[0].message.content)"""


def curl_line(base_url: str) -> str:
    """Return the line that asks over plain HTTP."""
    where = f"{base_url}/neurons/{NEURON_ID}"
    return f"curl -sS {where} -H 'Content-Type: application/json' -d '{_BODY}'"


def openai_snippet(base_url: str) -> str:
    """Return the program that asks as a client of OpenAI's API."""
    return _OPENAI.format(base_url=base_url, neuron=NEURON_ID)


def mcp_configuration(url: str) -> str:
    """Return the configuration of an MCP host that starts a gateway of its own, as JSON."""
    arguments = ["-m", "cosmonapse.cli", "serve", "--mcp=stdio", "--url", url, "-n", NAMESPACE]
    server = {"command": sys.executable, "args": arguments}
    return json.dumps({"mcpServers": {"cosmonapse-demo": server}})


def check_can_serve() -> None:
    """Look for what the gateway needs, before anything is started.

    Raises:
        MissingExtra: A package of the extra [serve] is not installed.
    """
    for package in ("starlette", "uvicorn"):
        if importlib.util.find_spec(package) is None:
            raise missing_extra(package, "serve")
        check_versions("serve", package)


async def show_gateway(say: Say, nats_url: str | None = None) -> None:
    """Bring up a Synapse, two replicas and a gateway; print how to reach them; stay up.

    Args:
        say: Prints a text.
        nats_url: A nats-server without a Synapse, over which everything goes; None for a Synapse
            that listens itself.

    Raises:
        ChildFailed: A process did not start.
    """
    async with Processes() as processes:
        url = await start_fabric(processes, NAMESPACE, say, nats_url)
        pid, base_url = await processes.start(
            "gateway",
            f"Gateway of {NAMESPACE} listening on",
            *("cosmonapse.cli", "serve", "--http", "--openai", "--port", "0"),
            *("--url", url, "-n", NAMESPACE),
        )
        say(f"  gateway    pid {pid:<7} {base_url}")
        await _until_ready(base_url)
        for line in _lines(base_url, url):
            say(line)
        await asyncio.Event().wait()


def _lines(base_url: str, url: str) -> list[str]:
    lines = ["\nwith curl:\n", curl_line(base_url)]
    lines += ["\nin Python, with the package openai:\n", openai_snippet(base_url)]
    if importlib.util.find_spec("mcp") is None:
        lines.append("\nfor an MCP host install the extra [mcp]")
    else:
        lines += ["\nin the configuration of an MCP host:\n", mcp_configuration(url)]
    return [*lines, "\nup until Ctrl-C"]


async def _until_ready(base_url: str) -> None:
    """Wait until the gateway has reached its Synapse.

    Raises:
        ChildFailed: Not within 10 s.
    """
    loop = asyncio.get_running_loop()
    ends_at_s = loop.time() + _READY_S
    while not await asyncio.to_thread(_is_ready, f"{base_url}/readyz"):
        if loop.time() > ends_at_s:
            raise ChildFailed(f"the gateway at {base_url} did not reach its Synapse")
        await asyncio.sleep(_LOOK_EVERY_S)


def _is_ready(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=_READY_S) as answer:
            return bool(answer.status == 200)
    except urllib.error.URLError:
        return False
