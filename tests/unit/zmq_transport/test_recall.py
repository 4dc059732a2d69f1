"""Whom a caller names as those who may have its tasks."""

import pytest

from zmq_transport import pages
from zmq_transport.pages import Roll
from zmq_transport.recall import FORMER_S, Recall

HERE, GONE = b"h" * 16, b"g" * 16
ALL = Roll.FIRST | Roll.LAST
OPENED = (b"t" * 16, b"r" * 16, 0, 5000, False)


class Keeper:
    """Keeps one open task."""

    def open_tasks(self):
        return [OPENED]


def recall(now_s=100.0):
    subject = Recall()
    subject.keeper = Keeper()
    subject.on_workers(ALL, [HERE, GONE], now_s)
    return subject


def named(subject, now_s):
    """Return the workers that it names beside its open task."""
    _, body = subject.listing((), now_s)[0]
    return set(pages.read_workers(body))


def test_who_is_here_is_named():
    assert named(recall(), 100.0) == {HERE, GONE}


def test_who_left_is_not_named():
    subject = recall()

    subject.on_workers(Roll.LEFT, [GONE], 101.0)

    assert named(subject, 101.0) == {HERE}


@pytest.mark.parametrize(("later_s", "who"), [(FORMER_S - 0.1, {HERE, GONE}), (FORMER_S, {HERE})])
def test_who_has_not_come_back_after_a_restart_is_named_for_a_while(later_s, who):
    subject = recall()

    subject.on_workers(ALL, [HERE], 101.0)

    assert named(subject, 101.0 + later_s) == who


def test_who_came_back_after_a_restart_and_left_then_is_not_named():
    subject = recall()
    subject.on_workers(ALL, [HERE, GONE], 101.0)

    subject.on_workers(Roll.LEFT, [GONE], 102.0)

    assert named(subject, 102.5) == {HERE}
