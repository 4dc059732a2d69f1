"""A look: what is heard is asked, and it ends when that is enough."""

import threading
import time

import pytest

from cosmonapse.lan import look as module
from cosmonapse.lan.lan_record import Record
from cosmonapse.lan.look import MAX_ASKED, SETTLE_S, look

LONG_S = 30.0


class Heard:
    """Stands in for the browser: what is announced after so many waits."""

    def __init__(self, *batches):
        self._batches = list(batches)
        self._now = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def wait(self, timeout_s):
        if not self._batches:
            time.sleep(max(0.0, timeout_s))  # nothing more is announced in that time

    def records(self):
        if self._batches:
            self._now = self._now + self._batches.pop(0)
        return self._now


def record(number, *addresses):
    return Record(f"host{number}", addresses, 7070, start_id=f"{number:016x}")


@pytest.fixture
def announce(monkeypatch):
    def begin(*batches):
        heard = Heard(*batches)
        monkeypatch.setattr(module, "Browser", lambda: heard)
        monkeypatch.setattr(module, "addresses", lambda host: [])
        monkeypatch.setattr(module, "lan_addresses", list)

    return begin


def answering(*hosts):
    return lambda place: place[0] in hosts


def any_answers(found):
    return any(each.answers for each in found)


def test_it_ends_once_all_had_their_time_to_answer(announce):
    announce([record(1, "10.0.0.1")])
    began_s = time.monotonic()

    (found,) = look(answering("10.0.0.1"), LONG_S, any_answers)

    assert found.answers
    assert SETTLE_S <= time.monotonic() - began_s < LONG_S / 2


def test_a_second_one_that_is_heard_in_that_time_is_found_too(announce):
    announce([record(1, "10.0.0.1")], [], [record(2, "10.0.0.2")])

    found = look(answering("10.0.0.1", "10.0.0.2"), LONG_S, any_answers)

    assert [each.answers for each in found] == [True, True]


def test_one_that_is_announced_later_ends_a_long_look(announce):
    announce([record(1, "10.0.0.1")], *[[]] * 5, [record(2, "10.0.0.2")])

    found = look(answering("10.0.0.2"), LONG_S, any_answers)

    assert [each.answers for each in found] == [False, True]


def test_what_is_asked_at_that_time_is_waited_for(announce):
    announce([record(1, "10.0.0.1"), record(2, "10.0.0.2")])
    may_answer = threading.Event()
    threading.Timer(SETTLE_S + 0.3, may_answer.set).start()

    def asks(place):
        return place[0] == "10.0.0.1" or may_answer.wait(LONG_S)

    found = look(asks, LONG_S, any_answers)

    assert [each.answers for each in found] == [True, True]


def test_without_a_living_one_it_lasts_as_long_as_it_may(announce):
    announce([record(1, "10.0.0.1")])
    began_s = time.monotonic()

    (found,) = look(answering(), SETTLE_S + 0.2, any_answers)

    assert not found.answers
    assert time.monotonic() - began_s >= SETTLE_S + 0.2


def test_each_address_is_asked_once_and_the_answering_ones_are_told(announce):
    announce([record(1, "10.0.0.1", "10.9.0.1")], [record(1, "10.0.0.1")])
    asked = []

    def asks(place):
        asked.append(place)
        return place[0] == "10.9.0.1"

    (found,) = look(asks, LONG_S, any_answers)

    assert sorted(asked) == [("10.0.0.1", 7070), ("10.9.0.1", 7070)]
    assert found.url == "cosmo://10.9.0.1:7070"


def test_an_announcement_makes_nobody_knock_everywhere(announce):
    many = [
        record(number, *(f"10.{number}.0.{each}" for each in range(16))) for number in range(64)
    ]
    announce(many)
    asked = []

    look(lambda place: bool(asked.append(place)), SETTLE_S)

    assert len(asked) == MAX_ASKED
