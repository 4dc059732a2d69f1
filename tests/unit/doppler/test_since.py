"""What `--since` means."""

from datetime import datetime

import pytest

from cosmonapse.doppler.since import since_ts

NOW = datetime(2026, 11, 30, 12, 30, 15).astimezone()


def at(*clock, day=30):
    return datetime(2026, 11, day, *clock).astimezone().timestamp()


@pytest.mark.parametrize(
    ("text", "ts"),
    [
        ("30s", at(12, 29, 45)),
        ("5m", at(12, 25, 15)),
        ("1.5h", at(11, 0, 15)),
        ("1d", at(12, 30, 15, day=29)),
        (" 5 m ", at(12, 25, 15)),
        ("12:05", at(12, 5)),
        ("9:05:30", at(9, 5, 30)),
        ("14:05", at(14, 5, day=29)),
        ("12:30:15", at(12, 30, 15)),
    ],
)
def test_a_time_ago_or_a_time_of_day_is_understood(text, ts):
    assert since_ts(text, NOW.timestamp()) == pytest.approx(ts)


@pytest.mark.parametrize(
    "text", ["", "5", "m", "-5m", "24:00", "12:60", "yesterday", "1e5s", "\u0665m"]
)
def test_anything_else_is_refused_with_examples(text):
    with pytest.raises(ValueError, match="expected such as 30s, 5m, 2h or 14:05"):
        since_ts(text, NOW.timestamp())
