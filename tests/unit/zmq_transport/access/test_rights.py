"""What one grant has and another lacks: whoever loses any of it is revoked."""

import attrs
import pytest

from zmq_transport.access.origin import instance_of, instance_of_user
from zmq_transport.access.rights import EVERYTHING, Access, Grant

SOME = Grant(
    namespaces=frozenset({"a", "b"}),
    dispatches=("x-*", "y"),
    serves=("x-*", "y"),
    hears=frozenset({1, 2}),
    watches=True,
    publishes=frozenset({1, 2}),
    inspects=True,
)
LESS = {
    "namespaces": frozenset({"a"}),
    "dispatches": ("x-*",),
    "serves": ("y",),
    "hears": frozenset({1}),
    "watches": False,
    "publishes": frozenset(),
    "inspects": False,
}


@pytest.mark.parametrize("part", LESS)
def test_a_grant_that_lacks_any_part_does_not_cover_one_that_has_it(part):
    less = attrs.evolve(SOME, **{part: LESS[part]})

    assert not less.covers(SOME)
    assert SOME.covers(less)


@pytest.mark.parametrize("part", [each for each in LESS if each not in ("watches", "inspects")])
def test_everything_covers_something_and_not_the_other_way(part):
    all_of_it = attrs.evolve(SOME, **{part: None})

    assert all_of_it.covers(SOME)
    assert not SOME.covers(all_of_it)


def test_a_grant_covers_itself_and_everything_covers_all():
    assert SOME.covers(SOME)
    assert EVERYTHING.covers(SOME)
    assert not SOME.covers(EVERYTHING)


def test_other_words_for_the_same_lose_nothing():
    assert attrs.evolve(SOME, may=("new",)).covers(SOME)


@pytest.mark.parametrize("part", ["dispatches", "serves"])
def test_another_glob_is_less_unless_it_is_one_for_all(part):
    wider, all_of_it = (attrs.evolve(SOME, **{part: globs}) for globs in (("x*", "y"), ("*",)))

    assert not wider.covers(SOME)  # nobody compares globs: who is revoked comes back at once
    assert all_of_it.covers(SOME)


def test_a_glob_is_for_a_whole_name():
    assert SOME.may_serve("x-1")
    assert not SOME.may_serve("ax-1")
    assert not SOME.may_serve("y2")
    assert not SOME.may_serve("Y")


SECRET = b"s" * 16
OF_ADA = instance_of_user(SECRET, "ada")
PLAIN = instance_of(SECRET)


@pytest.mark.parametrize(
    ("user", "instance", "is_own"),
    [
        ("ada", OF_ADA, True),
        ("ada", PLAIN, False),
        ("ben", OF_ADA, False),
        ("uid:1000", OF_ADA, False),
        ("uid:1000", PLAIN, True),
        ("uid:1000", instance_of_user(SECRET, "eve"), True),
    ],
)
def test_an_instance_id_tells_whose_it_is_by_its_tag(user, instance, is_own):
    access = Access(users={}, grants={"ada": EVERYTHING, "ben": EVERYTHING})

    assert access.owns(user, instance) is is_own


def test_the_instance_id_of_a_user_without_a_key_is_the_plain_one():
    assert instance_of_user(SECRET, "uid:1000") == instance_of_user(SECRET, "") == PLAIN
    assert OF_ADA[:12] == PLAIN[:12]
    assert OF_ADA != PLAIN
