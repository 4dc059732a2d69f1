"""Streams of A2A that end before their task does: they end with an error. Needs the extra [a2a].

The SDK drops a stream whose client is 1,024 events behind, and ends it as if it were whole. The
task goes on, and the gateway keeps all of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from a2a.server.context import ServerCallContext
from a2a.server.events import Event
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.types import (
    SendMessageRequest,
    SubscribeToTaskRequest,
    Task,
    TaskState,
    TaskStatusUpdateEvent,
)
from a2a.utils.errors import InternalError

_GOES_ON = frozenset({TaskState.TASK_STATE_SUBMITTED, TaskState.TASK_STATE_WORKING})
_TEXT = (
    "this stream ends before its task and is not whole: its client reads too slowly, or the task "
    "was ended; GetTask has all of it, and SubscribeToTask goes on"
)


class StreamingHandler(DefaultRequestHandler):
    """The handler of the SDK, whose streams are whole or end with an error.

    Args:
        counts: Where the others are counted.
        settings: Those of the handler.
    """

    def __init__(self, *settings: Any, counts: Counter[str], **named: Any) -> None:
        super().__init__(*settings, **named)
        self._counts = counts

    async def on_message_send_stream(
        self, params: SendMessageRequest, context: ServerCallContext
    ) -> AsyncGenerator[Event, None]:
        """Run a message, and yield what is told of its task."""
        events = super().on_message_send_stream(params, context)
        async for event in self._whole(events):
            yield event

    async def on_subscribe_to_task(
        self, params: SubscribeToTaskRequest, context: ServerCallContext
    ) -> AsyncGenerator[Event, None]:
        """Yield a task, and what is told of it from now on."""
        async for event in self._whole(super().on_subscribe_to_task(params, context)):
            yield event

    async def _whole(self, events: AsyncIterator[Event]) -> AsyncIterator[Event]:
        """Yield events.

        Raises:
            InternalError: They end while the task goes on.
        """
        goes_on = False
        async for event in events:
            if isinstance(event, Task | TaskStatusUpdateEvent):
                goes_on = event.status.state in _GOES_ON
            yield event
        if goes_on:
            self._counts["cut.a2a_stream"] += 1
            raise InternalError(message=_TEXT)
