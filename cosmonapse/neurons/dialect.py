"""The port of a provider Neuron: the requests of a provider, its answers and events. Pure."""

from __future__ import annotations

from typing import Any, Protocol

from .answers import Output, Piece
from .faults import Faults
from .sse import ServerEvent


class Reader(Protocol):
    """Reads the events of one streamed answer."""

    @property
    def ended(self) -> bool:
        """Return whether the last event arrived."""

    @property
    def complete(self) -> bool:
        """Return whether the answer is complete."""

    @property
    def piece_count(self) -> int:
        """Return how many pieces of text came."""

    @property
    def response_id(self) -> str | None:
        """Return the id that the provider gave the answer, once it told it."""

    def feed(self, event: ServerEvent) -> list[Piece]:
        """Handle one event and return the pieces it adds."""

    def end(self) -> list[Piece]:
        """Return the pieces that the end of the stream adds."""

    def output(self, runs_tools: bool = False) -> Output:
        """Return the output made of all that came."""


class Dialect(Protocol):
    """The requests and answers of one provider."""

    @property
    def faults(self) -> Faults:
        """Return the factory of errors of the provider, which masks its key."""

    @property
    def url(self) -> str:
        """Return where to POST."""

    @property
    def model(self) -> str | None:
        """Return which model answers."""

    @property
    def stream(self) -> bool:
        """Return whether answers are requested token by token."""

    def headers(self) -> dict[str, str]:
        """Return the headers that prove who asks."""

    def body(self, input: Any) -> dict[str, Any]:
        """Return the request for a TASK's input."""

    def answer(self, document: Any, runs_tools: bool = False) -> Output:
        """Return the output that a plain answer holds."""

    def reader(self) -> Reader | None:
        """Return the reader of one streamed answer, or None if the API cannot stream."""
