"""The page about tools and schemas: each of its programs, and the command that it prints."""

import asyncio
import contextlib
import io

import pytest

from cosmonapse import BlockingDendrite, NeuronError, SynapseServer
from house import pages
from support.processes import Children

PAGE = [block for block in pages.blocks(pages.DOCS / "tools.md") if block.language == "python"]
CONSOLE = next(
    block.code
    for block in pages.blocks(pages.DOCS / "tools.md")
    if block.language == "console" and "cosmo describe" in block.code
)


def program(name, namespace=None):
    """Run the block of the page whose first line names a file; return its names."""
    (code,) = [each.code for each in PAGE if each.code.splitlines()[0] == f"# {name}"]
    names = {"__name__": name} if namespace is None else namespace
    exec(compile(code, name, "exec"), names)
    return names


@pytest.fixture(scope="module")
def fabric():
    """A Synapse with the Neurons of the page, and a caller."""
    axons = [program("desk.py")["book"].axon, program("office.py")["axon"]]
    with (
        SynapseServer(port=0) as server,
        BlockingDendrite(server.url, axons=axons),
        BlockingDendrite(server.url) as caller,
    ):
        yield server.url, caller


def test_the_function_of_the_page_is_called_as_before_and_over_the_fabric(fabric):
    book = program("desk.py")["book"]

    assert asyncio.run(book("Oslo", nights=2)).price == 160.0
    assert fabric[1].ask(neuron="book", input={"city": "Oslo"})["text"] == "1 nights in Oslo"


def test_the_axon_of_the_page_refuses_what_does_not_fit(fabric):
    text = "BAD_INPUT: nights: Input should be less than or equal to 30"

    assert fabric[1].ask(neuron="reserve", input={"city": "A", "nights": 1}) == {"reserved": "A"}
    with pytest.raises(NeuronError, match=text):
        fabric[1].ask(neuron="reserve", input={"city": "A", "nights": 31})


def test_the_cards_of_the_page_are_printed(fabric, monkeypatch):
    monkeypatch.setenv("COSMO_URL", fabric[0])
    with contextlib.redirect_stdout(io.StringIO()) as out:
        program("look.py")

    assert "Reserve a room without a price" in out.getvalue()
    assert "['city', 'nights']" in out.getvalue()


def test_the_page_shows_what_describe_prints_and_its_command_works(fabric):
    with Children() as children:
        shown = children.cosmo("describe", "book", env={"COSMO_URL": fabric[0]})
        assert shown.wait() == 0
        lines = [line.text.rstrip() for line in shown.out]

    expected = [line.rstrip() for line in CONSOLE.splitlines()[1:]]
    assert [each for each in lines if not each.startswith("replicas: ")] == [
        each for each in expected if not each.startswith("replicas: ")
    ]
