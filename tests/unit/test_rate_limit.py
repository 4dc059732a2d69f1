"""What a rate limit says, and what is none."""

import pytest

from cosmonapse import Axon
from cosmonapse.rate_limit import checked_rate, interval_of


@pytest.mark.parametrize(
    ("rate_limit", "interval_s"),
    [
        ("10/s", 0.1),
        ("100/m", 0.6),
        ("5/2s", 0.4),
        ("3/0.5s", 0.5 / 3),
        ("60 / h", 60.0),
        ("1000/s", 0.001),
        ("1/24h", 86_400.0),
    ],
)
def test_a_rate_limit_is_a_number_in_a_time(rate_limit, interval_s):
    assert interval_of(rate_limit) == pytest.approx(interval_s)


@pytest.mark.parametrize(
    "rate_limit",
    [
        "",
        "10",
        "10/",
        "/s",
        "0/s",
        "-1/s",
        "10/d",
        "1.5/s",
        "10/0s",
        "10 per s",
        "nan/s",
        "1001/s",
        "1/25h",
        "10/s ago",
        "\u0661/s",
    ],
)
def test_another_text_is_refused_with_an_example(rate_limit):
    with pytest.raises(ValueError, match=r"rate_limit must be .*/s.* not "):
        checked_rate(rate_limit)


@pytest.mark.parametrize("rate_limit", [10, 0.5, ("10", "s"), b"10/s", True])
def test_what_is_no_text_is_refused(rate_limit):
    with pytest.raises(TypeError, match="rate_limit must be a text such as '10/s'"):
        Axon(neuron_id="a", neuron_fn=print, rate_limit=rate_limit)
