"""Text for a terminal, as the verbs know it. Pure."""

from __future__ import annotations

from ..runtime.printable import printable, printable_lines

__all__ = ["printable", "printable_lines"]
