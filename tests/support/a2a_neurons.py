"""The Neurons behind the tests of the A2A face, and a client for one of them."""

import asyncio
import contextlib
import itertools

import attrs
from a2a.client import ClientConfig, create_client
from a2a.client.auth import AuthInterceptor, CredentialService
from a2a.types import Message, Part, Role, SendMessageRequest, Task, TaskState

from cosmonapse import Axon, NeuronError
from cosmonapse.serve.a2a_wire import as_value, plain

LARGE = 2**60 + 1
DEPTH = 40
BINDINGS = ("JSONRPC", "HTTP+JSON")
_numbers = itertools.count(1)
_SEARCH = {
    "type": "object",
    "properties": {"query": {"type": "string"}, "limit": {"type": "integer"}},
}


def echo(input, context):
    return {"got": input, "kinds": {key: type(value).__name__ for key, value in input.items()}}


async def chat(input, context):
    for word in ("one ", "two ", "three"):
        yield word


def plain_chat(input, context):
    return {"response": f"hello {input['prompt']}"}


def search(input, context):
    return {"query": input["query"]}


def book(input, context):
    """Ask twice, then answer with what was said."""
    said = [each["answer"] for each in input.get("clarifications", [])]
    if not said and "clarification" in input:
        said = [input["clarification"]["answer"]]
    if len(said) < 2:
        return {"__clarification__": True, "question": f"question {len(said) + 1}?"}
    return {"city": input["prompt"], "said": said}


def erase(input, context):
    if "permission" not in input:
        return {"__permission__": True, "action": "erase all", "reason": "disk full"}
    return {"permission": input["permission"]}


def climb(input, context):
    return {"__escalation__": True, "reason": "too hard", "target": "echo"}


def fail(input, context):
    raise NeuronError(input["prompt"], "as asked")


def large(input, context):
    return {"number": LARGE}


def deep(input, context):
    value = {}
    for _ in range(DEPTH):
        value = {"in": value}
    return value


def trace(input, context):
    return {"trace_id": context.trace_id}


class Waiting:
    """A Neuron that works until it is cancelled, and says so."""

    def __init__(self):
        self.started = self.cancelled = 0

    async def __call__(self, input, context):
        self.started += 1
        yield "begun"
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise


def axons(waiting):
    functions = {
        "echo": echo,
        "chat": chat,
        "plain": plain_chat,
        "book": book,
        "erase": erase,
        "climb": climb,
        "fail": fail,
        "large": large,
        "deep": deep,
        "trace": trace,
        "wait": waiting,
    }
    for name, function in functions.items():
        yield Axon(
            neuron_id=name,
            neuron_fn=function,
            capabilities=["test"],
            description=f"Test {name}",
        )
    about = {"description": "Search the docs", "input": _SEARCH, "version": "7"}
    yield Axon(neuron_id="search", neuron_fn=search, **about)
    yield Axon(neuron_id="bare", neuron_fn=plain_chat)


def text(words, media_type=""):
    return Part(text=words, media_type=media_type)


def data(value):
    return Part(data=as_value(value))


@attrs.frozen
class KnownToken(CredentialService):
    """The credentials of a client that has one token, for the scheme of this name."""

    token: str
    scheme: str = "bearer"

    async def get_credentials(self, security_scheme_name, context):
        return self.token if security_scheme_name == self.scheme else None


@attrs.define
class Conversation:
    """What a client does with one agent.

    Args:
        client: Of the SDK.
    """

    client: object
    task: Task | None = None
    events: list = attrs.field(factory=list)

    async def say(self, *parts, context_id="", metadata=None, go_on=True):
        """Send a message and return the task; goes on with the task that waits for an answer."""
        sending = self.events_of(*parts, context_id=context_id, metadata=metadata, go_on=go_on)
        await self.keep_all(sending)
        return await self.again()

    def events_of(self, *parts, context_id="", metadata=None, go_on=True):
        """Send a message and return its events."""
        message = Message(
            message_id=f"message-{next(_numbers)}",
            role=Role.ROLE_USER,
            parts=parts,
            context_id=context_id,
        )
        if go_on and self.task is not None:
            message.task_id = self.task.id
        request = SendMessageRequest(message=message)
        request.metadata.update(metadata or {})
        self.events = []
        return self.client.send_message(request)

    async def again(self):
        """Return the task as it is now."""
        from a2a.types import GetTaskRequest

        self.task = await self.client.get_task(GetTaskRequest(id=self.task.id))
        return self.task

    async def keep_all(self, events):
        """Take all events."""
        async for event in events:
            self.keep(event)

    def keep(self, event):
        """Take an event."""
        self.events.append(event)
        kind = event.WhichOneof("payload")
        if kind == "task":
            self.task = event.task
        elif self.task is None:
            self.task = Task(id=getattr(event, kind).task_id)


@contextlib.asynccontextmanager
async def talking(gateway, neuron, binding="JSONRPC", streaming=False, credentials=None):
    """Yield a conversation with an agent, by the SDK's own client.

    The token is a header of each request; or, with `credentials`, what the SDK makes of these by
    the scheme of the card.
    """
    headers = {"headers": {}} if credentials is not None else {}
    interceptors = [AuthInterceptor(credentials)] if credentials is not None else None
    async with gateway.async_client(timeout=20, **headers) as http:
        config = ClientConfig(
            streaming=streaming, supported_protocol_bindings=[binding], httpx_client=http
        )
        place = f"{gateway.base_url}/a2a/{neuron}"
        yield Conversation(await create_client(place, config, interceptors=interceptors))


def state(task):
    return TaskState.Name(task.status.state).removeprefix("TASK_STATE_")


def said(task):
    return "".join(part.text for part in task.status.message.parts)


def code(task):
    return task.status.message.metadata["code"]


def artifact(task, name="output"):
    """Return the parts of an artifact, texts and values."""
    found = [each for each in task.artifacts if each.artifact_id == name]
    return [
        plain(part.data) if part.WhichOneof("content") == "data" else part.text
        for each in found
        for part in each.parts
    ]
