#!/usr/bin/env bash
# Guess:  A message of A2A that names its task needs no context id: the server knows the task, and the
#         conversation that it belongs to.
# Truth:  The server of the SDK makes a new context id for such a message and gives it to the agent. The
#         first answer to a question of the agent passes, in another conversation. The second one fails:
#         "Context in event doesn't match TaskManager".
# Matters: An agent that keys a session by its context id loses the session with the answer to its own
#         question, and one that asks twice cannot be answered. Take the id from the stored task, in a
#         RequestContextBuilder of your own.
# Seen:   a2a-sdk 1.3.0: three messages to one task have three context ids, and the third raises
#         InvalidParamsError; with the context id in each message all three pass.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -qq --disable-pip-version-check "a2a-sdk[http-server]==1.3.0" protobuf==7.36.2

"$folder/venv/bin/python" - <<'PYTHON'
import asyncio
import logging
import sys
from importlib.metadata import version

import httpx
from a2a.client import ClientConfig, ClientFactory
from a2a.server.agent_execution import AgentExecutor
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.routes import create_jsonrpc_routes
from a2a.server.tasks import InMemoryTaskStore, TaskUpdater
from a2a.types import (
    AgentCapabilities, AgentCard, AgentInterface, Message, Part, Role, SendMessageRequest, Task, TaskState, TaskStatus,
)
from starlette.applications import Starlette

logging.disable(logging.CRITICAL)
contexts = []


class Agent(AgentExecutor):
    """Asks for more, each time."""

    async def execute(self, context, queue):
        contexts.append(context.context_id)
        if context.current_task is None:
            status = TaskStatus(state=TaskState.TASK_STATE_SUBMITTED)
            await queue.enqueue_event(Task(id=context.task_id, context_id=context.context_id, status=status))
        await TaskUpdater(queue, context.task_id, context.context_id).requires_input()

    async def cancel(self, context, queue):
        pass


card = AgentCard(
    name="agent",
    description="Asks",
    version="1",
    supported_interfaces=[AgentInterface(url="http://agent/rpc", protocol_binding="JSONRPC", protocol_version="1.0")],
    capabilities=AgentCapabilities(),
)


async def talk(client, is_named):
    """Send three messages to one task; return how many conversations the agent saw, and the error."""
    contexts.clear()
    names = {}
    try:
        for number in range(3):
            parts = [Part(text="hello")]
            message = Message(message_id=str(number), role=Role.ROLE_USER, parts=parts, **names)
            async for event in client.send_message(SendMessageRequest(message=message)):
                names = {"task_id": event.task.id}
                if is_named:
                    names["context_id"] = event.task.context_id
    except Exception as error:
        return len(set(contexts)), type(error).__name__
    return len(set(contexts)), None


async def main():
    handler = DefaultRequestHandler(Agent(), InMemoryTaskStore(), card)
    app = Starlette(routes=create_jsonrpc_routes(handler, "/rpc"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as http:
        client = ClientFactory(ClientConfig(streaming=False, httpx_client=http)).create(card)
        found = await talk(client, is_named=False), await talk(client, is_named=True)
    await handler.aclose()
    return found


alone, named = asyncio.run(main())
print("a2a-sdk", version("a2a-sdk"))
print("messages with the task id alone:    conversations, error =", alone)
print("messages with the context id too:   conversations, error =", named)
sys.exit(0 if alone == (3, "InvalidParamsError") and named == (1, None) else 1)
PYTHON
