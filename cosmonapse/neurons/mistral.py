"""Mistral. Source: https://docs.mistral.ai/api."""

from __future__ import annotations

from functools import partial
from typing import ClassVar

import attrs

from .chat import ChatDialect
from .vendor import Vendor, VendorSettings


@attrs.frozen(kw_only=True)
class Settings(VendorSettings):
    """The arguments of `Neuron(source="mistral")`."""

    vendor: ClassVar[Vendor] = Vendor(
        source="mistral",
        endpoint="https://api.mistral.ai",
        key_variable="MISTRAL_API_KEY",
        # it sends the usage unasked, and answers 422 to a request with stream_options
        dialect=partial(ChatDialect, asks_for_usage=False),
    )
