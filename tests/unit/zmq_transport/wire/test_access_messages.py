"""What a proxy tells about keys."""

import msgpack
import pytest

from zmq_transport.errors import WireError
from zmq_transport.wire.access_messages import Refusal, unpack_refused, unpack_users
from zmq_transport.wire.greetings import pack_map


@pytest.mark.parametrize(
    ("fields", "refusal"),
    [
        ({"reason": "it is full"}, Refusal("it is full")),
        ({}, Refusal("no reason given")),
        ({"reason": 5}, Refusal("5")),
        ({"reason": "no", "fix": "never read"}, Refusal("no")),
        ({"reason": "no", "code": "access", "fix": "ask"}, Refusal("no", "ask", "access")),
        ({"reason": "no", "code": "access"}, Refusal("no", "", "access")),
        ({"reason": "no", "code": "access", "fix": [1]}, Refusal("no", "a list", "access")),
        ({"reason": "no", "code": "later"}, Refusal("no", code="later")),
        ({"reason": "no", "code": 7}, Refusal("no", code="7")),
    ],
)
def test_a_refusal_is_about_access_only_if_it_says_so(fields, refusal):
    assert unpack_refused(pack_map(fields)) == refusal


@pytest.mark.parametrize(
    ("fabric", "read"),
    [
        (["cosmo://a:1", "cosmo://b:2"], ("cosmo://a:1", "cosmo://b:2")),
        (["cosmo://a:1", 7, None], ("cosmo://a:1",)),
        ("cosmo://a:1", ()),
        (None, ()),
        ([f"cosmo://a:{port}" for port in range(20)], tuple(f"cosmo://a:{p}" for p in range(16))),
    ],
)
def test_a_standby_names_the_others(fabric, read):
    body = pack_map({"reason": "no", "code": "standby", "fabric": fabric})

    assert unpack_refused(body) == Refusal("no", code="standby", fabric=read)


def test_another_refusal_names_no_others():
    body = pack_map({"reason": "no", "code": "access", "fabric": ["cosmo://a:1"]})

    assert unpack_refused(body).fabric == ()


def test_a_page_of_users_is_a_list_of_names():
    assert unpack_users(msgpack.packb(["ada", "ben"])) == ["ada", "ben"]


@pytest.mark.parametrize(
    "body",
    [b"", b"\xc1", msgpack.packb({"a": 1}), msgpack.packb(["ada", 5]), msgpack.packb(["x" * 9000])],
)
def test_what_is_no_page_of_users_is_an_error(body):
    with pytest.raises(WireError):
        unpack_users(body)
