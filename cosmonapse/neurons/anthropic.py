"""Anthropic. Source: https://platform.claude.com/docs/en/api/messages."""

from __future__ import annotations

from typing import ClassVar

import attrs

from .messages import MessagesDialect
from .vendor import Vendor, VendorSettings


@attrs.frozen(kw_only=True)
class Settings(VendorSettings):
    """The arguments of `Neuron(source="anthropic")`."""

    vendor: ClassVar[Vendor] = Vendor(
        source="anthropic",
        endpoint="https://api.anthropic.com",
        key_variable="ANTHROPIC_API_KEY",
        dialect=MessagesDialect,
        path=MessagesDialect.path,
    )
