"""From folders and words to what the transport takes."""

import os

import attrs
import pytest

import zmq_transport
from cosmonapse.errors import InvalidKey
from cosmonapse.key_ring import KeyRing, Member
from cosmonapse.keys import Key
from cosmonapse.rights import WORDS, Rights
from cosmonapse.signals import SignalType
from cosmonapse.synapse import access

OWN = f"uid:{os.geteuid()}"


def ring_of(*members, pair=(b"p" * 32, b"s" * 32)):
    return KeyRing("/keys", *pair, (), {each.name: each for each in members})


def test_every_key_of_a_name_is_one_user_and_this_user_may_everything_over_ipc():
    ada = Member("ada", (b"a" * 32, b"b" * 32), ("billing",), Rights.of(["serve=x-*"]))
    local = Member("uid-1", (), None, Rights.of(["watch"]))

    found = access.access_of(ring_of(ada, local))

    assert dict(found.users) == {b"a" * 32: "ada", b"b" * 32: "ada"}
    assert set(found.grants) == {"ada", "uid:1", OWN}
    everything = attrs.evolve(zmq_transport.EVERYTHING, may=tuple(WORDS))
    assert found.grants[OWN] == everything
    assert found.grants["uid:1"].namespaces is None
    assert found.grants["ada"].namespaces == {"billing"}


@pytest.mark.parametrize(
    "words",
    [[], ["member"], ["admin"], ["watch"], ["serve=a", "serve=b?"], ["dispatch=a*", "decide"]],
)
def test_a_grant_allows_what_the_rights_allow(words):
    rights = Rights.of(words)

    grant = access.grant_of(rights)

    names = ("a", "ab", "b", "b1", "c")
    assert grant.may == rights.words
    assert [grant.may_serve(each) for each in names] == [rights.may_serve(each) for each in names]
    assert [grant.may_dispatch_to(each) for each in names] == [
        rights.may_dispatch_to(each) for each in names
    ]
    for each in SignalType:
        assert grant.may_hear(each.code) is rights.may_hear(each)
        assert grant.may_publish(each.code) is rights.may_emit(each)
    assert grant.may_hear(None) is rights.may_hear(None)
    assert grant.inspects is rights.inspects
    assert grant.may_enter("anywhere")


def test_two_names_with_one_tag_are_refused(monkeypatch):
    monkeypatch.setattr(zmq_transport, "tag_of", lambda user: b"same")
    members = [Member(each, (each.encode() * 32,), None, Rights.of([])) for each in ("a", "b")]

    with pytest.raises(InvalidKey, match="choose another name"):
        access.access_of(ring_of(*members))


def test_a_public_key_that_does_not_belong_to_its_secret_is_found():
    public, secret = access.new_pair()
    other, _ = access.new_pair()

    assert access.client_keys_of(Key("ada", public, secret, (other,))).pair.secret == secret
    with pytest.raises(InvalidKey, match="does not belong"):
        access.client_keys_of(Key("ada", other, secret, (other,)))
