"""Cards: what a Neuron takes, gives and is for, and the digest that REGISTER carries. Pure.

Spec: docs/spec/07-signals.md, "Cards". The card itself is not in the roster: it is fetched from any
replica by a TASK with `meta["card"]` and without an input, and its digest says whether it is known.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import attrs

from .names import checked_capabilities, checked_name
from .runtime.printable import shortened

MAX_CARD_BYTES = 64 * 1024
"""The most bytes of a card as JSON."""
MAX_SUMMARY_CHARS = 128
"""The most characters of a description in REGISTER and in a roster."""
CARD_MARK = "card"
"""The key in the meta of a TASK that asks for a card."""


@attrs.frozen(kw_only=True)
class Card:
    """What a Neuron takes, gives and is for.

    Args:
        neuron_id: Its id.
        description: What it is for, for people and for models; empty if it does not tell.
        input: The JSON Schema of its input; None if anything may come.
        output: The JSON Schema of its output; None if it does not tell.
        capabilities: The capabilities that it offers.
        version: A text for people.

    Raises:
        InvalidName: The id or a capability is invalid.
        ValueError: It is over 64 KiB as JSON, or a schema is no JSON.
    """

    neuron_id: str = attrs.field(validator=lambda _, __, value: checked_name("neuron_id", value))
    description: str = ""
    input: Mapping[str, Any] | None = None
    output: Mapping[str, Any] | None = None
    capabilities: tuple[str, ...] = attrs.field(default=(), converter=checked_capabilities)
    version: str | None = None
    digest: str = attrs.field(init=False)
    """16 hex digits; cards with the same content have the same."""

    @digest.default
    def _digest(self) -> str:
        try:
            body = canonical(self.as_dict()).encode("utf-8", "surrogatepass")
        except (ValueError, RecursionError) as error:
            raise ValueError(f"the card of {self.neuron_id} is no JSON: {error}") from None
        if len(body) > MAX_CARD_BYTES:
            raise ValueError(
                f"the card of {self.neuron_id} has {len(body):,} bytes, and {MAX_CARD_BYTES:,} "
                "are the most: shorten its description or its schemas"
            )
        return hashlib.blake2b(body, digest_size=8).hexdigest()

    def as_dict(self) -> dict[str, Any]:
        """Return it as a dict, as `card_from` reads it."""
        return {
            "id": self.neuron_id,
            "description": self.description,
            "input": self.input,
            "output": self.output,
            "capabilities": list(self.capabilities),
            "version": self.version,
        }


def canonical(value: Any) -> str:
    """Return the one JSON text of a value, by RFC 8785: other languages write the same one.

    Raises:
        ValueError: It is no JSON.
    """
    if isinstance(value, Mapping):
        if not all(isinstance(key, str) for key in value):
            raise ValueError("a key is no str")
        keys = sorted(value, key=lambda key: key.encode("utf-16-be", "surrogatepass"))
        return "{" + ",".join(f"{_json(key)}:{canonical(value[key])}" for key in keys) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(canonical, value)) + "]"
    return _number(value) if isinstance(value, float) else _json(value)


def _json(value: Any) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except TypeError as error:
        raise ValueError(str(error)) from None


def _number(value: float) -> str:
    """Return a number as ECMAScript writes it."""
    if not math.isfinite(value):
        raise ValueError(f"{value} is no JSON")
    if value == 0:
        return "0"
    if 1e-6 <= abs(value) < 1e21:
        text = format(Decimal(repr(value)), "f")
        return text.removesuffix(".0")
    digits, _, exponent = repr(value).removesuffix(".0").partition("e")
    return f"{digits.removesuffix('.0')}e{int(exponent):+d}"


def card_from(value: Any) -> Card:
    """Return the card that a reply holds; keys that are unknown are left out.

    Raises:
        ValueError: It is no card.
    """
    if not isinstance(value, Mapping):
        raise ValueError(f"a card is a dict, not {type(value).__name__}")  # noqa: TRY004
    try:
        return Card(
            neuron_id=value.get("id", ""),
            description=_text(value.get("description")) or "",
            input=_schema(value.get("input")),
            output=_schema(value.get("output")),
            capabilities=value.get("capabilities") or (),
            version=_text(value.get("version")),
        )
    except TypeError as error:
        raise ValueError(f"it is no card: {error}") from None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _schema(value: Any) -> Mapping[str, Any] | None:
    return value if isinstance(value, Mapping) else None


def summary_of(description: str) -> str:
    """Return the first line of a description, cut to 128 characters for REGISTER."""
    line = next((line for line in map(str.strip, description.splitlines()) if line), "")
    return shortened(line, MAX_SUMMARY_CHARS)
