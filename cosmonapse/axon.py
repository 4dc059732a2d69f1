"""Axons: a function with an id and capabilities, and the reply that it stands for. Pure.

Spec: docs/spec/07-signals.md, "Payloads".
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import attrs

from .cards import Card
from .errors import Clarification, Escalation, NeuronError, PermissionNeeded, Question
from .names import checked_capabilities, checked_name
from .payloads import error_payload
from .raised import described, safely
from .rate_limit import checked_rate
from .schemas import Contract, contract_of
from .signals import Directed, Signal, SignalType


def _accepts_two(instance: object, attribute: object, function: Any) -> None:
    """Check that a Neuron accepts input and context, as far as its signature shows."""
    if not callable(function):
        raise TypeError(f"neuron_fn must be a function of (input, context), not {function!r:.100}")
    try:
        inspect.signature(function).bind({}, ())
    except TypeError as error:
        name = getattr(function, "__qualname__", function)
        raise TypeError(f"{name} must accept (input, context): {error}") from None
    except ValueError:
        return  # a builtin without a signature


def _is_text(instance: object, attribute: object, value: Any) -> None:
    if not isinstance(value, str):
        raise TypeError(f"description must be a str, not {value!r:.100}")


@attrs.frozen(kw_only=True, eq=False)
class Axon:
    """A Neuron with an id and capabilities.

    Args:
        neuron_id: 1 to 128 characters of `A-Z a-z 0-9 . _ -`. Axons with the same id, in any
            process, are replicas and share the load.
        neuron_fn: `async def fn(input, context)`, an async generator of the same shape, or a plain
            `def`, which runs in a thread.
        capabilities: The capabilities that it offers.
        version: A text for people.
        concurrency: The number of tasks that run at once.
        max_queued: The number of tasks that may wait; over it the caller gets ERROR `OVERLOADED`.
        context_fetcher: Receives the `context_ref` of a TASK and returns the context items;
            `async def` or a plain `def`, which runs in a thread. Without one, a list is the items.
        bid_fn: Receives the input and the TASK_OFFER Signal of an offer for its capabilities;
            returns None for no bid, its cost, or a dict with `cost` and perhaps `eta_ms` and
            `confidence` (0 to 1). `async def` or a plain `def`, which runs in a thread; within the
            deadline of the offer. Without one the Axon bids with its load, (running + queued) /
            concurrency, at half the deadline; one that returns None keeps it from bidding.
        rollback_fn: Receives the TASK Signal that a STOP with rollback cancelled, after its
            function has ended; `async def` or a plain `def`, which runs in a thread; within 5 s.
        rate_limit: How many tasks may begin in a time, such as `10/s`, `100/m` or `5/2s`, for each
            Dendrite that hosts it, and so for each process: at even intervals, whatever the
            concurrency. Others wait as for a place. None for no limit.
        description: What it is for, for people and for models; its first line, up to 128
            characters, is in the roster.
        input: What it takes: a type (of pydantic, msgspec, a dataclass, a TypedDict) or a JSON
            Schema. Another input gets ERROR `BAD_INPUT`, and the function is not called. None for
            no check.
        output: What it gives, likewise; another output becomes ERROR `BAD_OUTPUT`.
        as_model: Whether the function receives what the type makes of its input; by default it
            receives the dict itself. The TASK in the context always has the dict.

    Raises:
        InvalidName: The id or a capability is invalid.
        TypeError: `neuron_fn` does not accept (input, context), or of `input` or `output` no
            schema can be made.
        ValueError: A bound is below its minimum, `rate_limit` is not of this form, a dict is no
            JSON Schema, or the card is over 64 KiB.
        MissingExtra: `input` or `output` is a type, and neither pydantic nor msgspec is installed.
    """

    neuron_id: str = attrs.field(validator=lambda _, __, value: checked_name("neuron_id", value))
    neuron_fn: Callable[[Any, Any], Any] = attrs.field(validator=_accepts_two)
    capabilities: tuple[str, ...] = attrs.field(default=(), converter=checked_capabilities)
    version: str | None = None
    concurrency: int = attrs.field(default=64, validator=attrs.validators.ge(1))
    max_queued: int = attrs.field(default=1024, validator=attrs.validators.ge(0))
    context_fetcher: Callable[[Any], Any] | None = attrs.field(
        default=None, validator=attrs.validators.optional(attrs.validators.is_callable())
    )
    bid_fn: Callable[[Any, Signal], Any] | None = attrs.field(
        default=None, validator=attrs.validators.optional(attrs.validators.is_callable())
    )
    rollback_fn: Callable[[Signal], Any] | None = attrs.field(
        default=None, validator=attrs.validators.optional(attrs.validators.is_callable())
    )
    rate_limit: str | None = attrs.field(
        default=None, validator=lambda _, __, value: checked_rate(value)
    )
    description: str = attrs.field(default="", validator=_is_text)
    input: Any = None
    output: Any = None
    as_model: bool = False

    contract: Contract | None = attrs.field(init=False, repr=False)
    """What is checked before and after the function; None for nothing."""
    card: Card = attrs.field(init=False, repr=False)
    """What the Neuron takes, gives and is for; whoever asks for it receives it."""
    producer: Directed = attrs.field(init=False)
    """The producer of the Signals of this Axon's Neuron."""
    on_loop: bool = attrs.field(init=False)
    """Whether the function is called on the event loop, since it will not block."""
    is_coroutine: bool = attrs.field(init=False)
    """Whether calling the function gives a coroutine."""
    is_bare: bool = attrs.field(init=False)
    """Whether it is a coroutine, and nothing is checked."""

    @contract.default
    def _contract(self) -> Contract | None:
        try:
            return contract_of(self.input, self.output, self.as_model)
        except (TypeError, ValueError) as error:
            kind = TypeError if isinstance(error, TypeError) else ValueError
            raise kind(f"the Axon {self.neuron_id}: {error}") from None

    @card.default
    def _card(self) -> Card:
        contract = self.contract
        return Card(
            neuron_id=self.neuron_id,
            description=self.description,
            input=None if contract is None else contract.input_schema,
            output=None if contract is None else contract.output_schema,
            capabilities=self.capabilities,
            version=self.version,
        )

    @property
    def is_described(self) -> bool:
        """Whether its card says more than its registration."""
        return bool(self.description) or self.input is not None or self.output is not None

    @producer.default
    def _producer(self) -> Directed:
        return Directed(self.neuron_id, "neuron", self.capabilities)

    @on_loop.default
    def _on_loop(self) -> bool:
        return self._is(inspect.isasyncgenfunction) or self._is(inspect.iscoroutinefunction)

    @is_coroutine.default
    def _is_coroutine(self) -> bool:
        return self._is(inspect.iscoroutinefunction)

    @is_bare.default
    def _is_bare(self) -> bool:
        return self.is_coroutine and self.contract is None

    def _is(self, kind: Callable[[Any], bool]) -> bool:
        """Return whether the function, or the `__call__` of an object, is of a kind."""
        call = getattr(self.neuron_fn, "__call__", None)  # noqa: B004  # the method, not a test
        return kind(self.neuron_fn) or kind(call)


_MARKS: Mapping[str, SignalType] = MappingProxyType(
    {
        "__clarification__": SignalType.CLARIFICATION,
        "__permission__": SignalType.PERMISSION,
        "__escalation__": SignalType.ESCALATION,
        "__error__": SignalType.ERROR,
    }
)


def is_marked(value: Any) -> bool:
    """Return whether the return value of a Neuron is a question or an ERROR by a mark."""
    return isinstance(value, dict) and any(value.get(mark) is True for mark in _MARKS)


def reply_of(value: Any) -> tuple[SignalType, dict[str, Any]]:
    """Return type and payload of the reply for the return value of a Neuron.

    A dict is the output; anything else becomes `{"value": ...}`. A dict with a mark
    `__clarification__`, `__permission__` or `__escalation__` is a question, with `__error__` an
    ERROR.
    """
    if not isinstance(value, dict):
        return SignalType.AGENT_OUTPUT, {"output": {"value": value}}
    marks = () if _MARKS.keys().isdisjoint(value) else _MARKS.items()
    for mark, signal_type in marks:
        if value.get(mark) is True:
            payload = {key: item for key, item in value.items() if key != mark}
            if signal_type is SignalType.ERROR:
                payload = error_payload(
                    str(payload.get("code", "NEURON_EXCEPTION")),
                    str(payload.get("message", "")),
                    payload.get("recoverable"),
                    payload.get("retry_after_s"),
                )
            return signal_type, payload
    return SignalType.AGENT_OUTPUT, {"output": value}


def check_axon(value: object) -> None:
    """Refuse what a Dendrite cannot host, and say what was meant.

    Raises:
        TypeError: `value` is no Axon.
    """
    if isinstance(value, Axon):
        return
    if isinstance(getattr(value, "axon", None), Axon):
        advice = "give its .axon, which @neuron made"
    elif hasattr(value, "supply"):
        advice = "it is a source of Axons: use 'await dendrite.add_source(...)'"
    else:
        advice = "make one by Axon(neuron_id=..., neuron_fn=...), or by @neuron"
    raise TypeError(f"expected an Axon, got {value!r:.100}; {advice}")


def reply_of_exception(error: BaseException) -> tuple[SignalType, dict[str, Any]]:
    """Return type and payload of the reply for an exception of a Neuron; raise none.

    A class of the user's may lack the attributes of its base.
    """
    reply: tuple[SignalType, dict[str, Any]] | None = safely(_reply_of, error, otherwise=None)
    if reply is None:
        text = safely(described, error, otherwise="an exception that cannot be described")
        reply = SignalType.ERROR, error_payload("NEURON_EXCEPTION", text)
    return reply


def _reply_of(error: BaseException) -> tuple[SignalType, dict[str, Any]]:
    for raised, signal_type in _TYPES.items():
        if isinstance(error, raised):
            return signal_type, error.payload
    return SignalType.ERROR, _payload_of_exception(error)


_TYPES: Mapping[type[Question], SignalType] = MappingProxyType(
    {
        Clarification: SignalType.CLARIFICATION,
        PermissionNeeded: SignalType.PERMISSION,
        Escalation: SignalType.ESCALATION,
    }
)


def _payload_of_exception(error: BaseException) -> dict[str, Any]:
    if isinstance(error, NeuronError):
        return error_payload(
            error.code, error.message, error.recoverable, getattr(error, "retry_after_s", None)
        )
    return error_payload("NEURON_EXCEPTION", described(error))
