"""How long a provider asks to wait."""

import pytest

from cosmonapse.neurons.retry_after import MAX_RETRY_AFTER_S, retry_after_s

NOW_S = 1_700_000_000.0  # Tue, 14 Nov 2023 22:13:20 GMT


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "inf"}, MAX_RETRY_AFTER_S),
        ({"retry-after": "9" * 400}, MAX_RETRY_AFTER_S),
        ({"retry-after": "nan"}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Tue, 14 Nov 2023 22:13:50 GMT"}, 30.0),
        ({"retry-after": "Tuesday, 14-Nov-23 22:13:50 GMT"}, 30.0),
        ({"retry-after": "Tue, 14 Nov 2023 22:13:00 GMT"}, 0.0),
        ({"retry-after": "Tue, 14 Nov 9999 22:13:00 GMT"}, MAX_RETRY_AFTER_S),
        ({"retry-after": "Tue, 99 Nov 2023 22:13:00 GMT"}, None),
        ({"retry-after-ms": "250", "retry-after": "7"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "7"}, 7.0),
    ],
)
def test_the_wait_is_a_bounded_number_of_seconds(headers, wait_s):
    assert retry_after_s(headers, NOW_S) == wait_s


def test_a_date_is_compared_with_the_clock_of_the_provider():
    headers = {
        "date": "Tue, 14 Nov 2000 10:00:00 GMT",
        "retry-after": "Tue, 14 Nov 2000 10:00:05 GMT",
    }

    assert retry_after_s(headers, NOW_S) == 5.0
