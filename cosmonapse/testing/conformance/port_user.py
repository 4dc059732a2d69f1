"""A bare user of the transport port: it records its events and sends on request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from itertools import count
from typing import Any, NamedTuple, Self

from ...transport import (
    Outcome,
    PresenceVerb,
    ReplyFlag,
    ReplyItem,
    Synapse,
    TaskFlag,
    TaskItem,
    Topic,
)
from .waiting import until

MAX_SIGNAL_BYTES = 16 * 1024 * 1024
OPEN_S = 5.0
NOBODY = bytes(16)
TASK, ANSWER, THOUGHT, CHATTER, HERE, GONE = 1, 2, 10, 13, 18, 20
"""Type codes: of a task, its answer, what precedes that, a broadcast, and presence."""
UNHEARD = 16
"""The type code of a broadcast that nobody listens to."""
ACCEPTED = (Outcome.SENT, Outcome.WAITING)
_numbers = count(1)


class TaskEvent(NamedTuple):
    """One task of `on_tasks`."""

    caller: bytes
    address: str
    task: bytes
    trace: bytes
    kind: int
    ttl_ms: int
    flags: int
    body: bytes


class ReplyEvent(NamedTuple):
    """One reply of `on_replies`."""

    worker: bytes
    task: bytes
    trace: bytes
    kind: int
    index: int  # type: ignore[assignment]  # the name that the port gives it
    flags: int
    body: bytes


class CancelEvent(NamedTuple):
    """`on_cancel`."""

    caller: bytes
    task: bytes


class BounceEvent(NamedTuple):
    """`on_bounce`."""

    task: bytes
    reason: str


class LostEvent(NamedTuple):
    """`on_lost`."""

    task: bytes
    reason: str


class HeardEvent(NamedTuple):
    """`on_heard`."""

    kind: int
    trace: bytes
    caller: bytes
    worker: bytes
    body: bytes


class MissedEvent(NamedTuple):
    """`on_missed`."""

    count: int  # type: ignore[assignment]  # as above


class RegisteredEvent(NamedTuple):
    """`on_registered`."""

    neuron_id: str
    refusal: str


class WelcomedEvent(NamedTuple):
    """`on_welcomed`."""

    fresh: bool


class PublishedEvent(NamedTuple):
    """`on_published`."""

    publisher: bytes
    kind: int
    trace: bytes
    body: bytes


class AwayEvent(NamedTuple):
    """`on_away`."""

    why: str


_EVENTS: dict[str, Callable[..., Any]] = {
    "on_tasks": TaskEvent,
    "on_replies": ReplyEvent,
    "on_cancel": CancelEvent,
    "on_bounce": BounceEvent,
    "on_lost": LostEvent,
    "on_heard": HeardEvent,
    "on_missed": MissedEvent,
    "on_published": PublishedEvent,
    "on_registered": RegisteredEvent,
    "on_welcomed": WelcomedEvent,
    "on_away": AwayEvent,
}


def new_id() -> bytes:
    """Return 16 bytes that were never returned before."""
    return next(_numbers).to_bytes(16, "big")


class PortUser:
    """One connection, and all that its transport reported, in order, in `happened`.

    Args:
        synapse: Where it connects.
        namespace: Where it belongs.
        answers: Whether it settles each task at once with the task's own body.
        max_signal_bytes: As for `Synapse.transport`.
        fence: See `Harness.fence`.
    """

    def __init__(
        self,
        synapse: Synapse,
        namespace: str,
        *,
        answers: bool = False,
        max_signal_bytes: int = MAX_SIGNAL_BYTES,
        fence: Callable[[PortUser], Awaitable[None]] | None = None,
    ) -> None:
        self.happened: list[Any] = []
        self.answers = answers
        self._fence = fence or PortUser.bounce
        self._registered: dict[str, tuple[str, ...]] = {}
        # `__getattr__` provides the rest of a Receiver.
        self.transport = synapse.transport(namespace, "user", self, max_signal_bytes)
        self.instance = self.transport.instance

    def of(self, name: str) -> list[Any]:
        """Return the events of that name, such as `on_bounce`; one for each task or reply."""
        return [each for each in self.happened if type(each) is _EVENTS[name]]

    def about(self, name: str, task: bytes) -> list[Any]:
        """Return the events of that name that are about a task."""
        return [each for each in self.of(name) if each.task == task]

    async def welcome(self) -> None:
        """Return once no `on_away` is behind its last welcome."""

        def is_welcome() -> bool:
            known = [each for each in self.happened if type(each) in (WelcomedEvent, AwayEvent)]
            return bool(known) and type(known[-1]) is WelcomedEvent

        await until(is_welcome, what="its welcome")

    async def seen(self, name: str, count: int = 1) -> list[Any]:
        """Wait for so many events of that name; return them."""
        await until(lambda: len(self.of(name)) >= count, what=f"{count} {name}")
        return self.of(name)

    # -- its sends -------------------------------------------------------------------------------

    async def open(self, *topics: Topic) -> Self:
        """Open the transport; return this."""
        await self.transport.open(OPEN_S, topics)
        return self

    def say(
        self,
        verb: PresenceVerb,
        name: str,
        capabilities: Iterable[str] = (),
        body: bytes = b"here",
    ) -> Outcome:
        """Send presence."""
        facts = {"capabilities": list(capabilities)} if capabilities else {}
        return self.transport.send_presence(verb, name, facts, HERE, body)

    async def serve(self, *names: str, capabilities: Iterable[str] = ()) -> Self:
        """Register names, now and after each welcome; return this once they are in the tables."""
        already = len(self.of("on_registered"))
        for name in names:
            self._registered[name] = tuple(capabilities)
            assert self.say(PresenceVerb.REGISTER, name, capabilities) is Outcome.SENT
        registered = await self.seen("on_registered", already + len(names))
        assert not any(each.refusal for each in registered)
        return self

    def ask(self, name: str | None = None, body: bytes = b"", **options: Any) -> bytes:
        """Send a task; return its id."""
        task: bytes = options.pop("task", None) or new_id()
        outcome = self.send(name, body, task=task, **options)
        assert outcome in ACCEPTED, outcome
        return task

    def send(
        self,
        name: str | None,
        body: bytes = b"",
        *,
        task: bytes,
        capabilities: Iterable[str] = (),
        trace: bytes = NOBODY,
        ttl_ms: int = 10_000,
        keep: bool = False,
    ) -> Outcome:
        """Send a task; return the outcome of that."""
        address = self.transport.address_of(name, tuple(capabilities))
        flags = TaskFlag.KEEP if keep else 0
        return self.transport.send_task(address, task, trace, TASK, body, ttl_ms, flags)

    def reply(
        self,
        task: TaskEvent,
        body: bytes = b"",
        *,
        index: int = 0,
        settles: bool = True,
        kind: int = ANSWER,
    ) -> Outcome:
        """Send a reply to a task that it got; return the outcome of that."""
        flags = ReplyFlag.SETTLES if settles else 0
        return self.transport.send_reply(
            task.caller, task.task, task.trace, kind, body, index, flags
        )

    def publish(self, body: bytes, trace: bytes = NOBODY) -> int:
        """Publish a broadcast; return how many messages that took."""
        return self.transport.publish(CHATTER, trace, body)

    async def knows_listeners(self) -> Self:
        """Return once it knows which topics have listeners."""
        self.transport.publish(UNHEARD, new_id(), b"")
        await until(lambda: not self.transport.is_heard(UNHEARD, new_id()), what="its listeners")
        return self

    async def fence(self) -> None:
        """Return when what it sent was handled, and what was on its way to it has arrived."""
        await self._fence(self)

    async def bounce(self) -> None:
        """Send a task that nobody can get; return when that came back."""
        task = self.ask("nobody", ttl_ms=0)  # even a Synapse that just started bounces that
        await until(lambda: self.about("on_bounce", task), what="the fence")

    # -- its events ------------------------------------------------------------------------------

    def on_heard(
        self, kind: int, trace: bytes, caller: bytes, worker: bytes, bodies: list[bytes]
    ) -> None:
        """Record the broadcasts of a message."""
        for body in bodies:
            self.happened.append(HeardEvent(kind, trace, caller, worker, body))

    def on_tasks(self, caller: bytes, address: str, items: list[TaskItem]) -> None:
        """Record the tasks of a message, and answer them if it answers."""
        for item in items:
            task = TaskEvent(caller, address, *item)
            self.happened.append(task)
            if self.answers:
                self.reply(task, task.body)

    def on_replies(self, worker: bytes, items: list[ReplyItem]) -> None:
        """Record the replies of a message."""
        self.happened += [ReplyEvent(worker, *item) for item in items]

    def on_welcomed(self, fresh: bool) -> None:
        """Record it, and register anew, as a Dendrite does."""
        self.happened.append(WelcomedEvent(fresh))
        for name, capabilities in self._registered.items():
            self.say(PresenceVerb.REGISTER, name, capabilities)

    def __getattr__(self, name: str) -> Callable[..., None]:
        """Return a function that records an event of that name."""
        if name not in _EVENTS:
            raise AttributeError(name)
        return lambda *arguments: self.happened.append(_EVENTS[name](*arguments))
