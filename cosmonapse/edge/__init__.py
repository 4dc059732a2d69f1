"""The edge: a Dendrite for code without asyncio, and helpers for web frameworks.

`flask`, `fastapi` and `wsgi` are loaded by whoever imports them, and by nobody else.
"""

from .blocking import BlockingDendrite
from .text_stream import TextStream

__all__ = ["BlockingDendrite", "TextStream"]
