"""What a trace has asked of language models, by what their outputs say. Pure.

Every value is of somebody else: types and bounds are checked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self, TypeGuard

import attrs

from ..telemetry.token_counts import tokens_of
from ..telemetry.told_values import told_count, told_text

MAX_MODELS = 8
MAX_PRICES = 1_000
_PER = 1_000_000
_MAX_PRICE = 1e9
_MAX_RAN_MS = 2**31


class BadPrices(ValueError):
    """A price table cannot be used; the text says why, on one line."""


@attrs.frozen
class Price:
    """What a million tokens cost.

    Args:
        read: Of the input.
        written: Of the output.
    """

    read: float
    written: float

    def of(self, read: int | None, written: int | None) -> float:
        """Return what an answer costs."""
        return ((read or 0) * self.read + (written or 0) * self.written) / _PER


@attrs.frozen
class Prices:
    """A price table.

    Args:
        currency: Such as `USD`.
        models: By the name of the model; a name that ends with `*` is a prefix.
    """

    currency: str
    models: Mapping[str, Price]

    @classmethod
    def of(cls, table: Any, where: str) -> Self:
        """Return the table out of `{"currency": "USD", "models": {"name": {"in": 1, "out": 2}}}`.

        Raises:
            BadPrices: It is no such table.
        """
        models = table.get("models") if isinstance(table, dict) else None
        if not isinstance(models, dict) or not models or len(models) > MAX_PRICES:
            raise BadPrices(
                f"{where}: expected 'models' with 1 to {MAX_PRICES:,} names, such as "
                '{"models": {"name*": {"in": 1.5, "out": 6}}} (prices of a million tokens)'
            )
        currency = table.get("currency", "USD")
        if not isinstance(currency, str) or len(currency) > 8:
            raise BadPrices(f"{where}: 'currency' is a text of at most 8 characters")
        return cls(currency, {name: _price(name, each, where) for name, each in models.items()})

    def price_of(self, model: str) -> Price | None:
        """Return the price of a model: by its whole name, else by the longest prefix."""
        if model in self.models:
            return self.models[model]
        fitting = [
            name for name in self.models if name.endswith("*") and model.startswith(name[:-1])
        ]
        return self.models[max(fitting, key=len)] if fitting else None


def _price(name: str, given: Any, where: str) -> Price:
    if isinstance(given, dict):
        read: Any = given.get("in")
        written: Any = given.get("out")
        if _is_price(read) and _is_price(written):
            return Price(float(read), float(written))
    raise BadPrices(f"{where}: {name!r:.80} needs 'in' and 'out', numbers of 0 or more")


def _is_price(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value < _MAX_PRICE


class ModelFacts:
    """What the models of one trace were given and gave, all answers together."""

    __slots__ = (
        "_models",
        "_ran_ms",
        "_read",
        "_reason",
        "_timed",
        "_unpriced",
        "_written",
        "cost",
    )

    def __init__(self) -> None:
        self._models: dict[str, None] = {}
        self._read: int | None = None
        self._written: int | None = None
        self._reason: str | None = None
        self._unpriced = False
        self._timed = self._ran_ms = 0
        self.cost: float | None = None

    def add(self, output: Mapping[str, Any], ran_ms: Any, prices: Prices | None) -> None:
        """Add an output that has `model` or `usage`.

        Args:
            output: It.
            ran_ms: How long its function ran, as `meta.ran_ms` tells it.
            prices: What models cost.
        """
        model = output.get("model")
        name = told_text(model) if isinstance(model, str) and model else None
        if name is not None and len(self._models) < MAX_MODELS:
            self._models[name] = None
        read, written = (told_count(each) for each in tokens_of(output.get("usage")))
        if read is not None:
            self._read = (self._read or 0) + read
        if written is not None:
            self._written = (self._written or 0) + written
            if type(ran_ms) is int and 0 < ran_ms < _MAX_RAN_MS:
                self._timed, self._ran_ms = self._timed + written, self._ran_ms + ran_ms
        reason = output.get("finish_reason")
        if isinstance(reason, str):
            self._reason = told_text(reason)
        if prices is None or (read is None and written is None):
            return
        price = None if name is None else prices.price_of(name)
        if price is None:
            self._unpriced = True
        else:
            self.cost = (self.cost or 0.0) + price.of(read, written)

    def view(self, prices: Prices | None, retries: int) -> dict[str, Any]:
        """Return them for a page."""
        return {
            "models": list(self._models),
            "tokens_in": self._read,
            "tokens_out": self._written,
            "tokens_per_s": round(self._timed * 1000 / self._ran_ms, 1) if self._ran_ms else None,
            # The sum of some answers alone would be taken for that of all.
            "cost": None if self._unpriced else self.cost,
            "currency": None if prices is None else prices.currency,
            "finish_reason": self._reason,
            "retries": retries,
        }


def tells_of_a_model(output: Any) -> TypeGuard[dict[str, Any]]:
    """Return whether an output says which model made it, or what it used."""
    return isinstance(output, dict) and ("usage" in output or "finish_reason" in output)
