"""Every event in every state."""

import itertools
import re
from pathlib import Path

import pytest

from zmq_transport.client.session import TRANSITIONS, Event, Session, State
from zmq_transport.errors import IllegalTransition

PAGE = Path(__file__).resolve().parents[4] / "docs/spec/02-session.md"
PAIRS = list(itertools.product(State, Event))


def written_table():
    """Return the table of the specification as {(state, event): state}."""
    rows = re.findall(r"^\|(.+)\|$", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    cells = [[cell.strip() for cell in row.split("|")] for row in rows]
    start = next(n for n, row in enumerate(cells) if row[0] == r"state \ event")
    events = cells[start][1:]
    table = {}
    for state, *targets in cells[start + 2 : start + 2 + len(State)]:
        for event, target in zip(events, targets, strict=True):
            if target:
                table[State[state], Event[event]] = State[target]
    return table


WRITTEN = written_table()


@pytest.mark.parametrize(("state", "event"), PAIRS, ids=lambda each: each.name)
def test_an_event_leads_where_the_specification_says(state, event):
    session = Session(state)

    if (state, event) in WRITTEN:
        assert session.expects(event)
        assert session.on(event) is session.state is WRITTEN[state, event]
    else:
        assert not session.expects(event)
        with pytest.raises(IllegalTransition, match=f"{event.name} in state {state.name}"):
            session.on(event)
        assert session.state is state


def test_every_state_has_a_row():
    assert set(TRANSITIONS) == set(State)


def test_every_state_can_be_reached():
    reached, before = {State.IDLE}, set()

    while reached != before:
        before = set(reached)
        reached |= {to for state in before for to in TRANSITIONS[state].values()}

    assert reached == set(State)


@pytest.mark.parametrize("state", State, ids=lambda each: each.name)
def test_every_state_can_be_closed(state):
    assert Session(state).on(Event.CLOSE) is State.CLOSED


def test_nothing_leads_out_of_the_end():
    assert set(TRANSITIONS[State.CLOSED].values()) == {State.CLOSED}


def test_a_session_begins_idle():
    assert Session().state is State.IDLE
