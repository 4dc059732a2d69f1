"""One call of a tool, against a session that is played."""

import asyncio
from types import SimpleNamespace

import pytest

from cosmonapse import NeuronError
from cosmonapse.mcp_tools.tool import Tool
from cosmonapse.mcp_tools.tool_call import MAX_ROUNDS, ToolCall
from cosmonapse.mcp_tools.tool_server import MAX_BACKOFF_S, backoff_s

pytestmark = pytest.mark.asyncio
TOOL = Tool("t", "", {})


class Context:
    """The context of a task, which notes what is told."""

    remaining_s = 10.0

    def __init__(self):
        self.told = []

    async def tool_call(self, name, args):
        self.told.append(("call", name, args))
        return "sign"

    async def tool_result(self, sign, result=None, *, error=None):
        self.told.append(("result", result, error))

    async def think(self, text):
        raise asyncio.CancelledError


class Session:
    """A session whose calls give one result after the other."""

    def __init__(self, *results):
        self.results = list(results)
        self.calls = []

    async def call_tool(self, name, arguments, **settings):
        self.calls.append((arguments, settings))
        await settings["progress_callback"](1.0, None, "words")
        return self.results.pop(0)


def again(state, **requests):
    return SimpleNamespace(input_requests=requests, request_state=state)


async def test_a_call_without_requests_goes_on_with_the_state_of_the_server():
    done = SimpleNamespace(content=[], structured_content={"a": 1}, is_error=False)
    session, context = Session(again("s1"), done), Context()

    output = await ToolCall(TOOL, {"b": 2}, context).run(session)

    assert output == {"a": 1}
    assert session.calls[1][1]["request_state"] == "s1"
    assert context.told == [("call", "t", {"b": 2}), ("result", {"a": 1}, None)]


async def test_a_tool_that_asks_without_an_end_is_given_up():
    session = Session(*(again(str(each)) for each in range(MAX_ROUNDS)))

    with pytest.raises(NeuronError, match=f"{MAX_ROUNDS} rounds"):
        await ToolCall(TOOL, {}, Context()).run(session)


async def test_a_request_that_is_no_question_is_refused_by_its_name():
    request = SimpleNamespace(method="sampling/createMessage", params=None)

    with pytest.raises(NeuronError, match="sampling/createMessage") as caught:
        await ToolCall(TOOL, {}, Context()).run(Session(again("s", q=request)))

    assert caught.value.code == "TOOL_ERROR"


async def test_the_wait_before_the_next_start_doubles_up_to_half_a_minute():
    waits = [backoff_s(failures) for failures in range(9)]

    assert waits[:4] == [0.5, 1.0, 2.0, 4.0]
    assert waits[-1] == backoff_s(10_000) == MAX_BACKOFF_S == 30.0
