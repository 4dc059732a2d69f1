"""Neurons that ask a model provider: one file per vendor, loaded on use.

Nothing here needs `httpx` before a Neuron is built.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .provider import ProviderNeuron

__all__ = ["Neuron"]

_MODULE_OF_SOURCE: Mapping[str, str] = MappingProxyType(
    {
        "anthropic": "anthropic",
        "groq": "groq",
        "hf": "huggingface",
        "huggingface": "huggingface",
        "mistral": "mistral",
        "ollama": "ollama",
        "openai": "openai",
        "openrouter": "openrouter",
        "together": "together",
    }
)


def Neuron(source: str, **settings: Any) -> ProviderNeuron:
    """Build the neuron function that asks the provider `source`.

    Args:
        source: The provider: `anthropic`, `groq`, `huggingface` (or `hf`), `mistral`, `ollama`,
            `openai`, `openrouter` or `together`.
        settings: Arguments of the `Settings` of that provider.

    Raises:
        ValueError: The source is unknown, a key is missing, a setting is out of range, or an
            environment variable for certificates or proxies cannot be used.
        TypeError: A setting is unknown, missing or of the wrong type.
        MissingExtra: `httpx` is not installed.
    """
    if source not in _MODULE_OF_SOURCE:
        known = ", ".join(sorted(_MODULE_OF_SOURCE))
        raise ValueError(f"unknown source {source!r}; the known ones are {known}")
    vendor = import_module(f".{_MODULE_OF_SOURCE[source]}", __name__)
    signature = inspect.signature(vendor.Settings)
    try:
        signature.bind(**settings)
    except TypeError as exc:
        raise TypeError(
            f"Neuron(source={source!r}): {exc}; its arguments are {_takes(signature)}"
        ) from None
    neuron: ProviderNeuron = vendor.Settings(**settings).build()
    return neuron


def _takes(signature: inspect.Signature) -> str:
    parameters = signature.parameters.values()
    required = [f"{p.name} (required)" for p in parameters if p.default is p.empty]
    return ", ".join([*required, *(p.name for p in parameters if p.default is not p.empty)])
