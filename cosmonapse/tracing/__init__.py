"""Traces by OpenTelemetry: spans of tasks, model calls and tool calls, linked across processes.

A Dendrite that starts where a TracerProvider is set makes them by itself; docs/tracing.md.
"""

from .switch import disable, enable, is_enabled

__all__ = ["disable", "enable", "is_enabled"]
