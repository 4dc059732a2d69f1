"""Histograms as Prometheus has them: how many values were up to each bound. Pure."""

from __future__ import annotations

from ..kernel import SECONDS, Histogram

__all__ = ["LAGS", "SECONDS", "Histogram"]
LAGS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Bounds for how late a loop is, in seconds."""
