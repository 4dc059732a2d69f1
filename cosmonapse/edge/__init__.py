"""The edge: a Dendrite for code without asyncio, and helpers for web frameworks.

`flask`, `fastapi` and `wsgi` are loaded only by an explicit import.
"""

from .blocking import BlockingDendrite
from .text_stream import TextStream

__all__ = ["BlockingDendrite", "TextStream"]
