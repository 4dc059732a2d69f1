"""A dead host, told from one whose program does not read."""

import pytest

from zmq_transport.proxy.unanswered import LEAST_SEGMENTS, LIMIT_S, Segments, Unanswered


def looks(*seen):
    """Look at a connection at (time, sent, received[, waits]); return when it is found dead."""
    unanswered = None
    for at_s, sent, received, *waits in seen:
        segments = Segments(sent, received, waits != [False])
        if unanswered is not None and unanswered.is_dead(segments, at_s):
            return at_s
        unanswered = Unanswered.look(unanswered, segments, at_s)
    return None


def test_a_host_that_answers_nothing_for_the_limit_is_dead():
    seen = [(at_s / 2, 10 + at_s, 7) for at_s in range(20)]

    assert looks(*seen) == LIMIT_S


def test_a_host_that_answers_each_probe_of_its_closed_window_is_alive():
    # The probes come ever more rarely, up to two minutes apart.
    seen, sent = [], 10
    for at_s in range(120):
        sent += at_s in (0, 1, 3, 7, 15, 31, 63)
        seen.append((float(at_s), sent, sent - 3))

    assert looks(*seen) is None


def test_a_host_that_dies_behind_a_closed_window_is_found_by_the_probes_it_leaves_unanswered():
    seen = [(0.0, 10, 7), (10.0, 11, 8), (20.0, 12, 8), (30.0, 13, 8), (40.0, 14, 8)]

    assert looks(*seen) == 30.0


def test_one_segment_may_be_on_its_way():
    assert looks((0.0, 10, 7), (60.0, 10 + LEAST_SEGMENTS - 1, 7)) is None


def test_a_host_that_owes_no_answer_is_not_suspected():
    assert looks((0.0, 10, 7), (9.0, 10, 7, False), (10.0, 13, 7)) is None


@pytest.mark.parametrize("at_s", [0.0, LIMIT_S - 0.01])
def test_a_host_has_the_whole_time_from_its_last_segment(at_s):
    assert looks((5.0, 10, 7), (6.0, 12, 8), (6.0 + at_s, 20, 8)) is None
