"""The Axons of a server: those of tools that stay the same stay the same objects."""

from collections import Counter

from cosmonapse import Axon
from cosmonapse.mcp_tools.hosted_tools import HostedTools
from cosmonapse.mcp_tools.tool import Tool

ANY = {"type": "object"}
READ, WRITE = Tool("read", "reads", ANY), Tool("write", "writes", ANY)


async def neuron(input, context):
    return {}


def axon_for(neuron_id, tool):
    return Axon(neuron_id=neuron_id, neuron_fn=neuron, input=dict(tool.input))


def hosted(*patterns):
    return HostedTools("the server", patterns or ("*",), axon_for, Counter())


def ids_of(tools):
    return [axon.neuron_id for axon in tools.axons]


def test_a_tool_that_is_listed_again_keeps_its_axon_and_a_changed_one_gets_another():
    tools = hosted()
    tools.update("fs", [READ, WRITE])
    read, write = tools.axons

    tools.update("fs", [READ, Tool("write", "writes a file", ANY)])

    assert tools.axons[0] is read
    assert tools.axons[1] is not write
    assert ids_of(tools) == ["fs.read", "fs.write"]


def test_it_is_told_whether_an_axon_has_come_gone_or_changed():
    tools = hosted()

    changes = [
        tools.update("fs", [READ]),
        tools.update("fs", [READ]),
        tools.update("fs", [READ, WRITE]),
        tools.update("fs", [WRITE]),
        tools.update("files", [WRITE]),
    ]

    assert changes == [True, False, True, True, True]


def test_a_tool_that_cannot_be_an_axon_is_counted_once_and_again_after_it_was_gone(caplog):
    counts = Counter()
    tools = HostedTools("the server", ("*",), axon_for, counts)
    bad = Tool("bad", "", {"type": "array"})

    for listed in ([READ, bad], [READ, bad], [READ], [READ, bad]):
        tools.update("fs", listed)

    assert ids_of(tools) == ["fs.read"]
    assert counts == {"tool_left_out": 2}
    assert "the server: the tool 'bad' is left out" in caplog.text


def test_it_is_logged_which_tools_there_are_where_the_patterns_name_none(caplog):
    tools = hosted("list_*", "find")

    tools.update("fs", [READ, WRITE])

    assert tools.axons == []
    assert "no tool is hosted; wanted: list_*, find; it has: read, write" in caplog.text
