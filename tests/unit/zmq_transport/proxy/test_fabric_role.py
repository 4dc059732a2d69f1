"""The proxy as one of several, at its engine."""

import pytest

from zmq_transport.access.origin import UNKNOWN, proxy_user
from zmq_transport.access.rights import EVERYTHING, NOTHING, Access
from zmq_transport.failover.election import Decision
from zmq_transport.failover.others import HEARD_S
from zmq_transport.proxy import fabric_role
from zmq_transport.proxy.fabric_role import ANSWER_AGAIN_S, FabricRole
from zmq_transport.wire import greetings, heads, role_messages, state_messages
from zmq_transport.wire.heads import Verb
from zmq_transport.wire.role_messages import ProxyRole, RoleReport

A, B = "cosmo://10.0.0.2:7070", "cosmo://[fd00::3]:7070"
OWN, OTHER = b"o" * 16, b"x" * 16
PEER = b"c-peer"
TOPIC = heads.kind_topic("demo", 2)


class Fabric:
    """A bench whose engine is one of several; it stands by at first."""

    def __init__(self, make, urls=(A,), **options):
        self.bench = make(**options)
        self._epochs = iter(number.to_bytes(16, "big") for number in range(1, 100))
        epochs = self._epochs
        now_s = self.bench.now_s
        self.role = FabricRole(self.bench.engine, OWN, urls, lambda: next(epochs), now_s)
        self.bench.engine.join(self.role)

    def report(self, role=ProxyRole.STANDBY, term=0, who=OTHER, connection=PEER, user="", **fields):
        """Let another proxy report over its own connection."""
        body = role_messages.pack_report(RoleReport(who, term, role, **fields))
        head = heads.pack(Verb.ROLE, len(body), number=7)
        return self.bench.say(connection, head, body, self.bench.origin(user, connection))

    def answer(self, role=ProxyRole.STANDBY, term=0, who=OTHER, place=0, **fields):
        """Let another proxy answer a report."""
        body = role_messages.pack_report(RoleReport(who, term, role, answer=True, **fields))
        head = heads.pack(Verb.ROLE, len(body), number=1)
        outputs = self.role.on_answer(place, head, body, self.bench.now_s)
        return self.bench.take(outputs)

    def close(self, place=0):
        return self.bench.take(self.role.on_closed(place, self.bench.now_s))

    def lead(self):
        """Become the leader of term 1."""
        self.close()
        _, [who] = self.bench.hello("ada", alone=True)
        assert who.verb is Verb.WHO
        self.role.news.clear()
        return self.bench.hello("ada")


@pytest.fixture
def fabric(bench_with):
    return Fabric(bench_with)


def refused(sent):
    [refusal] = sent
    assert refusal.verb is Verb.REFUSED
    return greetings.unpack_map(refusal.body)


# -- a standby -----------------------------------------------------------------------------------


def test_a_standby_refuses_a_client_with_the_urls_of_the_others(bench_with):
    fabric = Fabric(bench_with, (A, B))
    _, sent = fabric.bench.hello("ada")

    fields = refused(sent)
    assert (fields["code"], fields["fabric"]) == ("standby", [A, B])
    assert A in fields["reason"]
    assert fabric.bench.counts["refused.standby"] == 1


def test_a_standby_names_the_leader_that_it_hears_first(bench_with):
    fabric = Fabric(bench_with, (A, B))
    fabric.answer(ProxyRole.LEADER, 1, place=1)
    _, sent = fabric.bench.hello("ada")

    fields = refused(sent)
    assert fields["fabric"] == [B, A]
    assert fields["reason"].startswith(f"it stands by for {B}, which leads")


def test_a_leader_at_a_url_that_is_not_known_is_named_as_one_of_the_others(bench_with):
    fabric = Fabric(bench_with, (A, B))
    fabric.report(ProxyRole.LEADER, 1)
    _, sent = fabric.bench.hello("ada")

    assert f"one of {A}, {B}" in refused(sent)["reason"]


def test_a_standby_asks_a_probe_who_it_is(fabric):
    [who] = fabric.bench.say(b"c-ada", b"")

    assert who.verb is Verb.WHO


def test_a_standby_sends_tasks_back_as_any_proxy_that_does_not_know_the_sender(fabric):
    head = heads.pack(Verb.TASK, 1, number=1000, task=b"t" * 16, address=b"echo")
    bounced, who = fabric.bench.say(b"c-ada", head, b"x")

    assert (bounced.verb, who.verb) == (Verb.BOUNCE, Verb.WHO)


def test_a_standby_refuses_a_bad_hello_as_any_proxy(fabric):
    head = heads.pack(Verb.HELLO, 1)

    assert "bad HELLO" in refused(fabric.bench.say(b"c-ada", head, b"\xc0"))["reason"]


def test_a_client_that_is_alone_is_held_until_the_standby_takes_over(fabric):
    ada, sent = fabric.bench.hello("ada", alone=True)
    assert sent == []

    [who] = fabric.close()
    assert (who.verb, who.to) == (Verb.WHO, ada.connection)
    _, sent = fabric.bench.hello("ada")
    assert sent[-1].verb is Verb.WELCOME
    assert fabric.bench.counts["failover.taken_over"] == 1
    assert Decision.TAKE_OVER in fabric.role.news


def test_a_client_that_is_held_is_refused_when_the_next_report_of_a_leader_comes(fabric):
    fabric.answer(ProxyRole.LEADER, 1)
    _, sent = fabric.bench.hello("ada", alone=True)
    assert sent == []

    assert refused(fabric.answer(ProxyRole.LEADER, 1))["fabric"] == [A]
    assert fabric.answer(ProxyRole.LEADER, 1) == []


def test_a_client_that_left_asks_for_a_second_only(fabric):
    ada, _ = fabric.bench.hello("ada", alone=True)
    fabric.bench.take(fabric.bench.engine.on_disconnected(ada.connection, fabric.bench.now_s))
    fabric.bench.tick(HEARD_S)

    assert fabric.role.role is ProxyRole.STANDBY
    assert fabric.close() == []


def test_a_client_that_was_refused_asks_for_a_second_only(fabric):
    fabric.bench.hello("ada", alone=True)
    fabric.answer(ProxyRole.LEADER, 1)
    fabric.bench.tick(HEARD_S)

    assert fabric.close() == []
    assert fabric.role.role is ProxyRole.STANDBY


def test_a_client_that_nobody_would_let_in_asks_in_vain(bench_with):
    fabric = Fabric(bench_with, namespaces=frozenset({"served"}))
    fabric.close()
    _, sent = fabric.bench.hello("ada", "demo", alone=True)

    assert refused(sent)["code"] == "standby"
    assert fabric.role.role is ProxyRole.STANDBY


def test_a_standby_holds_so_many_and_refuses_the_next(fabric, monkeypatch):
    monkeypatch.setattr(fabric_role, "MAX_HELD", 1)
    fabric.bench.hello("ada", alone=True)
    _, sent = fabric.bench.hello("ben", alone=True)

    assert refused(sent)["code"] == "standby"
    assert fabric.bench.hello("ada", alone=True)[1] == []  # as it is held already
    assert [each.verb for each in fabric.close()] == [Verb.WHO]


def test_a_client_that_no_longer_asks_in_the_moment_of_the_takeover_is_let_in(fabric):
    fabric.bench.hello("ada", alone=True)
    fabric.bench.now_s += HEARD_S
    _, sent = fabric.bench.hello("ada")

    assert fabric.role.role is ProxyRole.LEADER
    assert [each.verb for each in sent] == [Verb.WHO]


def test_a_standby_that_stops_lets_nobody_in(fabric):
    fabric.close()
    fabric.bench.take(fabric.role.on_stop(fabric.bench.now_s))
    fabric.bench.take(fabric.bench.engine.go_away())
    _, sent = fabric.bench.hello("ada", alone=True)

    assert sent == []
    assert fabric.bench.counts["drop.going_away"] == 1


# -- terms ---------------------------------------------------------------------------------------


def test_a_term_begins_with_empty_tables_and_the_counters_of_before(fabric):
    fabric.lead()
    before = fabric.bench.engine.tables.epoch
    fabric.bench.listen(TOPIC)
    fabric.answer(ProxyRole.LEADER, 9)
    counted = dict(fabric.bench.counts)
    fabric.bench.take(fabric.role.stand_down(fabric.bench.now_s))

    tables = fabric.bench.engine.tables
    assert tables.epoch != before
    assert not len(tables.peers)
    assert fabric.role.stale_topics == [TOPIC]
    assert {name: fabric.bench.counts[name] for name in counted} == counted


def test_a_welcome_says_that_there_are_others(fabric):
    _, sent = fabric.lead()

    assert greetings.unpack_welcome(sent[-1].body).others
    assert not greetings.unpack_welcome(sent[-1].body).half


def test_the_ports_stay_from_term_to_term(fabric):
    fabric.bench.engine.use_ports(7072, 7073)
    _, sent = fabric.lead()

    welcome = greetings.unpack_welcome(sent[-1].body)
    assert (welcome.listen_port, welcome.publish_port) == (7072, 7073)


def test_another_list_of_users_that_waits_is_in_force_in_the_next_term(bench_with):
    fabric = Fabric(bench_with, access=Access({}, {"ada": EVERYTHING}))
    fabric.close()
    fabric.bench.engine.use_access(Access({}, {"ben": EVERYTHING}))
    fabric.bench.hello("ada", user="ada", alone=True)
    fabric.bench.tick()

    assert fabric.bench.engine.tables.grant_of("ada") is None
    assert fabric.bench.engine.tables.grant_of("ben") is EVERYTHING


def test_a_leader_that_hears_a_higher_term_asks_its_clients_to_leave(fabric):
    ada, _ = fabric.lead()
    [away] = fabric.answer(ProxyRole.LEADER, 2)

    assert (away.to, away.verb) == (ada.connection, Verb.GOING_AWAY)
    assert fabric.bench.engine.draining
    assert Decision.STEP_DOWN in fabric.role.news
    assert fabric.bench.counts["failover.stepped_down"] == 1


def test_one_that_stood_down_refuses_clients_with_the_leader(fabric):
    fabric.lead()
    fabric.answer(ProxyRole.LEADER, 2)
    fabric.bench.take(fabric.role.stand_down(fabric.bench.now_s))
    _, sent = fabric.bench.hello("ada")

    assert refused(sent)["fabric"] == [A]


def test_every_client_is_told_of_a_half_and_when_it_is_whole_again(fabric):
    fabric.lead()
    fabric.bench.join("ben")
    fabric.answer()
    told = [each for each in fabric.bench.tick(HEARD_S) if each.verb is Verb.WELCOME]

    assert [greetings.unpack_welcome(each.body).half for each in told] == [True, True]
    assert [greetings.unpack_welcome(each.body).half for each in fabric.answer()] == [False, False]


# -- reports -------------------------------------------------------------------------------------


def test_a_report_is_answered_with_its_number_and_an_answer_is_not(fabric):
    [answer] = fabric.report()

    assert (answer.to, answer.verb, answer.number) == (PEER, Verb.ROLE, 7)
    assert role_messages.unpack_report(answer.body) == RoleReport(
        OWN, 0, ProxyRole.STANDBY, answer=True
    )
    assert fabric.report(answer=True) == []


def test_reports_that_come_too_fast_are_not_answered(fabric):
    fabric.report()

    assert fabric.report() == []
    assert fabric.bench.counts["drop.role_flood"] == 1
    fabric.bench.now_s += ANSWER_AGAIN_S
    assert len(fabric.report()) == 1


def test_a_report_of_its_own_is_answered_and_counted_and_means_nothing(fabric):
    [answer] = fabric.report(ProxyRole.LEADER, 9, who=OWN)

    assert answer.verb is Verb.ROLE
    assert fabric.bench.counts["drop.own_role"] == 1
    fabric.answer(who=OWN)
    [peer] = fabric.role.state(fabric.bench.now_s).peers
    assert peer == {"url": A, "role": "own"}


def test_a_proxy_without_others_drops_reports(bench):
    body = role_messages.pack_report(RoleReport(OTHER, 1, ProxyRole.LEADER))

    assert bench.say(PEER, heads.pack(Verb.ROLE, len(body)), body) == []
    assert bench.counts["drop.foreign_role"] == 1


def test_a_client_that_reports_is_not_listened_to(fabric):
    fabric.lead()
    body = role_messages.pack_report(RoleReport(OTHER, 9, ProxyRole.LEADER))

    assert fabric.bench.say(b"c-ada", heads.pack(Verb.ROLE, len(body)), body) == []
    assert fabric.bench.counts["drop.verb"] == 1
    assert fabric.role.role is ProxyRole.LEADER


def test_a_malformed_report_is_dropped(fabric):
    assert fabric.bench.say(PEER, heads.pack(Verb.ROLE, 1), b"\xc0") == []
    assert fabric.bench.counts["drop.bad_body"] == 1


def test_the_connection_of_another_proxy_is_no_stranger_until_it_ends(fabric):
    fabric.report()
    assert fabric.bench.engine.is_admitted(PEER)

    fabric.bench.take(fabric.bench.engine.on_disconnected(PEER, fabric.bench.now_s))
    assert not fabric.bench.engine.is_admitted(PEER)


def test_so_many_connections_of_other_proxies_are_remembered(fabric, monkeypatch):
    monkeypatch.setattr(fabric_role, "MAX_REPORTING", 2)
    for connection in (b"c-1", b"c-2", b"c-3"):
        fabric.report(connection=connection)

    assert [fabric.bench.engine.is_admitted(each) for each in (b"c-1", b"c-2", b"c-3")] == [
        False,
        True,
        True,
    ]


def test_each_own_report_has_the_next_number(fabric):
    numbers = [heads.fields_of(fabric.role.next_report()[0]).number for _ in range(3)]

    assert numbers == [1, 2, 3]


def test_a_who_in_answer_to_a_report_means_nothing(fabric):
    body = greetings.pack_map({"speaks": [1, 1]})
    head = heads.pack(Verb.WHO, len(body))

    assert fabric.role.on_answer(0, head, body, fabric.bench.now_s) == []


# -- keys ----------------------------------------------------------------------------------------


SECOND = proxy_user("second")
KEYED = Access({b"k" * 32: SECOND}, {SECOND: NOTHING, "ada": EVERYTHING})


@pytest.mark.parametrize("user", ["", "ada", "uid:1000"])
def test_with_keys_only_the_key_of_a_peer_reports(bench_with, user):
    fabric = Fabric(bench_with, access=KEYED)

    assert fabric.report(ProxyRole.LEADER, 1, user=user) == []
    assert fabric.bench.counts["drop.foreign_role"] == 1
    assert fabric.role.state(fabric.bench.now_s).peers == ({"url": A, "role": "unknown"},)


def test_with_keys_the_key_of_a_peer_reports_and_is_no_client(bench_with):
    fabric = Fabric(bench_with, access=KEYED)
    [answer] = fabric.report(user=SECOND)
    assert answer.verb is Verb.ROLE

    fabric.close()
    _, sent = fabric.bench.hello("second", user=SECOND, alone=True)
    assert refused(sent)["code"] == "standby"
    assert fabric.role.role is ProxyRole.STANDBY


def test_a_peer_whose_key_is_taken_away_is_cut(bench_with):
    fabric = Fabric(bench_with, access=KEYED)
    fabric.report(user=SECOND)
    fabric.bench.engine.use_access(Access({}, {"ada": EVERYTHING}))
    fabric.bench.tick()
    fabric.bench.tick()

    assert fabric.bench.cuts == [(PEER, "revoked")]


def test_the_state_tells_whether_the_users_are_the_same(bench_with):
    fabric = Fabric(bench_with, access=KEYED)
    [answer] = fabric.report(user=SECOND)
    own = role_messages.unpack_report(answer.body).users
    fabric.answer(users=own)
    assert fabric.role.state(fabric.bench.now_s).peers[0]["same_users"] is True

    fabric.answer(users=b"u" * 16)
    assert fabric.role.state(fabric.bench.now_s).peers[0]["same_users"] is False
    assert fabric.role.view(fabric.bench.now_s).other_users == (A,)


# -- the state -----------------------------------------------------------------------------------


def test_the_state_tells_the_role_and_what_is_known_of_the_others(bench_with):
    fabric = Fabric(bench_with, (A, B))
    fabric.answer(ProxyRole.LEADER, 3, clients=5)
    fabric.close(1)
    fabric.bench.now_s += 0.25
    state = fabric.role.state(fabric.bench.now_s)

    assert (state.role, state.term) == ("standby", 3)
    assert state.peers == (
        {"url": A, "role": "leader", "term": 3, "clients": 5, "heard_s": 0.25},
        {"url": B, "role": "closed"},
    )


def test_a_client_gets_the_role_with_the_state(fabric):
    ada, _ = fabric.lead()
    [answer] = fabric.bench.say(ada, *fabric.bench.ask_state(), UNKNOWN)
    state = state_messages.unpack(answer.body)

    assert (state.role, state.term) == ("leader", 1)
    assert state.peers == [{"url": A, "role": "closed"}]
