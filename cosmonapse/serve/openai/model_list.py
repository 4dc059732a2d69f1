"""Which models there are: a Neuron by its id, and capabilities as `capability:a+b`. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs

from ...names import checked_capabilities, checked_name
from ...registry import NeuronRecord
from .error_bodies import NoSuchModel

_PREFIX = "capability:"
_CREATED = 0  # the fabric does not record it, and a made-up time would change with each gateway


@attrs.frozen
class ModelName:
    """The name of a model, read.

    Args:
        neuron: The id of a Neuron; None for capabilities.
        capabilities: One Axon that offers all of them answers.
    """

    neuron: str | None
    capabilities: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of it, as in the list."""
        return _PREFIX + "+".join(self.capabilities) if self.neuron is None else self.neuron

    @property
    def destination(self) -> dict[str, Any]:
        """Where the task goes, as arguments of `Dendrite.dispatch`."""
        if self.neuron is not None:
            return {"neuron": self.neuron}
        return {"capabilities": self.capabilities}

    def is_offered_by(self, neuron_id: str, capabilities: Iterable[str]) -> bool:
        """Return whether an Axon can answer for it."""
        if self.neuron is not None:
            return self.neuron == neuron_id
        return set(self.capabilities).issubset(capabilities)


def model_named(name: str) -> ModelName:
    """Return what a client means by `name`.

    Raises:
        NoSuchModel: No Neuron can be called so.
    """
    try:
        if not name.startswith(_PREFIX):
            return ModelName(checked_name("neuron_id", name))
        capabilities = checked_capabilities(name.removeprefix(_PREFIX).split("+"))
    except ValueError:
        raise NoSuchModel(name) from None
    return ModelName(None, capabilities)


def is_known(model: ModelName, rows: Iterable[NeuronRecord]) -> bool:
    """Return whether the roster has an Axon for a model, whatever its state."""
    return any(model.is_offered_by(row.neuron_id, row.capabilities) for row in rows)


def model_list(rows: Iterable[NeuronRecord]) -> dict[str, Any]:
    """Return the body of GET /v1/models: live Axons, each capability, and all of each Axon."""
    described: dict[str, str] = {}
    for row in rows:
        if row.state == "alive":
            described[row.neuron_id] = described.get(row.neuron_id) or row.description or ""
            whole = "+".join(sorted(row.capabilities))
            for name in {*row.capabilities, whole} - {""}:
                described.setdefault(_PREFIX + name, "")
    return {"object": "list", "data": [_entry(*each) for each in sorted(described.items())]}


def model_entry(name: str, rows: Iterable[NeuronRecord]) -> dict[str, Any] | None:
    """Return the body of GET /v1/models/NAME; None if no live Axon answers for it."""
    try:
        model = model_named(name)
    except NoSuchModel:
        return None
    for row in rows:
        if row.state == "alive" and model.is_offered_by(row.neuron_id, row.capabilities):
            return _entry(name, row.description or "" if model.neuron else "")
    return None


def _entry(name: str, description: str) -> dict[str, Any]:
    entry = {"id": name, "object": "model", "created": _CREATED, "owned_by": "cosmonapse"}
    return {**entry, "description": description} if description else entry
