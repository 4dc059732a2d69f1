"""The transport port: the calls and events between a Dendrite and the carrier of its bytes.

Spec: docs/spec/08-port.md. Pure. A transport handles bytes, names and ids, never Signals. A send
returns at once and proves nothing; each known loss is reported by a call on the `Receiver`. The
transport reconnects by itself.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Any, NamedTuple, Protocol

from .registry import DendriteRecord, NeuronRecord, SynapseState, TaskRecord

_NO_PEER = bytes(16)

Topic = tuple[int | None, bytes | None]
"""(type code, None) or (None, 16 bytes of a trace id)."""


class Opened(NamedTuple):
    """A task that is open at its caller.

    Attributes:
        task: Task id, 16 bytes.
        trace: Trace id, 16 bytes.
        next_index: Index of the next reply that its caller expects.
        left_ms: Remaining time in milliseconds.
        keep: True if it runs on when its caller goes away.
        address: Where it was sent, so that no other neuron can claim it; empty if it is not said.
    """

    task: bytes
    trace: bytes
    next_index: int
    left_ms: int
    keep: bool
    address: bytes = b""


class Held(NamedTuple):
    """A task that a worker has, or had.

    Attributes:
        caller: Instance id of its caller, 16 bytes.
        task: Task id, 16 bytes.
        trace: Trace id, 16 bytes.
        neuron_id: The Axon that it is for.
        claim: Its state, a `Claim`.
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
    """Sent again: the missing replies before it are no longer stored."""
    RUN = 8
    """A run of replies (03-routing, "Runs")."""


class TaskFlag(enum.IntFlag):
    """Bits of a task."""

    KEEP = 2
    """The task runs on when its caller goes away."""
    RUN = 8
    """Its caller reads runs. The transport takes it off where runs do not pass."""


class Recipients(enum.IntFlag):
    """Those for whom a Signal is meant that is handed over, besides its listeners."""

    NONE = 0
    HOSTS = 1
    """Each transport with an Axon."""
    OFFERS = 2
    """Each transport with an Axon that offers all capabilities of an address."""
    PEER = 4
    """The transport with a certain `instance`."""
    CALLERS = 8
    """Each transport that sends tasks, or Signals to OFFERS."""


class Outcome(enum.Enum):
    """The immediate outcome of a send."""

    SENT = enum.auto()
    WAITING = enum.auto()
    BUSY = enum.auto()
    TOO_LARGE = enum.auto()
    CLOSED = enum.auto()


class PresenceVerb(enum.Enum):
    """The three messages of an Axon about its presence."""

    REGISTER = enum.auto()
    HEARTBEAT = enum.auto()
    DEREGISTER = enum.auto()


class Claim(enum.IntEnum):
    """The state of a task at a worker."""

    RUNNING = 0
    """It runs, or waits to run."""
    ANSWERED = 1
    """It has ended, and its replies are stored."""
    FORGOTTEN = 2
    """It has ended, and its replies are no longer stored."""


class ResyncSource(Protocol):
    """Knows the tasks of a Dendrite; its transport queries it after each reconnect."""

    def open_tasks(self) -> Iterable[Opened]:
        """Return every open task of this Dendrite, oldest first."""

    def held_tasks(self) -> Iterable[Held]:
        """Return every task that runs or waits here."""

    def claim_of(self, caller: bytes, task: bytes) -> Held | None:
        """Return the state of a task; None if it never was here."""

    def send_again(self, caller: bytes, task: bytes, index: int) -> None:
        """Send the stored replies of a task again, from number `index` on."""


TaskItem = tuple[bytes, bytes, int, int, int, bytes]
"""task, trace, type code, milliseconds left, `TaskFlag`s, body."""

ReplyItem = tuple[bytes, bytes, int, int, int, bytes]
"""task, trace, type code, index of the reply, `ReplyFlag`s, body."""


class Receiver(Protocol):
    """Handles the events of a transport, one call each, on the event loop. No call may block.

    The tasks of one message, and its replies, are one event. One of them that cannot be handled
    must not cost the others.
    """

    def on_tasks(self, caller: bytes, address: str, items: list[TaskItem]) -> None:
        """Handle the tasks of one message for the Axon `address`, in order."""

    def on_replies(self, worker: bytes, items: list[ReplyItem]) -> None:
        """Handle the replies of one message to tasks of this caller, in order."""

    def on_cancel(self, caller: bytes, task: bytes) -> None:
        """Cancel a task that this worker has."""

    def on_bounce(self, task: bytes, reason: str) -> None:
        """Handle the return of a task that was not delivered."""

    def on_lost(self, task: bytes, reason: str) -> None:
        """Handle the loss of a task that was delivered and will have no reply.

        With the reason `reply_waits` the task has ended, and its last reply found no room on the
        way. Request that reply like a missing one.
        """

    def on_heard(
        self, kind: int, trace: bytes, caller: bytes, worker: bytes, bodies: list[bytes]
    ) -> None:
        """Handle the broadcast Signals of one message of a topic, in order.

        `kind` is -1 if the topic is a trace. The body of a copy may be a run (07-signals).
        """

    def on_published(self, publisher: bytes, kind: int, trace: bytes, body: bytes) -> None:
        """Handle a Signal that the transport `publisher` handed over for this one."""

    def on_missed(self, count: int) -> None:
        """Handle a gap: `count` broadcast Signals are missing before the next one."""

    def on_registered(self, neuron_id: str, refusal: str) -> None:
        """Handle the answer to a REGISTER; an empty `refusal` means that tasks may come."""

    def on_welcomed(self, fresh: bool) -> None:
        """Handle acceptance by the Synapse; `fresh` if it has no state of this connection."""

    def on_away(self, why: str) -> None:
        """Handle the loss of the connection; the transport reconnects by itself."""


class QueryPort(Protocol):
    """The queries of a transport to its Synapse.

    Raises:
        SynapseUnreachable: No answer within `timeout_s` seconds.
    """

    async def roster(self, neuron_id: str, capability: str, timeout_s: float) -> list[NeuronRecord]:
        """Return the live Axons of the namespace; an empty filter matches any."""

    async def dendrites(self, timeout_s: float) -> list[DendriteRecord]:
        """Return the Dendrites of the namespace; none if the Synapse cannot tell."""

    async def open_tasks(self, timeout_s: float) -> list[TaskRecord] | None:
        """Return the open tasks that this transport may see; None if the Synapse cannot tell."""

    async def state(self, timeout_s: float) -> SynapseState:
        """Return the state of the Synapse."""


class BroadcastPort(Protocol):
    """The broadcast plane of a transport."""

    def is_heard(self, kind: int, trace: bytes) -> bool:
        """Return whether a Signal of this kind and trace has a listener."""

    def publish(self, kind: int, trace: bytes, body: bytes, *, seldom: bool = False) -> int:
        """Publish to the listeners; return the number of messages: 0, 1 or 2.

        With `seldom` it opens no connection of its own, unless there are many of them.
        """

    @property
    def takes_published(self) -> bool:
        """Whether the far end takes what is handed over; known from `open` on."""

    @property
    def older_publishers(self) -> bool:
        """Whether others may publish by the broadcast plane alone what is meant for this one."""

    def send_published(
        self,
        recipients: int,
        kind: int,
        trace: bytes,
        body: bytes,
        peer: bytes = _NO_PEER,
        address: bytes = b"",
    ) -> Outcome:
        """Hand a Signal over: for the listeners, and for certain transports.

        Args:
            recipients: Bits of `Recipients`.
            kind: The type code.
            trace: Trace id, 16 bytes.
            body: The encoded Signal.
            peer: The `instance` of the recipient, with PEER.
            address: Of `address_of`, with OFFERS.
        """

    def listen(self, topic: Topic) -> None:
        """Listen to a topic; in force after the next `sync`."""

    def unlisten(self, topic: Topic) -> None:
        """Undo one `listen`."""

    async def sync(self, timeout_s: float) -> None:
        """Return when every `listen` so far is in force.

        Raises:
            SynapseUnreachable: Not within `timeout_s` seconds.
        """


class Transport(QueryPort, BroadcastPort, Protocol):
    """One Dendrite's connection to a Synapse."""

    @property
    def instance(self) -> bytes:
        """The id of this connection that survives reconnects, 16 bytes."""

    @property
    def user(self) -> str:
        """The name of the key of this connection, as the last WELCOME said; "" without keys."""

    @property
    def may(self) -> tuple[str, ...]:
        """The rights of that key, in the words of `cosmonapse.rights`; of use with a `user`."""

    def origin_of(self, instance: bytes) -> str | None:
        """Return the name of the key of a transport; None if it has none that is known."""

    @property
    def max_signal_bytes(self) -> int:
        """The size limit of an encoded Signal."""

    @property
    def heartbeat_s(self) -> float:
        """The interval of the heartbeats of an Axon, in seconds."""

    @property
    def counts(self) -> dict[str, int]:
        """Every drop, gap and return so far, by name."""

    @property
    def away_s(self) -> float | None:
        """For how long the Synapse has been away, in seconds; None while it is there."""

    def resync_from(self, source: ResyncSource) -> None:
        """After each reconnect list the tasks that `source` knows. Call it before `open`."""

    async def open(self, timeout_s: float | None, topics: Iterable[Topic]) -> None:
        """Connect and listen to `topics`; return when what is used is live.

        Args:
            timeout_s: Maximum duration in seconds; None waits for ever and says so every 10 s.
            topics: As for `listen`.

        Raises:
            SynapseUnreachable: Not within `timeout_s` seconds.
            SynapseRefused: The Synapse refused the connection.
        """

    async def close(self, timeout_s: float) -> bool:
        """Send every waiting message and close; False if `timeout_s` seconds were not enough."""

    def address_of(self, neuron: str | None, capabilities: tuple[str, ...]) -> bytes:
        """Return the address of an Axon, or of any Axon that offers all `capabilities`."""

    def send_task(
        self,
        address: bytes,
        task: bytes,
        trace: bytes,
        kind: int,
        body: bytes,
        ttl_ms: int,
        flags: int,
    ) -> Outcome:
        """Send a task to one live Axon of an address; `flags` are `TaskFlag`s."""

    def send_reply(
        self,
        caller: bytes,
        task: bytes,
        trace: bytes,
        kind: int,
        body: bytes,
        index: int,
        flags: int,
    ) -> Outcome:
        """Send the reply number `index` of a task of this worker; `flags` are `ReplyFlag`s."""

    def send_gap(self, opened: Opened) -> Outcome:
        """Request the replies of a task of this caller from its next index on."""

    def send_cancel(self, task: bytes, trace: bytes) -> Outcome:
        """Cancel a task of this caller."""

    def send_presence(
        self, verb: PresenceVerb, neuron_id: str, facts: dict[str, Any], kind: int, body: bytes
    ) -> Outcome:
        """Send the presence of an Axon: `facts` for the Synapse, `body` for the listeners."""

    async def barrier(self, timeout_s: float) -> bool:
        """Return when everything that the Synapse has sent so far has arrived; False if unknown."""

    async def drained(self) -> None:
        """Return when no message waits for room or for a connection."""


class Synapse(Protocol):
    """Where Dendrites meet. Several may share one."""

    @property
    def url(self) -> str:
        """The URL it was made from."""

    async def connect(self, timeout_s: float | None) -> None:
        """Return when the Synapse answers.

        Args:
            timeout_s: Maximum wait in seconds; None waits for ever and says so every 10 s.

        Raises:
            SynapseUnreachable: Not within `timeout_s` seconds.
            SynapseRefused: It has another version of the wire.
        """

    def transport(
        self, namespace: str, dendrite_id: str, receiver: Receiver, max_signal_bytes: int
    ) -> Transport:
        """Return a new connection that is not open yet."""

    async def close(self) -> None:
        """Close every connection that is still open."""
