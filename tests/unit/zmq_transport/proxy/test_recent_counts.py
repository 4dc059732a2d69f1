"""What the counters grew by within the last minute."""

from collections import Counter

import pytest

from zmq_transport.proxy.recent_counts import EVERY_S, RECENT_S, RecentCounts


@pytest.fixture
def counts():
    return Counter({"early": 2})


def test_right_after_the_start_it_is_the_time_since_then(counts):
    recent = RecentCounts(counts, 100.0)
    recent.tick(102.0)

    assert recent.since(103.0) == (3.0, {"early": 2})


def test_what_is_older_than_a_minute_counts_no_more(counts):
    recent, now_s = RecentCounts(counts, 100.0), 100.0
    while now_s < 400.0:
        now_s += 0.1
        counts["steady"] += 1
        recent.tick(now_s)

    covered_s, grown = recent.since(now_s)

    assert RECENT_S <= covered_s <= RECENT_S + EVERY_S + 0.2
    assert grown == {"steady": round(covered_s * 10)}


def test_a_proxy_that_stood_still_covers_the_last_minute_all_the_same(counts):
    recent = RecentCounts(counts, 100.0)
    for now_s in (101.0, 110.0, 300.0):
        recent.tick(now_s)
        counts["late"] += 1

    assert recent.since(301.0) == (191.0, {"late": 2})


def test_little_is_kept_however_long_it_runs(counts):
    recent = RecentCounts(counts, 0.0)
    for tick in range(100_000):
        recent.tick(tick * 0.1)

    assert len(recent._kept) <= RECENT_S / EVERY_S + 2
