"""Common parts of vendors: their settings, and the table that each of them fills.

Not pure: a key may come from the environment.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from types import NoneType
from typing import Any, ClassVar, Protocol

import attrs
from attrs.validators import ge, gt, min_len, optional

from .chat import ChatDialect, Sampling, api_url
from .dialect import Dialect
from .faults import Faults
from .provider import ProviderNeuron
from .settings import ApiKey, as_patterns, as_stops, is_endpoint, of_type
from .tool_neuron import CallsTools, ToolNeuron, ToolSettings

MAX_ANSWER_BYTES = 32 << 20
MAX_TOOL_RESULT_BYTES = 64 << 10


@attrs.frozen(kw_only=True)
class CommonSettings(ABC):
    """The arguments of the Neuron of every vendor.

    Args:
        api_key: The key; by default the value of the environment variable of the vendor.
        max_new_tokens: The most tokens of one answer.
        temperature: 0 for the likeliest words; None leaves it to the provider.
        stop: One or several texts before which the answer ends.
        stream: Whether tokens are handed on as they come.
        timeout_s: The longest silence of the provider, in seconds.
        max_answer_bytes: The most bytes of one answer, so of one event too.
        tools: The Neurons that the model may call: one id or pattern such as `fs.*`, or several.
        max_turns: The most answers of a model with tools for one task.
        tool_timeout_s: The longest time of one call of a tool, in seconds.
        max_tool_result_bytes: The most bytes of a result that the model reads; the rest is cut.
    """

    api_key: str | None = attrs.field(default=None, repr=False, validator=of_type(str, NoneType))
    max_new_tokens: int = attrs.field(default=512, validator=[of_type(int), gt(0)])
    temperature: float | None = attrs.field(
        default=None, validator=optional([of_type(int, float), ge(0)])
    )
    stop: Any = attrs.field(default=None, validator=of_type(str, list, tuple, NoneType))
    stream: bool = attrs.field(default=True, validator=of_type(bool))
    timeout_s: float = attrs.field(default=60.0, validator=[of_type(int, float), gt(0)])
    max_answer_bytes: int = attrs.field(default=MAX_ANSWER_BYTES, validator=[of_type(int), gt(0)])
    tools: Any = attrs.field(default=(), converter=as_patterns, validator=of_type(tuple))
    max_turns: int = attrs.field(default=8, validator=[of_type(int), gt(0)])
    tool_timeout_s: float = attrs.field(default=30.0, validator=[of_type(int, float), gt(0)])
    max_tool_result_bytes: int = attrs.field(
        default=MAX_TOOL_RESULT_BYTES, validator=[of_type(int), ge(100)]
    )

    def build(self) -> ProviderNeuron:
        """Return the neuron function.

        Raises:
            TypeError: `stop` holds something other than str, or `tools`.
            ValueError: The key is missing or cannot be sent in a header, or an environment variable
                for certificates or proxies cannot be used.
        """
        dialect = self.dialect()
        bounds: dict[str, Any] = {
            "timeout_s": self.timeout_s,
            "max_answer_bytes": self.max_answer_bytes,
        }
        if not self.tools:
            return ProviderNeuron(dialect=dialect, **bounds)
        if not isinstance(dialect, CallsTools):
            raise ValueError("text generation has no tools: leave use_chat_api=False away")  # noqa: TRY004
        settings = ToolSettings(
            patterns=self.tools,
            max_turns=self.max_turns,
            timeout_s=self.tool_timeout_s,
            max_result_bytes=self.max_tool_result_bytes,
        )
        return ToolNeuron(dialect=dialect, settings=settings, **bounds)

    @abstractmethod
    def dialect(self) -> Dialect:
        """Return the requests and answers of the vendor."""

    def key_or(self, variable: str) -> ApiKey:
        """Return the key that is set, else the one that the environment variable holds."""
        return ApiKey(os.environ.get(variable, "") if self.api_key is None else self.api_key)

    def sampling(self) -> Sampling:
        """Return how the model answers."""
        return Sampling(
            max_new_tokens=self.max_new_tokens,
            temperature=self.temperature,
            stop=as_stops(self.stop),
        )


class MakesDialect(Protocol):
    """A dialect's class, or one with some of its arguments filled in."""

    def __call__(
        self, *, faults: Faults, url: str, model: str, sampling: Sampling, stream: bool
    ) -> Dialect:
        """Return the dialect for one Neuron."""


@attrs.frozen(kw_only=True)
class Vendor:
    """One line of the table of vendors.

    Args:
        source: What it is called in `Neuron(source=...)` and in messages.
        endpoint: Its own base URL.
        key_variable: The environment variable of its key; None: it needs no key.
        dialect: What it speaks.
        path: Where it speaks that, under `/v1`.
    """

    source: str
    endpoint: str
    key_variable: str | None = None
    dialect: MakesDialect = ChatDialect
    path: str = ChatDialect.path


@attrs.frozen(kw_only=True)
class VendorSettings(CommonSettings):
    """The arguments of the Neuron of a vendor in the table.

    Args:
        model: Which model answers.
        endpoint: Another base URL than the vendor's own.
    """

    vendor: ClassVar[Vendor]
    model: str = attrs.field(validator=[of_type(str), min_len(1)])
    endpoint: str | None = attrs.field(
        default=None, validator=optional([of_type(str), is_endpoint])
    )

    def dialect(self) -> Dialect:
        """Return the requests and answers of the vendor."""
        vendor = self.vendor
        return vendor.dialect(
            faults=Faults(vendor.source, self._key()),
            url=api_url(self.endpoint or vendor.endpoint, vendor.path),
            model=self.model,
            sampling=self.sampling(),
            stream=self.stream,
        )

    def _key(self) -> ApiKey:
        variable = self.vendor.key_variable
        if variable is None:
            return ApiKey(self.api_key or "")
        key = self.key_or(variable)
        if not key:
            raise ValueError(
                f"Neuron(source={self.vendor.source!r}) needs a key: set api_key, or the "
                f"environment variable {variable}"
            )
        return key
