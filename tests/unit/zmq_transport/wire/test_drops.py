"""The counters of dropped messages and ignored subscriptions."""

import pytest

from zmq_transport.counters import COUNTERS
from zmq_transport.wire.drops import drop_counter, ignored_counter


@pytest.mark.parametrize("reason", ["short_head", "long_topic", "engine_fault", "publisher_full"])
def test_a_drop_is_counted_under_its_reason(reason):
    assert drop_counter(reason) == f"drop.{reason}"


def test_an_ignored_subscription_is_counted_under_its_reason():
    assert ignored_counter("max_topics") == "ignored.max_topics"


def test_a_reason_without_a_counter_is_counted_all_the_same():
    assert drop_counter("of some other carrier") == ignored_counter("new") == "drop.other"
    assert "drop.other" in COUNTERS
