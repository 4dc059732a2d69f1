"""Groq. Source: https://console.groq.com/docs/api-reference#chat-create."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

import attrs

from .chat import ChatDialect
from .vendor import Vendor, VendorSettings


@attrs.frozen(kw_only=True)
class Settings(VendorSettings):
    """The arguments of `Neuron(source="groq")`."""

    vendor: ClassVar[Vendor] = Vendor(
        source="groq",
        endpoint="https://api.groq.com/openai",
        key_variable="GROQ_API_KEY",
        # the older name still works and is deprecated
        dialect=partial(ChatDialect, max_tokens_name="max_completion_tokens"),
    )
