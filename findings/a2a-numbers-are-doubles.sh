#!/usr/bin/env bash
# Guess:  A data part of A2A is JSON: {"nights": 2} from a client is {"nights": 2} for the agent, an int.
# Truth:  Since its types are protobuf, each number is a double. The agent gets 2.0, so that range(nights)
#         raises, and a whole number from 2**53 on arrives as another one, without an error.
# Matters: An agent that counts, indexes or writes numbers into a text ("2.0 nights") breaks, and ids of
#         64 bits change on their way. Whole doubles below 2**53 must be made ints again, and larger
#         numbers sent as text.
# Seen:   a2a-sdk 1.3.0, protobuf 7.36.2: 2 arrives as the float 2.0, 9007199254740993 as 9007199254740992.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -qq --disable-pip-version-check "a2a-sdk[http-server]==1.3.0" protobuf==7.36.2

"$folder/venv/bin/python" - <<'PYTHON'
import asyncio
import sys
from importlib.metadata import version

import httpx
from a2a.client import ClientConfig, ClientFactory
from a2a.server.agent_execution import AgentExecutor
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.routes import create_jsonrpc_routes
from a2a.server.tasks import InMemoryTaskStore
from a2a.types import AgentCapabilities, AgentCard, AgentInterface, Message, Part, Role, SendMessageRequest
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.struct_pb2 import Value
from starlette.applications import Starlette

SENT = {"nights": 2, "id": 2**53 + 1}
seen = {}


class Agent(AgentExecutor):
    async def execute(self, context, queue):
        seen.update(MessageToDict(context.message.parts[0].data))
        await queue.enqueue_event(Message(message_id="2", role=Role.ROLE_AGENT, parts=[Part(text="thanks")]))

    async def cancel(self, context, queue):
        pass


card = AgentCard(
    name="agent",
    description="Takes a value",
    version="1",
    supported_interfaces=[AgentInterface(url="http://agent/rpc", protocol_binding="JSONRPC", protocol_version="1.0")],
    capabilities=AgentCapabilities(),
)


async def main():
    handler = DefaultRequestHandler(Agent(), InMemoryTaskStore(), card)
    app = Starlette(routes=create_jsonrpc_routes(handler, "/rpc"))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as http:
        client = ClientFactory(ClientConfig(streaming=False, httpx_client=http)).create(card)
        message = Message(message_id="1", role=Role.ROLE_USER, parts=[Part(data=ParseDict(SENT, Value()))])
        async for _ in client.send_message(SendMessageRequest(message=message)):
            pass


asyncio.run(main())
print("a2a-sdk", version("a2a-sdk"), "protobuf", version("protobuf"))
print("sent    ", SENT)
print("received", seen, {key: type(value).__name__ for key, value in seen.items()})
same = isinstance(seen["nights"], float) and int(seen["id"]) == 2**53
sys.exit(0 if same else 1)
PYTHON
