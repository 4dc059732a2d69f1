"""The transport port: what a Dendrite needs from whatever carries its bytes.

Spec: docs/spec/08-port.md. Pure. A transport knows bytes, names and ids, never Signals. A send
returns at once and proves nothing; what is known of loss comes back as a call on the `Receiver`.
Reconnecting happens inside.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Any, NamedTuple, Protocol

from .registry import NeuronRecord, SynapseState

Topic = tuple[int | None, bytes | None]
"""(type code, None) or (None, 16 bytes of a trace id)."""


class Opened(NamedTuple):
    """A task that is open at its caller.

    Attributes:
        task: Task id, 16 bytes.
        trace: Trace id, 16 bytes.
        next_index: Index of the next reply that is wanted.
        left_ms: Remaining time in milliseconds.
        keep: True if it runs on when its caller goes away.
    """

    task: bytes
    trace: bytes
    next_index: int
    left_ms: int
    keep: bool


class Held(NamedTuple):
    """A task in a worker's hands, or one that it had.

    Attributes:
        caller: Instance id of its caller, 16 bytes.
        task: Task id, 16 bytes.
        trace: Trace id, 16 bytes.
        neuron_id: The Axon that it is for.
        claim: A `Claim`: what has become of it.
        left_ms: Remaining time in milliseconds.
        keep: True if it runs on when its caller goes away.
    """

    caller: bytes
    task: bytes
    trace: bytes
    neuron_id: str
    claim: int
    left_ms: int
    keep: bool


class ReplyFlag(enum.IntFlag):
    """Bits of a reply."""

    SETTLES = 1
    """The last one of its task."""
    SKIPS = 4
    """Sent again: the replies missing before it are gone."""


class TaskFlag(enum.IntFlag):
    """Bits of a task."""

    KEEP = 2
    """Let it run on when its caller goes away."""


class Outcome(enum.Enum):
    """What became of a send, at once."""

    SENT = enum.auto()
    WAITING = enum.auto()
    BUSY = enum.auto()
    TOO_LARGE = enum.auto()
    CLOSED = enum.auto()


class PresenceVerb(enum.Enum):
    """What an Axon says of itself."""

    REGISTER = enum.auto()
    HEARTBEAT = enum.auto()
    DEREGISTER = enum.auto()


class Claim(enum.IntEnum):
    """What a worker has of a task."""

    RUNNING = 0
    """It runs, or waits to run."""
    ANSWERED = 1
    """It has ended, and its replies are kept."""
    FORGOTTEN = 2
    """It has ended, and its replies are kept no longer."""


class ResyncSource(Protocol):
    """Who knows our tasks; a transport asks when it has lost a connection."""

    def open_tasks(self) -> Iterable[Opened]:
        """Return every task of ours that is open, oldest first."""

    def held_tasks(self) -> Iterable[Held]:
        """Return every task that runs or waits here."""

    def claim_of(self, caller: bytes, task: bytes) -> Held | None:
        """Return what we have of a task; None if we never had it."""

    def send_again(self, caller: bytes, task: bytes, index: int) -> None:
        """Send the replies of a task again from number `index` on, as far as they are kept."""


class Receiver(Protocol):
    """What a transport reports, one call an event, on the event loop; none may block."""

    def on_task(
        self,
        caller: bytes,
        address: str,
        task: bytes,
        trace: bytes,
        kind: int,
        ttl_ms: int,
        flags: int,
        body: bytes,
    ) -> None:
        """Take a task for the Axon `address`, with `ttl_ms` milliseconds left."""

    def on_reply(
        self,
        worker: bytes,
        task: bytes,
        trace: bytes,
        kind: int,
        index: int,
        flags: int,
        body: bytes,
    ) -> None:
        """Take the reply number `index` to a task of ours.

        `flags` are `ReplyFlag`s.
        """

    def on_cancel(self, caller: bytes, task: bytes) -> None:
        """Take back a task that we have."""

    def on_bounce(self, task: bytes, reason: str) -> None:
        """Learn that a task of ours was not delivered."""

    def on_lost(self, task: bytes, reason: str) -> None:
        """Learn that a task of ours was delivered and will have no reply.

        With the reason `reply_waits` it has ended, and its last reply found no room on its way
        here: it is to be asked for, as one that is missing.
        """

    def on_heard(self, kind: int, trace: bytes, caller: bytes, worker: bytes, body: bytes) -> None:
        """Take a broadcast Signal that we listen to; `kind` is -1 if it came by trace."""

    def on_missed(self, count: int) -> None:
        """Learn how many broadcast Signals are missing before the next one."""

    def on_registered(self, neuron_id: str, refusal: str) -> None:
        """Learn that an Axon of ours is in the tables and may get tasks, or why it is not."""

    def on_welcomed(self, fresh: bool) -> None:
        """Learn that the Synapse took us in; `fresh` when it knows nothing of us."""

    def on_away(self, why: str) -> None:
        """Learn that the Synapse is out of reach; the transport goes on trying by itself."""


class QueryPort(Protocol):
    """What a transport can ask its Synapse."""

    async def roster(self, neuron_id: str, capability: str, timeout_s: float) -> list[NeuronRecord]:
        """Return the live Axons of the namespace; an empty filter matches any.

        Raises:
            SynapseUnreachable: No answer within `timeout_s` seconds.
        """

    async def state(self, timeout_s: float) -> SynapseState:
        """Return how the Synapse is.

        Raises:
            SynapseUnreachable: No answer within `timeout_s` seconds.
        """


class Transport(QueryPort, Protocol):
    """One Dendrite's connection to a Synapse."""

    @property
    def instance(self) -> bytes:
        """The id of this connection that survives reconnects, 16 bytes."""

    @property
    def max_signal_bytes(self) -> int:
        """The size limit of an encoded Signal."""

    @property
    def heartbeat_s(self) -> float:
        """How often the Synapse wants to hear from an Axon."""

    @property
    def counts(self) -> dict[str, int]:
        """Every drop, gap and return so far, by name."""

    def resync_from(self, source: ResyncSource) -> None:
        """Ask `keeper` what is open and what is held here, after each reconnect; before `open`."""

    async def open(self, timeout_s: float, topics: Iterable[Topic]) -> None:
        """Connect, listening to `topics`; return when both planes are live.

        Raises:
            SynapseUnreachable: Not within `timeout_s` seconds.
            SynapseRefused: The Synapse said no.
        """

    async def close(self, timeout_s: float) -> bool:
        """Send what waits, say goodbye and close; False if that took over `timeout_s` seconds."""

    def send_task(
        self,
        neuron: str | None,
        capabilities: tuple[str, ...],
        task: bytes,
        trace: bytes,
        kind: int,
        body: bytes,
        *,
        ttl_ms: int,
        keep: bool,
    ) -> Outcome:
        """Send a task to one live Axon; `keep` lets it run when we are gone."""

    def send_reply(
        self,
        caller: bytes,
        task: bytes,
        trace: bytes,
        kind: int,
        body: bytes,
        *,
        index: int,
        settles: bool,
        skips: bool = False,
    ) -> Outcome:
        """Send the reply number `index` of a task that we have.

        `skips` says that those before it, as far as they are missing, are kept no longer.
        """

    def send_gap(self, opened: Opened) -> Outcome:
        """Ask for the replies to a task of ours from its next index on."""

    def send_cancel(self, task: bytes, trace: bytes) -> Outcome:
        """Take back a task of ours."""

    def send_presence(
        self, verb: PresenceVerb, neuron_id: str, facts: dict[str, Any], kind: int, body: bytes
    ) -> Outcome:
        """Tell the Synapse about an Axon: `facts` for its tables, `body` for who listens."""

    def is_heard(self, kind: int, trace: bytes) -> bool:
        """Tell whether anyone listens to what we would publish."""

    def publish(self, kind: int, trace: bytes, caller: bytes, worker: bytes, body: bytes) -> int:
        """Publish to whoever listens; return how many messages that took."""

    def listen(self, topic: Topic) -> None:
        """Listen to a topic; in force after the next `sync`."""

    def unlisten(self, topic: Topic) -> None:
        """Take back one `listen`."""

    async def sync(self, timeout_s: float) -> None:
        """Return when every `listen` so far is in force.

        Raises:
            SynapseUnreachable: Not within `timeout_s` seconds.
        """

    async def barrier(self, timeout_s: float) -> bool:
        """Return when everything that the Synapse sent us before has arrived; False if unknown."""

    async def drained(self) -> None:
        """Return when no message of ours waits in front of the socket."""


class Synapse(Protocol):
    """Where Dendrites meet. Several may share one."""

    @property
    def url(self) -> str:
        """The URL it was made from."""

    async def connect(self, timeout_s: float) -> None:
        """Return when it answers.

        Raises:
            SynapseUnreachable: Not within `timeout_s` seconds.
            SynapseRefused: It speaks another version.
        """

    def transport(
        self, namespace: str, dendrite_id: str, receiver: Receiver, max_signal_bytes: int
    ) -> Transport:
        """Return a new connection, not yet open."""

    async def close(self) -> None:
        """Close every connection that is still open."""
