"""Two proxies that stand by for each other, in processes of their own: docs/spec/12-failover.md."""

import signal

import pytest

from support.keyed import Users, key_pair
from support.processes import Children, free_ports
from support.proxy_pair import NAMESPACE, Guest, Member, greet, pair
from zmq_transport.wire import heads
from zmq_transport.wire.heads import Verb

CARRIERS = ["zmtp", "libzmq"]
ENDS = (Verb.WELCOME, Verb.REFUSED)


@pytest.fixture
def children():
    with Children() as started:
        yield started


def leads(member):
    verb, _ = greet(member.port)
    return verb is Verb.WELCOME


def names(member):
    """Return the proxies that one that stands by names."""
    verb, fields = greet(member.port)
    assert verb is Verb.REFUSED
    assert fields["code"] == "standby"
    return fields["fabric"]


def test_the_first_that_is_asked_leads_and_the_other_one_names_it(children):
    first, second = pair(children)

    assert names(first) == [second.url]
    assert greet(first.port, alone=True)[0] is Verb.WELCOME
    second.news("stands_by")
    assert names(second) == [first.url]
    assert greet(second.port, alone=True)[0] is Verb.REFUSED


def test_of_two_that_are_asked_at_once_one_leads_in_the_end(children):
    first, second = pair(children)
    with Guest(first.port) as one, Guest(second.port) as other:
        one.say_hello(alone=True)
        other.say_hello(alone=True)
        # The one that does not lead refuses, or had taken over as well and asks to leave or cuts.
        lost = [each for each in (one, other) if each.answer(*ENDS) is not Verb.WELCOME]
        if not lost:
            lost = [each for each in (one, other) if each.waits_for(Verb.GOING_AWAY, 3.0)]
        assert len(lost) == 1
        loser = first if lost == [one] else second
        lost[0].send(heads.pack(Verb.GOODBYE))
        loser.news("stands_by")

    assert [leads(first), leads(second)].count(True) == 1


@pytest.mark.parametrize("carrier", CARRIERS)
def test_the_standby_takes_over_at_once_when_the_leader_is_killed(children, carrier):
    first, second = pair(children, carrier=carrier)
    greet(first.port, alone=True)
    second.news("stands_by")
    first.child.kill()

    with Guest(second.port) as guest:
        guest.say_hello(alone=True)
        _, body = guest.receive(Verb.WELCOME)

    # Not after a second, when silence alone would do: a leader that is silent makes this one half.
    assert second.news("no_standby").endswith(first.url)
    assert b"half" not in body


def test_one_that_returns_stands_by(children):
    first, second = pair(children)
    greet(first.port, alone=True)
    second.news("stands_by")
    first.child.kill()
    greet(second.port, alone=True)
    first.start()

    first.news("stands_by")
    second.news("has_standby")
    assert names(first) == [second.url]
    assert leads(second)


def test_a_leader_that_stops_in_order_is_followed_at_once(children):
    first, second = pair(children)
    with Guest(first.port) as guest:
        guest.greet(alone=True)
        second.news("stands_by")
        first.child.send(signal.SIGTERM)
        guest.receive(Verb.GOING_AWAY)
        # It drains for as long as this client does not leave, and leads no more.
        second.news("hears_no_leader", 2)
        assert greet(second.port, alone=True)[0] is Verb.WELCOME
        guest.send(heads.pack(Verb.GOODBYE))

    assert first.child.wait() == 0


@pytest.mark.parametrize("carrier", CARRIERS)
def test_a_frozen_leader_is_replaced_and_steps_down_when_it_goes_on(children, carrier):
    first, second = pair(children, carrier=carrier)
    with Guest(first.port) as left:
        left.greet(alone=True)
        second.news("stands_by")
        first.child.send(signal.SIGSTOP)
        second.news("hears_no_leader", 2)
        verb, fields = greet(second.port, alone=True)
        assert (verb, fields["half"]) == (Verb.WELCOME, True)
        second.news("half")

        first.child.send(signal.SIGCONT)
        left.receive(Verb.GOING_AWAY)
        left.send(heads.pack(Verb.GOODBYE))
        first.news("stands_by")
        second.news("whole")
        assert left.was_cut()
        assert left.greet()[0] is Verb.REFUSED

    assert names(first) == [second.url]
    assert first.counts("after")["failover.stepped_down"] == 1


def test_a_leader_that_stood_still_and_was_not_replaced_goes_on(children):
    first, second = pair(children)
    with Guest(first.port) as guest:
        guest.greet(alone=True)
        second.news("stands_by")
        first.child.send(signal.SIGSTOP)
        second.news("hears_no_leader", 2)
        guest.say_hello()
        first.child.send(signal.SIGCONT)

        verb, _ = guest.receive(Verb.WELCOME, Verb.GOING_AWAY)
        assert verb is Verb.WELCOME
        second.news("stands_by", 2)
    assert leads(first)


def test_a_url_that_leads_to_itself_is_told_and_waited_for_by_nobody(children):
    port = free_ports()
    alone = Member(children, [["localhost", port]], port)

    assert alone.news("own_url").endswith(f"cosmo://localhost:{port}")
    assert greet(port, alone=True)[1].get("half") is None


def test_a_name_that_does_not_resolve_is_one_that_is_silent(children):
    port = free_ports()
    alone = Member(children, [["nowhere.invalid", 7070]], port)
    verb, fields = greet(port, alone=True)

    assert (verb, fields["half"]) == (Verb.WELCOME, True)
    assert alone.news("half").endswith("cosmo://nowhere.invalid:7070")


class Keyed:
    """What two proxies with keys list: each other, and one client."""

    def __init__(self):
        self.pairs = {name: key_pair() for name in ("first", "second")}
        self.guest = key_pair()

    def options(self, name, listed):
        """Return the keys of a proxy, and what it lists: the key of the other one, or any."""
        users = Users()
        told = users.as_json()
        other = next(each for each in self.pairs if each != name)
        nothing = {"namespaces": [], "dispatches": [], "serves": [], "hears": [], "watches": False}
        told["users"] = {self.guest[0].hex(): "ada", listed.hex(): f"peer:{other}"}
        told["grants"] = {"ada": {"namespaces": [NAMESPACE]}, f"peer:{other}": nothing}
        public, secret = self.pairs[name]
        return {"keys": {"public": public.hex(), "secret": secret.hex(), **told}}

    def greet(self, member, name, **options):
        public, _ = self.pairs[name]
        return greet(member.port, keys=(*self.guest, public), user="ada", **options)


def keyed_pair(children, keyed, listed_at_second=None):
    ports = free_ports(), free_ports()
    listed = [keyed.pairs["second"][0], listed_at_second or keyed.pairs["first"][0]]
    return [
        Member(
            children,
            [["127.0.0.1", ports[1 - at]]],
            ports[at],
            **keyed.options(name, listed[at]),
        )
        for at, name in enumerate(keyed.pairs)
    ]


def test_with_keys_the_standby_takes_over_as_well(children):
    keyed = Keyed()
    first, second = keyed_pair(children, keyed)
    first.news("hears_no_leader")
    assert keyed.greet(first, "first", alone=True)[0] is Verb.WELCOME
    second.news("stands_by")
    assert keyed.greet(second, "second")[1]["fabric"] == [first.url]

    first.child.kill()
    assert keyed.greet(second, "second", alone=True)[0] is Verb.WELCOME
    second.news("no_standby")


def test_one_whose_key_is_not_listed_is_heard_by_nobody(children):
    keyed = Keyed()
    first, second = keyed_pair(children, keyed, listed_at_second=key_pair()[0])

    for member, name, other in ((second, "second", first), (first, "first", second)):
        assert keyed.greet(member, name, alone=True)[0] is Verb.WELCOME
        assert member.news("half").endswith(other.url)
