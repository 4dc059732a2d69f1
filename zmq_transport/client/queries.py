"""Query the proxy: its seats, open tasks, its state, and whether every message has arrived."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable

from ..errors import LinkClosed, Unreachable
from ..wire import heads
from ..wire.heads import Verb
from ..wire.open_task_messages import OpenTaskInfo, TasksQuery, pack_tasks_query, unpack_tasks
from ..wire.roster_messages import (
    ClientInfo,
    RosterQuery,
    SeatInfo,
    pack_question,
    unpack_answer,
    unpack_clients,
)
from ..wire.state_messages import QUESTION as STATE
from ..wire.state_messages import ProxyState
from ..wire.state_messages import unpack as unpack_state
from .events import Outcome

_UNUSED_NAME = "-"
"""A name without a seat, so that the answer is short."""


class Queries:
    """The queries that wait for an answer.

    Args:
        send: Sends head and body.
        endpoint: The endpoint of the proxy, for error texts.
    """

    def __init__(self, send: Callable[[bytes, bytes], Outcome], endpoint: str) -> None:
        self._send = send
        self._endpoint = endpoint
        self._questions: dict[bytes, asyncio.Future[bytes]] = {}
        self._repeated: dict[bytes, bytes] = {}

    async def roster(self, name: str, capability: str, timeout_s: float) -> list[SeatInfo]:
        """Return the seats in the proxy's tables; see `Client.roster`."""
        seats: list[SeatInfo] = []
        try:
            async with asyncio.timeout(timeout_s):
                more = True
                while more:
                    after = seats[-1].number if seats else 0
                    question = RosterQuery(name, capability, after)
                    page, more = unpack_answer(await self._asked(pack_question(question)))
                    seats += page
        except TimeoutError as error:
            raise Unreachable(self._endpoint, "no answer to a query for the roster") from error
        return seats

    async def clients(self, timeout_s: float) -> list[ClientInfo]:
        """Return which clients are here; none from a proxy that does not know the question.

        Raises:
            Unreachable: Not within `timeout_s` seconds.
            WireError: The answer cannot be read.
        """
        clients: list[ClientInfo] = []
        try:
            async with asyncio.timeout(timeout_s):
                more = True
                while more:
                    after = clients[-1].number if clients else 0
                    question = pack_question(RosterQuery(after=after, clients=True))
                    page, more = unpack_clients(await self._asked(question))
                    clients += page
        except TimeoutError as error:
            raise Unreachable(self._endpoint, "no answer to a question about clients") from error
        return clients

    async def open_tasks(self, timeout_s: float) -> list[OpenTaskInfo] | None:
        """Return the open tasks that this client may see; None if the proxy cannot tell.

        Raises:
            Unreachable: Not within `timeout_s` seconds.
            WireError: The answer cannot be read.
        """
        tasks: dict[bytes, OpenTaskInfo] = {}
        query: TasksQuery | None = TasksQuery()
        try:
            async with asyncio.timeout(timeout_s):
                while query is not None:
                    page = unpack_tasks(await self._asked(pack_tasks_query(query)))
                    if page is None:
                        return None
                    # One that found its worker between two pages is told in both.
                    tasks |= {each.caller + each.task: each for each in page.tasks}
                    query = None if page.after is None else TasksQuery(page.after)
        except TimeoutError as error:
            raise Unreachable(self._endpoint, "no answer to a question for open tasks") from error
        return list(tasks.values())

    async def state(self, timeout_s: float) -> ProxyState:
        """Return the state of the proxy.

        Raises:
            Unreachable: Not within `timeout_s` seconds.
            WireError: The answer is invalid.
        """
        try:
            async with asyncio.timeout(timeout_s):
                return unpack_state(await self._asked(STATE))
        except TimeoutError as error:
            raise Unreachable(self._endpoint, "no answer to a query for its state") from error

    async def barrier(self, timeout_s: float) -> bool:
        """Return when everything sent by the proxy so far has arrived; see `Client.barrier`."""
        try:
            async with asyncio.timeout(timeout_s):
                # Not repeated: over another connection the answer would prove nothing.
                question = pack_question(RosterQuery(name=_UNUSED_NAME))
                await self._asked(question, repeats=False)
        except (TimeoutError, LinkClosed):
            return False
        return True

    async def _asked(self, body: bytes, *, repeats: bool = True) -> bytes:
        question_id = os.urandom(16)
        answered = asyncio.get_running_loop().create_future()
        self._questions[question_id] = answered
        if repeats:
            self._repeated[question_id] = body
        try:
            if self._ask(question_id, body) is Outcome.CLOSED:
                raise LinkClosed("the link is closed")
            answer: bytes = await answered
            return answer
        finally:
            del self._questions[question_id]
            self._repeated.pop(question_id, None)

    def _ask(self, question_id: bytes, body: bytes) -> Outcome:
        return self._send(heads.pack(Verb.ROSTER, len(body), task=question_id), body)

    def ask_again(self) -> None:
        """Repeat what is not answered: the connection may have ended with it on its way."""
        for question_id, body in self._repeated.items():
            self._ask(question_id, body)

    def on_roster(self, question_id: bytes, body: bytes) -> None:
        """Handle an answer."""
        answered = self._questions.get(question_id)
        if answered is not None and not answered.done():
            answered.set_result(body)

    def close(self) -> None:
        """End every wait for an answer with `LinkClosed`."""
        for answered in self._questions.values():
            if not answered.done():
                answered.set_exception(LinkClosed("the link was closed before an answer came"))
