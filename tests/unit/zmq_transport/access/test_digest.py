"""A digest of who may do what."""

import attrs
import pytest

from zmq_transport.access.digest import DIGEST_BYTES, digest_of
from zmq_transport.access.origin import proxy_user
from zmq_transport.access.rights import EVERYTHING, NOTHING, Access, Grant

ADA, BEN, OTHER = (bytes([number]) * 32 for number in (1, 2, 3))
GRANT = Grant(
    namespaces=frozenset({"a", "b"}), dispatches=("x-*", "y"), hears=frozenset({1, 2}), may=("w",)
)
ACCESS = Access({ADA: "ada", BEN: "ben"}, {"ada": GRANT, "ben": EVERYTHING})


def test_the_order_in_which_a_list_was_read_does_not_matter():
    turned = Access({BEN: "ben", ADA: "ada"}, {"ben": EVERYTHING, "ada": GRANT})

    assert digest_of(turned) == digest_of(ACCESS)
    assert len(digest_of(ACCESS)) == DIGEST_BYTES


@pytest.mark.parametrize(
    "change",
    [
        {"users": {ADA: "ada", OTHER: "ben"}},
        {"users": {ADA: "ada"}},
        {"users": {ADA: "ben", BEN: "ada"}},
        {"grants": {"ada": GRANT}},
        {"grants": {"ada": attrs.evolve(GRANT, namespaces=None), "ben": EVERYTHING}},
        {"grants": {"ada": attrs.evolve(GRANT, dispatches=("x-*",)), "ben": EVERYTHING}},
        {"grants": {"ada": attrs.evolve(GRANT, serves=()), "ben": EVERYTHING}},
        {"grants": {"ada": attrs.evolve(GRANT, hears=frozenset({1})), "ben": EVERYTHING}},
        {"grants": {"ada": attrs.evolve(GRANT, watches=False), "ben": EVERYTHING}},
        {"grants": {"ada": attrs.evolve(GRANT, publishes=frozenset()), "ben": EVERYTHING}},
        {"grants": {"ada": attrs.evolve(GRANT, inspects=False), "ben": EVERYTHING}},
        {"grants": {"ada": attrs.evolve(GRANT, may=()), "ben": EVERYTHING}},
    ],
)
def test_a_name_a_key_a_namespace_and_a_right_make_a_difference(change):
    fields = {"users": ACCESS.users, "grants": ACCESS.grants}

    assert digest_of(Access(**fields | change)) != digest_of(ACCESS)


def test_users_of_one_machine_and_the_proxies_themselves_make_none():
    peer = proxy_user("second")
    users = {**ACCESS.users, OTHER: peer}
    grants = {**ACCESS.grants, peer: NOTHING, "uid:1000": EVERYTHING}

    assert digest_of(Access(users, grants)) == digest_of(ACCESS)


def test_another_proxy_may_do_nothing():
    assert not NOTHING.may_enter("a")
    assert not NOTHING.may_dispatch_to("a")
    assert not NOTHING.may_serve("a")
    assert not NOTHING.may_hear(1)
    assert not NOTHING.may_hear(None)
    assert not NOTHING.may_publish(1)
    assert not NOTHING.inspects
    assert Access({}, {proxy_user("second"): NOTHING}).users_in("a") == []
