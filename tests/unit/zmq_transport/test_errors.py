"""The tree of errors."""

import re

import pytest

from zmq_transport import errors
from zmq_transport.errors import LocalTransportError, RemoteTransportError, TransportError

ALL = [
    each
    for each in vars(errors).values()
    if isinstance(each, type) and issubclass(each, TransportError)
]
MADE = [
    errors.InvalidName("seat", "a b"),
    errors.MessageTooLarge(2048, 1024),
    errors.EndpointInUse("tcp://host:1", "address in use"),
    errors.WireError("short_head", "too short"),
    errors.VersionMismatch(2),
    errors.Unreachable("tcp://host:1", "nobody"),
    errors.Refused("tcp://host:1", "full"),
]


def test_every_error_is_ours_or_theirs_and_never_both():
    for each in ALL:
        if each not in (TransportError, LocalTransportError, RemoteTransportError):
            assert issubclass(each, LocalTransportError) != issubclass(each, RemoteTransportError)


def test_the_tree_at_the_top_of_the_module_is_the_tree():
    drawn = re.findall(r"^[│├└─ ]*(\w+)", errors.__doc__.split("\n\n")[1], flags=re.MULTILINE)

    assert set(drawn) == {each.__name__ for each in ALL}


@pytest.mark.parametrize("error", MADE, ids=lambda error: type(error).__name__)
def test_an_error_says_something_and_carries_its_facts(error):
    assert str(error)
    assert vars(error)


@pytest.mark.parametrize(
    ("error", "base"),
    [
        (errors.InvalidName, ValueError),
        (errors.MessageTooLarge, ValueError),
        (errors.IllegalTransition, RuntimeError),
        (errors.LinkClosed, RuntimeError),
        (errors.EndpointInUse, OSError),
        (errors.WireError, ValueError),
        (errors.Unreachable, ConnectionError),
        (errors.Refused, ConnectionError),
    ],
)
def test_an_error_can_be_caught_as_what_python_calls_it(error, base):
    assert issubclass(error, base)


def test_a_value_out_of_bounds_is_not_shown_in_full():
    assert len(str(errors.InvalidName("seat", "x" * 10_000))) < 400
    assert len(str(errors.InvalidName("seat", ["x" * 10_000]))) < 400
