"""Neurons behind the OpenAI-compatible face: "chat" does what the last message asks for.

They live in the process of the test, which counts what ran and what still runs.
"""

import asyncio
import json
import threading
from collections import Counter

from cosmonapse import Axon, Clarification, NeuronError, PermissionNeeded

TIMEOUT_S = 10.0
USAGE = {"input_tokens": 3, "output_tokens": 2}
TOOL_CALL = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"a":1}'}}


class ChatNeurons:
    """The Neurons `chat`, `plain`, `book` and `late`.

    Attributes:
        runs: How often each text was run.
        running: How many runs have not ended.
    """

    def __init__(self):
        self.runs, self.running = Counter(), 0
        self._news = threading.Condition()

    def axons(self):
        """Return the Axons: a chat, a Neuron of a text, one of other values, and one of a model."""
        city = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
        text = {"type": "object", "properties": {"prompt": {"type": "string"}}}
        more = {"nights": {"type": "integer"}, **city["properties"]}
        stay = {"type": "object", "properties": more, "required": ["city", "nights"]}
        return [
            Axon(
                neuron_id="chat",
                neuron_fn=self._chat,
                capabilities=["talk", "write"],
                description="Does what it is asked for",
            ),
            Axon(neuron_id="plain", neuron_fn=_seen, input={**text, "required": ["prompt"]}),
            Axon(neuron_id="town", neuron_fn=_seen, input=city),
            Axon(neuron_id="book", neuron_fn=_seen, input=stay),
        ]

    def wait_until(self, condition):
        """Wait until a condition of runs or running holds; it is called with this object."""
        with self._news:
            assert self._news.wait_for(lambda: condition(self), TIMEOUT_S)

    def _ran(self, text, by):
        with self._news:
            self.runs[text] += by > 0
            self.running += by
            self._news.notify_all()

    async def _chat(self, input, context):
        text = input["messages"][-1]["content"]
        self._ran(text, 1)
        try:
            async for value in _said(text, input, context):
                yield value
        finally:
            self._ran(text, -1)


async def _seen(input, context):
    return {"response": json.dumps(input)}


async def _said(text, input, context):
    match text.partition(":")[0]:
        case "reasons":
            await context.think("because", kind="reasoning")
            yield "there"
            yield "fore"
        case "calls":
            yield {"tool_calls": [TOOL_CALL], "usage": USAGE}
        case "shows":
            yield {"seen": input}
        case "counted":
            yield "Hello"
            yield ", world"
            yield {"response": "Hello, world", "usage": USAGE, "finish_reason": "max_tokens"}
        case "many":
            for at in range(200):
                yield f"{at} "
        case "held" | "one and held" | "silent" | "fails late":
            async for value in _said_slowly(text):
                yield value
        case _:
            _refuse(text)
            yield f"You said: {text}"


async def _said_slowly(text):
    match text.partition(":")[0]:
        case "held":
            await asyncio.sleep(30)
        case "one and held":
            yield "one"
            await asyncio.sleep(30)
        case "silent":
            await asyncio.sleep(5.5)
            yield "at last"
        case "fails late":
            yield "half"
            await asyncio.sleep(0.3)
            raise NeuronError("NO_GOOD", "it went wrong half way")


def _refuse(text):
    match text:
        case "fails":
            raise NeuronError("NO_GOOD", "it went wrong")
        case "overloaded":
            raise NeuronError("OVERLOADED", "come back later", retry_after_s=0.01)
        case "bad input":
            raise NeuronError("BAD_INPUT", "messages[0].content: too short")
        case "asks":
            raise Clarification("Which one?")
        case "asks leave":
            raise PermissionNeeded("delete everything")
