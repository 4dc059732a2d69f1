"""Together AI. Source: https://docs.together.ai/reference/chat-completions-1."""

from __future__ import annotations

from typing import ClassVar

import attrs

from .vendor import Vendor, VendorSettings


@attrs.frozen(kw_only=True)
class Settings(VendorSettings):
    """The arguments of `Neuron(source="together")`."""

    vendor: ClassVar[Vendor] = Vendor(
        source="together", endpoint="https://api.together.xyz", key_variable="TOGETHER_API_KEY"
    )
