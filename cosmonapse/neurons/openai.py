"""OpenAI. Source: https://platform.openai.com/docs/api-reference/chat."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

import attrs

from .chat import ChatDialect
from .vendor import Vendor, VendorSettings


@attrs.frozen(kw_only=True)
class Settings(VendorSettings):
    """The arguments of `Neuron(source="openai")`."""

    vendor: ClassVar[Vendor] = Vendor(
        source="openai",
        endpoint="https://api.openai.com",
        key_variable="OPENAI_API_KEY",
        # its reasoning models refuse the older name
        dialect=partial(ChatDialect, max_tokens_name="max_completion_tokens"),
    )
