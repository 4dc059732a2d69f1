"""Tools for a model on a page: each of its programs, against the stand-in provider."""

import asyncio

import pytest
import pytest_asyncio

from cosmonapse import SynapseServer
from cosmonapse.testing import ChatServer, Fabric
from house import pages
from support.processes import Children

PAGE = [block.code for block in pages.blocks(pages.DOCS / "tools.md") if block.language == "python"]

pytestmark = pytest.mark.usefixtures("direct")


def run(name, *changes):
    """Run the block of the page whose first line names a file; return its names."""
    (code,) = [code for code in PAGE if code.splitlines()[0] == f"# {name}"]
    for before, after in changes:
        assert before in code
        code = code.replace(before, after)
    names = {"__name__": "block"}
    exec(compile(code, name, "exec"), names)
    return names


@pytest.fixture(scope="module")
def servers():
    with SynapseServer(port=0) as synapse, ChatServer() as chat:
        yield synapse.url, chat


@pytest_asyncio.fixture
async def shop(servers):
    """A worker with the shop of the page."""
    url, chat = servers
    given = f'model="m", endpoint="{chat.url}", api_key="k"'
    axons = run("shop.py", ('model="gpt-5-mini"', given))["axons"]
    async with Fabric(url, namespace="default") as fabric:
        await fabric.worker(*axons)
        yield fabric
        await axons[1].neuron_fn.aclose()


@pytest.mark.asyncio
async def test_the_model_of_the_page_looks_a_price_up(shop, servers):
    servers[1].calls_tools(("shop_price", {"article": "tea"})).answers("3 euros.")
    caller = await shop.dendrite()

    output = await caller.ask(neuron="seller", input={"prompt": "What does tea cost?"})

    assert (output["response"], output["turns"], output["tool_calls"]) == ("3 euros.", 2, 1)


@pytest.mark.asyncio
async def test_the_neuron_of_the_page_adds_up_what_it_finds(shop):
    await shop.worker(run("receipt.py")["receipt"].axon)
    caller = await shop.dendrite()

    output = await caller.ask(neuron="receipt", input={"articles": ["tea", "?", "coffee"]})

    assert output == {"total": 7, "unpriced": {"?": "NEURON_EXCEPTION"}}


@pytest.mark.asyncio
async def test_the_program_of_the_page_calls_a_tool(shop, servers, capsys, monkeypatch):
    monkeypatch.setenv("COSMO_URL", servers[0])

    assert await run("own_loop.py")["main"]() == {"euros": 4}
    assert "'name': 'shop_price'" in capsys.readouterr().out


def test_the_test_of_the_page_passes(cosmo_fabric, cosmo_chat_server):
    names = run("test_seller.py")
    test = names["test_the_seller_looks_the_price_up"]

    asyncio.run(test(cosmo_fabric, cosmo_chat_server))


def test_the_example_of_an_agent_prints_its_calls_and_its_answer():
    with Children() as children:
        child = children.start("examples/tool_agent.py")
        assert child.wait() == 0
        text = "\n".join(line.text for line in child.out)

    assert "Let me look.\n  shop.price({'article': 'tea'})\n" in text
    assert "  -> {'euros': 4}" in text
    assert text.endswith("Tea is 3 euros and coffee 4.\n2 turns, 2 calls")
