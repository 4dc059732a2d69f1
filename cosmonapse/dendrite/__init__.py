"""The client facade and its parts."""

from .dendrite import Dendrite

__all__ = ["Dendrite"]
