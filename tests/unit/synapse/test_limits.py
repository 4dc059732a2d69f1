import re

import pytest

from cosmonapse import InvalidName, MemorySynapse, SynapseServer
from cosmonapse.synapse.limits import Limits, settings_of
from zmq_transport import Settings


def test_what_is_not_named_has_its_default():
    assert settings_of((), {}) == Settings()


INNER = {
    "max_signal_bytes": "max_body_bytes",
    "max_connections": "max_peers",
    "max_axons": "max_seats",
    "max_open_tasks": "max_tasks",
    "max_open_tasks_per_caller": "max_tasks_per_caller",
    "max_subscriptions": "max_topics",
    "max_subscriptions_per_host": "max_topics_per_host",
    "max_subscriptions_per_connection": "max_topics_per_connection",
}
"""Names of limits that the transport has under another one."""


def test_each_limit_reaches_the_settings_of_the_transport():
    limits = {name: 2_000 + number for number, name in enumerate(Limits.__annotations__)}
    inner = {INNER.get(name, name): value for name, value in limits.items()}

    settings = settings_of(["blue"], limits)

    assert settings == Settings(namespaces=frozenset({"blue"}), **inner)


@pytest.mark.parametrize("make", [SynapseServer, MemorySynapse])
@pytest.mark.parametrize(
    ("limits", "error", "text"),
    [
        (
            {"max_peers": 1},
            TypeError,
            "unknown limit 'max_peers': the limits are max_signal_bytes, max_c",
        ),
        ({"max_axons": "9"}, TypeError, "max_axons must be a number, not '9'"),
        ({"max_axons": 1.5}, TypeError, "max_axons must be a number, not 1.5"),
        ({"max_axons": True}, TypeError, "max_axons must be a number, not True"),
        ({"max_axons": 0}, ValueError, "max_axons must be 1 to 1,000,000, not 0"),
        ({"max_signal_bytes": 100}, ValueError, "max_signal_bytes must be 1,024 to 2,147,352,576"),
        ({"handshake_s": 0}, ValueError, "handshake_s must be 0.05 to 3,600, not 0"),
        ({"handshake_s": float("nan")}, ValueError, "not nan"),
    ],
)
def test_a_wrong_limit_is_refused_when_it_is_given(make, limits, error, text):
    with pytest.raises(error, match=re.escape(text)):
        make(**limits)


def test_a_wrong_namespace_is_refused_when_it_is_given():
    with pytest.raises(InvalidName, match="namespace"):
        SynapseServer(namespaces=["a/b"])


@pytest.mark.parametrize(
    "wrong", [{"max_peers": -1}, {"handshake_s": 0}, {"high_water": 0}, {"max_body_bytes": -1}]
)
def test_settings_that_make_no_sense_are_refused_at_birth(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Settings(**wrong)
