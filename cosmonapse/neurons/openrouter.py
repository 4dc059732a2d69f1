"""OpenRouter. Source: https://openrouter.ai/docs/api-reference."""

from __future__ import annotations

from typing import ClassVar

import attrs

from .vendor import Vendor, VendorSettings


@attrs.frozen(kw_only=True)
class Settings(VendorSettings):
    """The arguments of `Neuron(source="openrouter")`."""

    vendor: ClassVar[Vendor] = Vendor(
        source="openrouter", endpoint="https://openrouter.ai/api", key_variable="OPENROUTER_API_KEY"
    )
