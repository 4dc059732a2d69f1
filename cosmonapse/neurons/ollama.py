"""Ollama, by its chat completions. Source: https://docs.ollama.com/api/openai-compatibility.

Its native `/api/chat` streams lines of JSON instead of events; the compatible API is read, and
checked for cut-off answers, by the same code as all others. The price: a temperature that is not
set is 1 there, whatever the model's own file says.
"""

from __future__ import annotations

from typing import ClassVar

import attrs

from .vendor import Vendor, VendorSettings


@attrs.frozen(kw_only=True)
class Settings(VendorSettings):
    """The arguments of `Neuron(source="ollama")`; a key is sent only where one is set."""

    vendor: ClassVar[Vendor] = Vendor(source="ollama", endpoint="http://localhost:11434")
