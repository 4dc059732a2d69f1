"""Adapt a `zmq_transport` client to the transport port, over any carrier."""

from __future__ import annotations

import functools
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import attrs

import zmq_transport as wire_side

from ..errors import AccessRefused, SynapseRefused, SynapseUnreachable
from ..ids import id_text
from ..registry import DendriteRecord, NeuronRecord, SynapseState, TaskRecord
from ..transport import Opened, Outcome, PresenceVerb, Receiver, ResyncSource, Topic
from .fabric_news import FabricNews
from .synapse_figures import synapse_state
from .url import url_of

_LOG = logging.getLogger(__name__)
_NO_PEER = bytes(16)
_OUTCOMES = {each: Outcome[each.name] for each in wire_side.Outcome}
# As plain names: an attribute of an enum class costs a lookup in its metaclass.
_SENT = Outcome.SENT
_WIRE_SENT = wire_side.Outcome.SENT
_VERBS = {each: wire_side.Verb[each.name] for each in PresenceVerb}
_FOREIGN_NAMESPACE = "namespace "  # how the proxy begins this refusal, see its admission
_address_of = functools.lru_cache(maxsize=4096)(wire_side.address_of)


@attrs.frozen
class ErrorContext:
    """The facts about a Synapse for error texts.

    Args:
        url: Its URL.
        hint: Returns what to do about a cause.
        refusal: Returns what was refused and what to do, for a refusal for the key.
        is_list: True if the URL names several that should stand by for each other.
    """

    url: str
    hint: Callable[[wire_side.Cause], str]
    refusal: Callable[[wire_side.AccessRefused], tuple[str, str]] = attrs.field(
        default=lambda error: (error.reason, error.fix)
    )
    is_list: bool = False

    def log_wait(self, waited_s: float, error: wire_side.Unreachable) -> None:
        """Log what one who waits without a limit sees."""
        _LOG.warning(
            "no Synapse at %s for %.0f s: %s; %s; still waiting",
            self.url,
            waited_s,
            error.reason,
            self.hint(error.cause),
        )


@contextmanager
def mapped(where: ErrorContext) -> Iterator[None]:
    """Replace the errors of `zmq_transport` by those of this package."""
    try:
        yield
    except wire_side.Unreachable as error:
        hint = where.hint(error.cause)
        raise SynapseUnreachable(where.url, error.reason, hint) from None  # it is in the text
    except wire_side.LinkClosed:
        reason = "the connection was closed meanwhile"
        hint = where.hint(wire_side.Cause.SLOW)
        raise SynapseUnreachable(where.url, reason, hint) from None  # it is in the text
    except wire_side.AccessRefused as error:
        # The one that refused: the URL may stand for several.
        raise AccessRefused(url_of(error.endpoint), *where.refusal(error)) from None
    except wire_side.Refused as error:
        reason = error.reason + _way_in(error.reason)
        raise SynapseRefused(url_of(error.endpoint), reason) from None  # it is in the text


def _way_in(reason: str) -> str:
    """Return how to name another namespace, for a refusal for the namespace."""
    if not reason.startswith(_FOREIGN_NAMESPACE):
        return ""
    return '; name one of them: namespace="NAME" in code, -n NAME for a command'


class _WireResyncSource:
    """A `ResyncSource` in the transport's own types."""

    def __init__(self, source: ResyncSource) -> None:
        self._source = source
        self.send_again = source.send_again

    def open_tasks(self) -> Iterable[wire_side.Opened]:
        return [wire_side.Opened(*each) for each in self._source.open_tasks()]

    def held_tasks(self) -> Iterable[wire_side.Held]:
        return [wire_side.Held(*each) for each in self._source.held_tasks()]

    def claim_of(self, caller: bytes, task: bytes) -> wire_side.Held | None:
        held = self._source.claim_of(caller, task)
        return None if held is None else wire_side.Held(*held)


class TransportQueries:
    """What one connection can ask its Synapse, and was told by it; see `cosmonapse.transport`."""

    _client: wire_side.Client
    _where: ErrorContext
    _news: FabricNews

    @property
    def user(self) -> str:
        """See the port."""
        return self._client.user

    @property
    def may(self) -> tuple[str, ...]:
        """See the port."""
        return self._client.may

    async def roster(self, neuron_id: str, capability: str, timeout_s: float) -> list[NeuronRecord]:
        """See the port."""
        with mapped(self._where):
            seats = await self._client.roster(neuron_id, capability, timeout_s=timeout_s)
        return [_record(seat) for seat in seats]

    async def dendrites(self, timeout_s: float) -> list[DendriteRecord]:
        """See the port."""
        with mapped(self._where):
            clients = await self._client.queries.clients(timeout_s)
        return [
            DendriteRecord(
                dendrite_id=each.name,
                instance=each.instance.hex(),
                state=each.state,
                axons=each.seats,
                open=each.open,
                calls=each.calls,
                age_s=each.age_s,
            )
            for each in clients
        ]

    async def open_tasks(self, timeout_s: float) -> list[TaskRecord] | None:
        """See the port."""
        with mapped(self._where):
            tasks = await self._client.queries.open_tasks(timeout_s)
        return None if tasks is None else [_task_record(each) for each in tasks]

    async def state(self, timeout_s: float) -> SynapseState:
        """See the port."""
        with mapped(self._where):
            state = await self._client.queries.state(timeout_s)
        news = self._news
        return synapse_state(state, news.url or self._where.url, news.half, news.warning)


class ClientTransport(TransportQueries):
    """One connection; see `cosmonapse.transport.Transport`."""

    def __init__(
        self,
        carrier: wire_side.Carrier,
        where: ErrorContext,
        namespace: str,
        dendrite_id: str,
        receiver: Receiver,
        max_signal_bytes: int,
        on_closed: Callable[[ClientTransport], None],
        user: str = "",
    ) -> None:
        self._where = where
        self._on_closed = on_closed
        self._carrier = carrier
        self._news = FabricNews(dendrite_id, where.url if where.is_list else "")
        self._client = wire_side.Client(
            carrier,
            namespace=namespace,
            name=dendrite_id,
            receiver=receiver,
            max_body_bytes=max_signal_bytes,
            user=user,
            on_welcome=self._on_welcome,
        )
        self.instance = self._client.instance
        self.origin_of: Callable[[bytes], str | None] = self._client.users.user_of
        self.barrier = self._client.barrier
        self.is_heard = self._client.publisher.is_heard
        self.publish = self._client.publisher.publish

    def _on_welcome(self, welcome: wire_side.Welcome) -> None:
        url = url_of(self._carrier.address)
        self._news.on_welcome(url, half=welcome.half, has_others=welcome.others)

    @property
    def max_signal_bytes(self) -> int:
        """The size limit of an encoded Signal."""
        return self._client.max_body_bytes

    @property
    def heartbeat_s(self) -> float:
        """The interval of the heartbeats of an Axon, in seconds."""
        return self._client.heartbeat_s

    @property
    def counts(self) -> dict[str, int]:
        """Every drop, gap and return so far, by name."""
        return dict(self._client.counts)

    def resync_from(self, source: ResyncSource) -> None:
        """See the port."""
        self._client.resync_from(_WireResyncSource(source))

    @property
    def away_s(self) -> float | None:
        """See the port."""
        return self._client.away_s

    async def open(self, timeout_s: float | None, topics: Iterable[Topic]) -> None:
        """See the port."""
        with mapped(self._where):
            await self._client.open(timeout_s, topics, self._where.log_wait)

    async def close(self, timeout_s: float) -> bool:
        """See the port."""
        self._on_closed(self)
        return await self._client.close(timeout_s)

    def address_of(self, neuron: str | None, capabilities: tuple[str, ...]) -> bytes:
        """See the port."""
        return _address_of(neuron, capabilities)

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
        """See the port."""
        sent = self._client.send_task(address, task, trace, kind, body, ttl_ms, flags)
        return _SENT if sent is _WIRE_SENT else _OUTCOMES[sent]

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
        """See the port."""
        sent = self._client.send_reply(caller, task, trace, kind, body, index, flags)
        return _SENT if sent is _WIRE_SENT else _OUTCOMES[sent]

    def send_gap(self, opened: Opened) -> Outcome:
        """See the port."""
        return _OUTCOMES[self._client.send_gap(wire_side.Opened(*opened))]

    def send_cancel(self, task: bytes, trace: bytes) -> Outcome:
        """See the port."""
        return _OUTCOMES[self._client.send_cancel(task, trace)]

    def send_presence(
        self, verb: PresenceVerb, neuron_id: str, facts: dict[str, Any], kind: int, body: bytes
    ) -> Outcome:
        """See the port."""
        return _OUTCOMES[self._client.send_presence(_VERBS[verb], neuron_id, facts, kind, body)]

    @property
    def takes_published(self) -> bool:
        """See the port."""
        return self._client.publisher.hands_over

    @property
    def older_publishers(self) -> bool:
        """See the port."""
        return self._client.publisher.has_older

    def send_published(
        self,
        recipients: int,
        kind: int,
        trace: bytes,
        body: bytes,
        peer: bytes = _NO_PEER,
        address: bytes = b"",
    ) -> Outcome:
        """See the port."""
        return _OUTCOMES[
            self._client.publisher.send_published(recipients, kind, trace, body, peer, address)
        ]

    def listen(self, topic: Topic) -> None:
        """See the port."""
        self._client.broadcast.listen(*topic)

    def unlisten(self, topic: Topic) -> None:
        """See the port."""
        self._client.broadcast.unlisten(*topic)

    async def sync(self, timeout_s: float) -> None:
        """See the port."""
        with mapped(self._where):
            await self._client.broadcast.sync(timeout_s)

    async def drained(self) -> None:
        """See the port."""
        await self._client.drained()


class ClientSynapse(ABC):
    """A Synapse whose connections are `zmq_transport` clients; see `cosmonapse.transport.Synapse`.

    Args:
        where: The facts for its error texts.
        user: The name of the key that its connections show; empty without one.
    """

    transport_type: ClassVar[type[ClientTransport]] = ClientTransport

    def __init__(self, where: ErrorContext, user: str = "") -> None:
        self.where = where
        self.user = user
        self._transports: set[ClientTransport] = set()

    def __repr__(self) -> str:
        """Name it as `Synapse(url)`."""
        return f"Synapse({self.url})"

    @property
    def url(self) -> str:
        """The URL that names it."""
        return self.where.url

    @abstractmethod
    def carrier(self, namespace: str, max_signal_bytes: int) -> wire_side.Carrier:
        """Return a carrier for one connection.

        Args:
            namespace: Where its client is.
            max_signal_bytes: The size limit of an encoded Signal there.
        """

    @abstractmethod
    async def connect(self, timeout_s: float | None) -> None:
        """See the port."""

    def transport(
        self, namespace: str, dendrite_id: str, receiver: Receiver, max_signal_bytes: int
    ) -> ClientTransport:
        """See the port."""
        made = self.transport_type(
            self.carrier(namespace, max_signal_bytes),
            self.where,
            namespace,
            dendrite_id,
            receiver,
            max_signal_bytes,
            self._transports.discard,
            self.user,
        )
        self._transports.add(made)
        return made

    async def close(self) -> None:
        """See the port."""
        for transport in list(self._transports):
            await transport.close(1.0)


def _task_record(task: wire_side.OpenTaskInfo) -> TaskRecord:
    is_by_capabilities = task.address.startswith("?")
    return TaskRecord(
        id=id_text("evt_", task.task),
        trace_id=id_text("trc_", task.trace),
        state=task.state,
        neuron=task.seat or ("" if is_by_capabilities else task.address),
        capabilities=tuple(task.address[1:].split(",")) if is_by_capabilities else (),
        dendrite_id=task.worker_name,
        instance=task.worker.hex(),
        caller=task.caller_name,
        caller_instance=task.caller.hex(),
        user=task.user,
        cancelled=task.cancelled,
        age_s=task.age_ms / 1000,
        remaining_s=None if task.left_ms is None else task.left_ms / 1000,
        bytes=task.size_bytes,
    )


def _record(seat: wire_side.SeatInfo) -> NeuronRecord:
    def count(key: str) -> int:
        value = seat.vitals.get(key, 0)
        return value if isinstance(value, int) else 0

    def text(key: str) -> str | None:
        value = seat.facts.get(key)
        return value if isinstance(value, str) else None

    return NeuronRecord(
        neuron_id=seat.name,
        capabilities=seat.capabilities,
        dendrite_id=seat.client,
        instance=seat.instance.hex(),
        state=seat.state,
        open=seat.open,
        running=count("running"),
        queued=count("queued"),
        loop_lag_ms=count("loop_lag_ms"),
        version=text("version"),
        role=text("role"),
        description=text("description"),
        card=text("card"),
    )
