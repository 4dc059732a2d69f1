"""How many tokens the models of this process have read and written, by model. Pure.

Counted where a provider answers, once for each answer, whether a TASK asked for it or not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .label_bounds import Bounded

_INPUT = ("prompt_tokens", "input_tokens")
# The cache of one provider counts beside its `input_tokens`, not in it.
_CACHED = ("cache_creation_input_tokens", "cache_read_input_tokens")
_OUTPUT = ("completion_tokens", "output_tokens", "generated_tokens")
UNKNOWN = "unknown"
MAX_NAME = 128
"""What is longer of the name of a model is cut off."""


class Tokens:
    """How many tokens one model has read and written."""

    __slots__ = ("read", "written")

    def __init__(self) -> None:
        self.read = 0
        self.written = 0


TOKENS: Bounded[Tokens] = Bounded(Tokens)
"""By model."""


def tokens_of(usage: Any) -> tuple[int | None, int | None]:
    """Return how many tokens were read and written, each None if the provider does not say.

    Args:
        usage: The `usage` in the output of a provider Neuron, in the provider's words.
    """
    if not isinstance(usage, Mapping):
        return None, None
    read, written = _first(usage, _INPUT), _first(usage, _OUTPUT)
    if read is not None and "input_tokens" in usage:
        read += sum(_count(usage.get(name)) or 0 for name in _CACHED)
    return read, written


def count_tokens(output: Mapping[str, Any]) -> None:
    """Count what the output of a provider Neuron has cost."""
    read, written = tokens_of(output.get("usage"))
    if read is None and written is None:
        return
    tokens = TOKENS.of(str(output.get("model") or UNKNOWN)[:MAX_NAME])
    tokens.read += read or 0
    tokens.written += written or 0


def _first(usage: Mapping[str, Any], names: tuple[str, ...]) -> int | None:
    return next((each for name in names if (each := _count(usage.get(name))) is not None), None)


def _count(value: Any) -> int | None:
    return value if type(value) is int and value >= 0 else None
