"""A client's life as a table. Spec: docs/spec/02-session.md. Pure."""

from __future__ import annotations

import enum
from collections.abc import Mapping

import attrs

from ..errors import IllegalTransition


class State(enum.Enum):
    """The states of a session."""

    IDLE = enum.auto()
    CONNECTING = enum.auto()
    GREETING = enum.auto()
    READY = enum.auto()
    REFUSED = enum.auto()
    LEAVING = enum.auto()
    CLOSED = enum.auto()


class Event(enum.Enum):
    """The events of a session."""

    START = enum.auto()
    WHO = enum.auto()
    WELCOME = enum.auto()
    REFUSED = enum.auto()
    DISCONNECTED = enum.auto()
    GOING_AWAY = enum.auto()
    LEAVE = enum.auto()
    GOODBYE = enum.auto()
    CLOSE = enum.auto()


TRANSITIONS: Mapping[State, Mapping[Event, State]] = {
    State.IDLE: {Event.START: State.CONNECTING, Event.CLOSE: State.CLOSED},
    State.CONNECTING: {
        Event.WHO: State.GREETING,
        Event.WELCOME: State.READY,  # DISCONNECTED may be reported late, after WHO
        Event.DISCONNECTED: State.CONNECTING,
        Event.GOING_AWAY: State.CONNECTING,
        Event.GOODBYE: State.CONNECTING,
        Event.LEAVE: State.CLOSED,
        Event.CLOSE: State.CLOSED,
    },
    State.GREETING: {
        Event.WHO: State.GREETING,
        Event.WELCOME: State.READY,
        Event.REFUSED: State.REFUSED,
        Event.DISCONNECTED: State.CONNECTING,
        Event.GOING_AWAY: State.CONNECTING,
        Event.LEAVE: State.CLOSED,
        Event.CLOSE: State.CLOSED,
    },
    State.READY: {
        Event.WHO: State.GREETING,
        Event.WELCOME: State.READY,
        Event.REFUSED: State.REFUSED,  # the rights of its key were taken away meanwhile
        Event.DISCONNECTED: State.CONNECTING,
        Event.GOING_AWAY: State.CONNECTING,
        Event.LEAVE: State.LEAVING,
        Event.CLOSE: State.CLOSED,
    },
    State.LEAVING: {
        Event.WHO: State.CLOSED,
        Event.REFUSED: State.CLOSED,
        Event.DISCONNECTED: State.CLOSED,
        Event.GOING_AWAY: State.LEAVING,
        Event.GOODBYE: State.CLOSED,
        Event.CLOSE: State.CLOSED,
    },
    State.REFUSED: {
        Event.WHO: State.GREETING,
        Event.WELCOME: State.READY,
        Event.REFUSED: State.REFUSED,
        Event.DISCONNECTED: State.CONNECTING,
        Event.GOING_AWAY: State.CONNECTING,
        Event.LEAVE: State.CLOSED,
        Event.CLOSE: State.CLOSED,
    },
    State.CLOSED: {
        Event.DISCONNECTED: State.CLOSED,
        Event.LEAVE: State.CLOSED,
        Event.CLOSE: State.CLOSED,
    },
}


@attrs.define
class Session:
    """The state of one client session."""

    state: State = State.IDLE

    def expects(self, event: Event) -> bool:
        """Return whether `event` has an arrow from the current state."""
        return event in TRANSITIONS[self.state]

    def on(self, event: Event) -> State:
        """Apply `event` and return the new state.

        Raises:
            IllegalTransition: `event` has no arrow from this state; nothing changes.
        """
        try:
            self.state = TRANSITIONS[self.state][event]
        except KeyError:
            raise IllegalTransition(f"{event.name} in state {self.state.name}") from None
        return self.state
