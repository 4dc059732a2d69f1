"""The Signals that a decorator saw, recorded for a test: as the conformance suite does it."""

from cosmonapse.testing.conformance.recording import about, deltas
from cosmonapse.testing.conformance.recording import recorded as kept

__all__ = ["about", "deltas", "kept"]
