"""An Engram: a memory as an Axon, which any Dendrite of the fabric asks."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from ..axon import Axon
from ..errors import NeuronError
from ..memory_ops import (
    CAPABILITY,
    INPUT_SCHEMA,
    OUTPUT_SCHEMA,
    Forget,
    Operation,
    Recall,
    operation_of,
)
from ..runtime.threads import in_thread
from ..schemas import Finding, Misfit, ReadyMade
from .failures import told_to_callers
from .port import MemoryStore

_DESCRIPTION = "Keeps texts and finds them again by their words (imprint, recall, forget)"
_METHODS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "imprint": {"space": "", "data": None},
        "recall": {"space": "", "limit": 1},
        "forget": {"space": ""},
    }
)
"""The methods of a store, and what they take by name."""
_OF_HIT = ("id", "text", "data", "score")


def engram(
    neuron_id: str,
    store: MemoryStore,
    *,
    capabilities: tuple[str, ...] = (CAPABILITY,),
    description: str = _DESCRIPTION,
    **settings: Any,
) -> Axon:
    """Return an Axon that keeps texts in a store, and finds them again.

    Its input is `{"op": "imprint", "text", "id", "space", "data"}`, `{"op": "recall", "query",
    "space", "limit"}` or `{"op": "forget", "id", "space"}`; `Dendrite.imprint`, `recall` and
    `forget` send it.

    Args:
        neuron_id: Its id.
        store: What keeps the entries, such as `SqliteMemory("mem.db")`.
        capabilities: What it offers; `Dendrite.recall` looks for `memory`.
        description: What it is for.
        settings: Further arguments of `Axon`.

    Raises:
        TypeError: The store lacks a method, is a class, or a method takes other arguments.
        ValueError: See `Axon`.
    """
    missing = [name for name in _METHODS if not callable(getattr(store, name, None))]
    if missing:
        raise TypeError(f"a store of an engram has {', '.join(_METHODS)}; {missing[0]} is missing")

    if isinstance(store, type):
        raise TypeError(f"a store of an engram is an object: give {store.__name__}(...)")
    for name, named in _METHODS.items():
        _check_accepts(getattr(store, name), ("id", "text") if name == "imprint" else ("",), named)

    async def remember(operation: Operation, context: Any) -> dict[str, Any]:
        return await _done(store, operation, context.task)

    return Axon(
        neuron_id=neuron_id,
        neuron_fn=remember,
        capabilities=capabilities,
        description=description,
        input=ReadyMade(_InputCheck()),
        output=ReadyMade(_OutputCheck()),
        as_model=True,
        **settings,
    )


class _InputCheck:
    """Makes an operation of an input; needs no package."""

    schema = INPUT_SCHEMA

    def load(self, value: Any) -> Operation:
        """Return the operation that an input asks for."""
        try:
            return operation_of(value)
        except ValueError as error:
            raise Misfit([Finding("", str(error))]) from None

    def plain(self, value: Any) -> Any:
        """Return the value itself."""
        return value


class _OutputCheck:
    """Says what the outputs are; the functions here make no others."""

    schema = OUTPUT_SCHEMA

    def load(self, value: Any) -> Any:
        """Return the value itself."""
        return value

    def plain(self, value: Any) -> Any:
        """Return the value itself."""
        return value


async def _done(store: MemoryStore, operation: Operation, task: Any) -> dict[str, Any]:
    space = operation.space
    if isinstance(operation, Recall):
        found = await _called(store.recall, operation.query, space=space, limit=operation.limit)
        return {"hits": _hits(found, store)[: operation.limit]}
    if isinstance(operation, Forget):
        return {"forgotten": int(await _called(store.forget, operation.id, space=space) or 0)}
    # A further attempt of the same TASK keeps the same entry.
    id = operation.id or str(task.meta.get("idempotency_key") or task.id)
    await _called(store.imprint, id, operation.text, space=space, data=operation.data)
    return {"id": id}


def _check_accepts(method: Any, values: Sequence[Any], named: Mapping[str, Any]) -> None:
    """Check that a method of a store accepts what it gets, as far as its signature shows."""
    try:
        inspect.signature(method).bind(*values, **named)
    except TypeError as error:
        first = "id, text" if len(values) == 2 else "id" if "limit" not in named else "query"
        raise TypeError(
            f"{method.__qualname__} must accept ({first}, *, {', '.join(named)}): {error}"
        ) from None
    except ValueError:
        return  # a builtin without a signature


def _hits(found: Any, store: MemoryStore) -> list[dict[str, Any]]:
    """Return what a store has found.

    Raises:
        NeuronError: BAD_OUTPUT, it is no list of hits.
    """
    form = f"recall of {type(store).__name__} must return a list of dicts with {', '.join(_OF_HIT)}"
    if not isinstance(found, Iterable):
        raise NeuronError("BAD_OUTPUT", f"{form}, and returned a {type(found).__name__}")
    hits = list(found)
    for hit in hits:
        if not isinstance(hit, Mapping):
            raise NeuronError("BAD_OUTPUT", f"{form}, and a hit is a {type(hit).__name__}")
        if missing := [name for name in _OF_HIT if name not in hit]:
            raise NeuronError("BAD_OUTPUT", f"{form}, and a hit has no {missing[0]}")
    return [dict(hit) for hit in hits]


async def _called(method: Callable[..., Any], *values: Any, **named: Any) -> Any:
    """Call a method of a store: on the loop if it is an `async def`, else in a thread."""
    with told_to_callers():
        if inspect.iscoroutinefunction(method):
            return await method(*values, **named)
        value = await in_thread(lambda: method(*values, **named), name="engram")
        return await value if inspect.isawaitable(value) else value
