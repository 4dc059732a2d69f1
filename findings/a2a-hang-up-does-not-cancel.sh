#!/usr/bin/env bash
# Guess:  When the client of a streamed message hangs up, the server cancels the agent, as HTTP servers
#         cancel the handler of a request whose client is gone.
# Truth:  The agent runs on to its end, seen by no one: its task belongs to the store, not to the connection,
#         since a client may come back by SubscribeToTask. Only CancelTask ends it.
# Matters: Closed tabs and clients that time out leave runs of a model behind that someone pays for. Each task
#         needs a deadline of its own, beside the timeout of its client.
# Seen:   a2a-sdk 1.3.0, sse-starlette 3.7.0, uvicorn 0.54.0: 0 of 5 hang-ups cancelled the agent, and
#         each of 5 CancelTask did.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install -qq --disable-pip-version-check "a2a-sdk[http-server]==1.3.0" protobuf==7.36.2 \
	sse-starlette==3.7.0 uvicorn==0.54.0

"$folder/venv/bin/python" - <<'PYTHON'
import asyncio
import logging
import sys
from importlib.metadata import version

import httpx
import uvicorn
from a2a.server.agent_execution import AgentExecutor
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.routes import create_rest_routes
from a2a.server.tasks import InMemoryTaskStore, TaskUpdater
from a2a.types import AgentCapabilities, AgentCard, Task, TaskState, TaskStatus
from starlette.applications import Starlette

logging.disable(logging.CRITICAL)
HEADERS = {"A2A-Version": "1.0"}
MESSAGE = {"message": {"messageId": "1", "role": "ROLE_USER", "parts": [{"text": "think"}]}}
running, cancelled = set(), []


class Agent(AgentExecutor):
    async def execute(self, context, queue):
        status = TaskStatus(state=TaskState.TASK_STATE_WORKING)
        await queue.enqueue_event(Task(id=context.task_id, context_id=context.context_id, status=status))
        running.add(context.task_id)
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.append(context.task_id)
            raise

    async def cancel(self, context, queue):
        await TaskUpdater(queue, context.task_id, context.context_id).cancel()


card = AgentCard(name="agent", description="Thinks", version="1", capabilities=AgentCapabilities(streaming=True))


async def main():
    handler = DefaultRequestHandler(Agent(), InMemoryTaskStore(), card)
    config = uvicorn.Config(Starlette(routes=create_rest_routes(handler)), port=0, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.05)
    port = server.servers[0].sockets[0].getsockname()[1]
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", headers=HEADERS, trust_env=False) as http:
        for _ in range(5):
            async with http.stream("POST", "/message:stream", json=MESSAGE) as stream:
                async for line in stream.aiter_lines():
                    if "WORKING" in line:
                        break
        await asyncio.sleep(1.0)
        by_hang_up = len(cancelled)
        for task_id in list(running):
            await http.post(f"/tasks/{task_id}:cancel")
        await asyncio.sleep(0.2)
    server.should_exit = True
    await serving
    await handler.aclose()
    return len(running), by_hang_up, len(cancelled) - by_hang_up


started, by_hang_up, by_cancel = asyncio.run(main())
print(*(f"{name} {version(name)}" for name in ("a2a-sdk", "sse-starlette", "uvicorn")))
print(f"{started} streams: {by_hang_up} agents cancelled by a hang-up, {by_cancel} by CancelTask")
sys.exit(0 if (started, by_hang_up, by_cancel) == (5, 0, 5) else 1)
PYTHON
