"""What each verb checks of a user, and how a user is revoked: docs/spec/11-access.md, all of it."""

import pytest

from zmq_transport.access.origin import TAG_BYTES, Origin, instance_of_user
from zmq_transport.access.rights import Access, Grant
from zmq_transport.proxy import admission, peers, publications
from zmq_transport.proxy.subscriptions import ACCEPT, FORWARD, IGNORE, SYNC, Subscriptions
from zmq_transport.wire import greetings, heads, resync_messages
from zmq_transport.wire.heads import Verb
from zmq_transport.wire.recipients import Recipients

EPOCH = b"epoch of proxy 1"
TASK, OTHER, TRACE = b"t" * 16, b"o" * 16, b"r" * 16
PLAN, STOP, SYSTEM = 13, 26, 20
PAST_THE_START_S = 11.0


def read_kind(body):
    """Read the kind that a body says itself: its first byte after a mark."""
    return body[1] if body[:1] == b"#" else None


RULES = {
    "reserved_kinds": frozenset({SYSTEM}),
    "published_kinds": frozenset({STOP}),
    "read_kind": read_kind,
}


@pytest.fixture
def keyed(bench_with):
    """Make a bench with keys: by user, the fields of its grant."""

    def make(**grants):
        access = Access(
            users={},
            grants={user: Grant(**fields) for user, fields in grants.items()},
            fixes={"serve": "allow {user} {what}", "namespace": "allow {user} in {what}"},
        )
        return bench_with(access=access, **RULES)

    return make


def refusal_of(sent):
    """Return the fields of the REFUSED among what came out."""
    [refused] = [each for each in sent if each.verb is Verb.REFUSED]
    return greetings.unpack_map(refused.body)


def verbs_of(sent):
    return [each.verb for each in sent]


# -- HELLO -----------------------------------------------------------------------------------------


def test_who_is_welcome_is_told_its_name_and_what_it_may_do(keyed):
    bench = keyed(ada={"may": ("dispatch", "watch")}, ben={})
    _, [users, welcome] = bench.hello("a", user="ada")

    told = greetings.unpack_welcome(welcome.body)
    assert (told.user, told.may) == ("ada", ("dispatch", "watch"))
    assert (users.verb, users.number, users.body) == (Verb.USERS, 0, b"\x92\xa3ada\xa3ben")


def test_without_keys_a_welcome_tells_no_name_and_no_rights(bench):
    _, [welcome] = bench.hello("a")

    assert {"user", "may"}.isdisjoint(greetings.unpack_map(welcome.body))


def test_a_thousand_hellos_list_a_thousand_names_once(keyed, monkeypatch):
    calls = []
    users_in = Access.users_in
    monkeypatch.setattr(Access, "users_in", lambda *each: calls.append(each) or users_in(*each))
    bench = keyed(ada={}, ben={})
    for number in range(3):
        bench.join(f"a{number}", user="ada")
    use(bench, ada={}, ben={}, eve={})
    bench.tick()

    _, [users, _] = bench.hello("late", user="ada")

    assert users.body == b"\x93\xa3ada\xa3ben\xa3eve"
    assert len(calls) == 1 + 2 + 1  # for those who came, to compare the lists, for the late one


def test_where_no_client_is_no_names_are_listed(keyed, monkeypatch):
    bench = keyed(ada={})
    bench.listen(PLANS, user="ada")
    calls = []
    monkeypatch.setattr(Access, "users_in", lambda *each: calls.append(each) or [])
    use(bench, ada={}, eve={})

    assert bench.tick() == []
    assert calls == []


def test_who_does_not_take_users_gets_none(keyed):
    _, sent = keyed(ada={}).hello("a", user="ada", access=False)

    assert verbs_of(sent) == [Verb.WELCOME]


@pytest.mark.parametrize("user", ["", "eve", "uid:65534"])
def test_who_is_not_listed_is_refused(keyed, user):
    bench = keyed(ada={})
    _, sent = bench.hello("e", user=user)

    assert refusal_of(sent)["code"] == "access"
    assert bench.counts["refused.access"] == 1
    assert not bench.engine.is_admitted(b"c-e")


def test_a_namespace_of_others_is_refused_and_the_own_ones_are_named(keyed):
    bench = keyed(ada={"namespaces": frozenset({"billing", "demo"})})
    _, sent = bench.hello("a", "secret", user="ada")

    fields = refusal_of(sent)
    assert "ada" in fields["reason"]
    assert "billing, demo" in fields["reason"]
    assert fields["fix"] == "allow ada in secret"


def test_of_many_namespaces_a_refusal_names_some(keyed):
    names = frozenset(f"{number:02}-" + "x" * 125 for number in range(99))
    _, sent = keyed(ada={"namespaces": names}).hello("a", "secret", user="ada")

    assert refusal_of(sent)["reason"].endswith("and 79 more")


def test_the_instance_of_another_key_is_refused_and_its_holder_goes_on(keyed):
    bench = keyed(ada={}, eve={})
    ada = bench.join("a", "echo", user="ada")
    hello = greetings.Hello(ada.secret, ada.instance, "demo", "a", runs=True)
    body = greetings.pack_hello(hello)

    sent = bench.say(b"c-e", heads.pack(Verb.HELLO, len(body)), body, Origin("eve", "host", b"c-e"))

    assert "another key" in refusal_of(sent)["reason"]
    assert [each.to for each in bench.task(ada)] == [ada.connection]


def test_without_keys_an_instance_with_a_tag_is_refused(bench):
    secret = b"s" * 16
    hello = greetings.Hello(secret, instance_of_user(secret, "ada"), "demo", "a")
    body = greetings.pack_hello(hello)

    sent = bench.say(b"c-a", heads.pack(Verb.HELLO, len(body)), body)

    assert "secret does not belong" in refusal_of(sent)["reason"]


def test_a_user_of_this_machine_has_an_instance_without_a_tag(keyed):
    bench = keyed(ada={}, **{"uid:1000": {}})
    guest = bench.join("u", "echo", user="uid:1000")

    assert guest.instance == heads.instance_of(guest.secret)
    assert [each.to for each in bench.task(guest)] == [guest.connection]


def test_a_second_hello_is_not_answered_with_the_whole_list_of_users_again(keyed):
    bench = keyed(ada={})
    ada, first = bench.hello("a", user="ada")
    hello = greetings.Hello(ada.secret, ada.instance, "demo", "a", runs=True, access=True)
    body = greetings.pack_hello(hello)

    second = bench.say(ada, heads.pack(Verb.HELLO, len(body)), body)

    assert verbs_of(first) == [Verb.USERS, Verb.WELCOME]
    assert verbs_of(second) == [Verb.WELCOME]


def test_a_user_of_this_machine_cannot_take_over_the_instance_of_another(keyed):
    bench = keyed(**{"uid:1000": {}, "uid:1001": {}})
    theirs = bench.join("u", "echo", user="uid:1000")
    hello = greetings.Hello(theirs.secret, theirs.instance, "demo", "u", runs=True)
    body = greetings.pack_hello(hello)
    origin = Origin("uid:1001", "ipc", b"c-e")

    sent = bench.say(b"c-e", heads.pack(Verb.HELLO, len(body)), body, origin)

    assert "another key" in refusal_of(sent)["reason"]
    assert [each.to for each in bench.task(theirs)] == [theirs.connection]


def test_a_plain_instance_that_ends_with_the_tag_of_a_user_is_refused(keyed):
    bench = keyed(ada={}, **{"uid:1000": {}})
    secret = b"u".ljust(16, b".")
    tag = heads.instance_of(secret)[-TAG_BYTES:]
    object.__setattr__(bench.engine.tables.access, "tags", frozenset({tag}))

    _, sent = bench.hello("u", user="uid:1000")

    assert "another key" in refusal_of(sent)["reason"]


def test_a_second_hello_for_another_namespace_is_dropped(keyed):
    bench = keyed(ada={})
    ada = bench.join("a", user="ada")
    hello = greetings.Hello(ada.secret, ada.instance, "other", "a")
    body = greetings.pack_hello(hello)

    assert bench.say(ada, heads.pack(Verb.HELLO, len(body)), body) == []
    assert bench.counts["drop.second_identity"] == 1


def test_two_names_with_one_tag_cannot_be_listed(monkeypatch):
    monkeypatch.setattr("zmq_transport.access.rights.tag_of", lambda user: b"same")

    with pytest.raises(ValueError, match="ada and ben have one tag"):
        Access(users={}, grants={"ada": Grant(), "ben": Grant()})


# -- TASK ------------------------------------------------------------------------------------------


@pytest.fixture
def office(keyed):
    """Return a bench with a caller that may dispatch to `in*` alone, and two workers."""
    bench = keyed(ada={"dispatches": ("in*",)}, ben={})
    workers = [
        bench.join("w1", "invoice", capabilities=["count", "sum"], user="ben"),
        bench.join("w2", "payroll", capabilities=["count"], user="ben"),
    ]
    return bench, bench.join("a", user="ada"), *workers


def test_a_task_goes_where_its_caller_may_dispatch(office):
    bench, ada, invoice, _ = office

    assert [each.to for each in bench.task(ada, b"invoice")] == [invoice.connection]


def test_a_task_to_another_name_comes_back_as_forbidden(office):
    bench, ada, _, _ = office
    bench.listen(heads.kind_topic("demo", 1), user="ben")

    [sent] = bench.task(ada, b"payroll")

    assert (sent.to, sent.verb, sent.body) == (ada.connection, Verb.BOUNCE, b"forbidden")
    assert bench.counts["bounce.forbidden"] == 1
    assert bench.published == []


def test_by_capability_only_allowed_seats_are_candidates(office):
    bench, ada, invoice, _ = office

    sent = [bench.task(ada, b"?count", bytes([n]) * 16)[0] for n in range(1, 5)]

    assert [each.to for each in sent] == [invoice.connection] * 4


def test_a_capability_that_only_forbidden_seats_offer_is_forbidden(office):
    bench, ada, invoice, _ = office
    bench.presence(invoice, "invoice", Verb.DEREGISTER)

    assert [each.body for each in bench.task(ada, b"?count")] == [b"forbidden"]


def test_a_capability_that_nobody_offers_has_no_route(office):
    bench, ada, _, _ = office

    assert [each.body for each in bench.task(ada, b"?paint")] == [b"no_route"]


def test_a_silent_seat_of_others_does_not_make_the_address_busy(office):
    bench, ada, invoice, _ = office
    bench.cut(invoice)

    assert [each.body for each in bench.task(ada, b"?count")] == [b"no_route"]


def test_in_a_bundle_each_task_has_its_own_outcome(office):
    bench, ada, invoice, _ = office
    tasks = [bytes([n]) * 16 for n in range(1, 4)]
    items = [(int(Verb.TASK), 0, 1, 5000, task, TRACE, 1) for task in tasks]

    sent = bench.say(ada, heads.pack_items(items, address=b"payroll"), b"abc")
    given = bench.say(ada, heads.pack_items(items, address=b"invoice"), b"abc")

    assert [each.body for each in sent] == [b"forbidden"] * 3
    assert {each.to for each in given} == {invoice.connection}


def test_too_many_bytes_at_an_allowed_worker_do_not_go_to_a_forbidden_one(office):
    bench, ada, invoice, _ = office
    limit = bench.engine.tables.settings.max_open_bytes
    bench.engine.tables.peers.by_connection[invoice.connection].open_bytes = limit

    assert [each.body for each in bench.task(ada, b"?count")] == [b"busy"]
    bench.engine.tables.peers.by_connection[invoice.connection].open_bytes = 0


def test_an_older_caller_gets_a_reason_that_it_knows(keyed):
    bench = keyed(ada={"dispatches": ()}, ben={})
    bench.join("w", "echo", user="ben")
    ada = bench.join("a", user="ada", access=False)

    assert [each.body for each in bench.task(ada)] == [b"no_route"]
    assert bench.counts["bounce.forbidden"] == 1


def test_a_forbidden_task_is_not_parked(keyed):
    bench = keyed(ada={"dispatches": ()})
    ada = bench.join("a", user="ada", epoch=b"e" * 16)

    assert [each.body for each in bench.task(ada)] == [b"forbidden"]
    assert not len(bench.engine.tables.parking)


def test_a_parked_task_by_capability_waits_for_an_allowed_seat(keyed):
    bench = keyed(ada={"dispatches": ("in*",)}, ben={})
    ada = bench.join("a", user="ada", epoch=b"e" * 16)
    assert bench.task(ada, b"?count") == []

    payroll = bench.join("w2", user="ben")
    sent = bench.presence(payroll, "payroll", capabilities=["count"])

    assert [each.body for each in sent if each.verb is Verb.BOUNCE] == [b"forbidden"]
    assert Verb.TASK not in verbs_of(sent)


def test_who_may_send_nothing_cannot_list_a_task_as_open(keyed):
    bench = keyed(eve={"dispatches": ()}, ben={})
    bench.join("w", "echo", user="ben")
    eve = bench.join("e", user="eve", epoch=b"e" * 16)
    [page] = resync_messages.opened_pages(
        [resync_messages.Opened(TASK, TRACE, 0, 10_000, keep=False)]
    )

    sent = bench.say(eve, *page)

    assert [(each.verb, each.body) for each in sent] == [(Verb.BOUNCE, b"forbidden")]


def test_nobody_cancels_or_asks_for_the_task_of_another(office):
    bench, ada, invoice, _ = office
    bench.task(ada, b"invoice")
    eve = bench.join("e", "own", user="ben")
    gap = resync_messages.gap_message(resync_messages.Opened(TASK, TRACE, 0, 10_000, keep=False))

    cancelled = bench.say(eve, heads.pack(Verb.CANCEL, task=TASK))
    asked = bench.say(eve, *gap)

    assert cancelled == []
    assert {each.peer for each in asked} <= {eve.instance}
    assert [each.to for each in bench.reply(invoice, ada)] == [ada.connection]


# -- presence --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["honest2", "other", "Honest"])
def test_a_seat_outside_of_its_rights_is_refused_with_what_to_do(keyed, name):
    bench = keyed(ada={"serves": ("honest",)})
    [sent] = bench.presence(bench.join("a", user="ada"), name)

    assert sent.body.decode() == f"access: the key ada may not serve {name}; allow ada {name}"
    assert bench.counts["refused.seat"] == 1


def test_a_seat_within_its_rights_is_accepted(keyed):
    bench = keyed(ada={"serves": ("honest*",)})

    [sent] = bench.presence(bench.join("a", user="ada"), "honest2")

    assert sent.body == b""


# -- CLAIM -----------------------------------------------------------------------------------------


def held(caller, seat="honest", state=resync_messages.Claim.RUNNING, task=TASK):
    return resync_messages.Held(caller.instance, task, TRACE, seat, state, 10_000, keep=False)


def claim(bench, worker, *claims):
    [page] = resync_messages.claim_pages(claims)
    return bench.say(worker, *page)


def list_task(bench, caller):
    """Let a caller list a task as open; nobody knows who has it."""
    [page] = resync_messages.opened_pages(
        [resync_messages.Opened(TASK, TRACE, 0, 10_000, keep=False)]
    )
    return bench.say(caller, *page)


@pytest.fixture
def restarted(keyed):
    """Return a bench after a restart, a caller, an honest worker and a thief."""
    bench = keyed(ada={}, ben={"serves": ("honest",)}, eve={"serves": ("thief",)})
    caller = bench.join("c", user="ada", epoch=b"e" * 16)
    honest = bench.join("h", "honest", user="ben", epoch=b"e" * 16)
    thief = bench.join("t", "thief", user="eve")
    list_task(bench, caller)
    return bench, caller, honest, thief


@pytest.mark.parametrize("seat", ["honest", "-"])
@pytest.mark.parametrize("state", [0, 1, 2])
def test_a_claim_for_a_seat_of_others_is_dropped_and_the_honest_one_wins(restarted, seat, state):
    bench, caller, honest, thief = restarted
    forged = claim(bench, thief, held(caller, seat, state))
    claim(bench, honest, held(caller))

    late = claim(bench, thief, held(caller, seat, state))
    reply = bench.reply(honest, caller, body=b"true")

    assert Verb.LOST not in verbs_of(forged + late)
    assert bench.counts["drop.claim_forbidden"] == 2
    assert bench.reply(thief, caller, body=b"forged") == []
    assert [(each.to, each.body) for each in reply] == [(caller.connection, b"true")]


def test_a_forbidden_claim_lets_nobody_say_that_the_task_was_not_started(keyed):
    bench = keyed(ada={}, ben={"serves": ("other",)})
    caller = bench.join("c", user="ada", epoch=b"e" * 16)
    worker = bench.join("w", "other", user="ben")
    known = resync_messages.workers_pages([worker.instance])
    for page in known:
        bench.say(caller, *page)
    [question] = [each for each in list_task(bench, caller) if each.verb is Verb.RESEND]
    bench.say(worker, *resync_messages.answer([held(caller)], question.address))

    lost = [each for each in bench.tick(1.1) if each.verb is Verb.LOST]

    assert [each.body for each in lost] == [b"unknown"]


@pytest.fixture
def listed(keyed):
    """Return a bench after a restart, whose caller says where its task was sent."""
    bench = keyed(ada={}, ben={"serves": ("honest",)}, eve={"serves": ("thief",)})
    caller = bench.join("c", user="ada", epoch=b"e" * 16)
    honest = bench.join("h", "honest", user="ben", capabilities=["sum"], epoch=b"e" * 16)
    thief = bench.join("t", "thief", user="eve", capabilities=["count"])

    def say(address):
        opened = resync_messages.Opened(TASK, TRACE, 0, 10_000, keep=False, address=address)
        [page] = resync_messages.opened_pages([opened])
        return bench.say(caller, *page)

    return bench, caller, honest, thief, say


@pytest.mark.parametrize("address", [b"honest", b"?sum"])
@pytest.mark.parametrize("seat", ["thief", "-"])
@pytest.mark.parametrize("is_early", [True, False])
def test_a_task_for_another_is_not_claimed_for_ones_own_seat(listed, address, seat, is_early):
    bench, caller, honest, thief, say = listed
    state = 0 if is_early else 1
    if is_early and seat == "-":
        seat = "thief"
    if is_early:
        claim(bench, thief, held(caller, seat, state))
    say(address)
    claim(bench, thief, held(caller, seat, state))
    claim(bench, honest, held(caller))

    assert bench.counts["drop.claim_forbidden"] == 1 + is_early
    assert bench.reply(thief, caller, body=b"forged") == []
    assert [each.body for each in bench.reply(honest, caller, body=b"true")] == [b"true"]


@pytest.mark.parametrize("address", [b"honest", b"?sum"])
@pytest.mark.parametrize("seat", ["honest", "-"])
def test_a_worker_claims_what_was_sent_to_it(listed, address, seat):
    bench, caller, honest, _, say = listed
    say(address)
    claim(bench, honest, held(caller, seat, 1))

    assert [each.to for each in bench.reply(honest, caller)] == [caller.connection]


def test_a_claim_without_a_seat_makes_nobody_a_worker(bench):
    caller = bench.join("c", epoch=b"e" * 16)
    stranger = bench.join("s")

    claim(bench, stranger, held(caller))

    peer = bench.engine.tables.peers.by_connection[stranger.connection]
    assert not peer.worker
    opened = resync_messages.Opened(OTHER, TRACE, 0, 10_000, keep=False)
    [page] = resync_messages.opened_pages([opened])
    assert bench.say(caller, *page) == []


def test_a_claim_ahead_of_its_register_holds(bench):
    caller = bench.join("c", epoch=b"e" * 16)
    worker = bench.join("w", epoch=b"e" * 16)
    list_task(bench, caller)
    claim(bench, worker, held(caller))
    bench.presence(worker, "honest")

    assert Verb.LOST not in verbs_of(bench.tick(10.5))
    bench.presence(worker, "honest", Verb.HEARTBEAT)
    assert [each.to for each in bench.reply(worker, caller)] == [caller.connection]


def test_a_claim_whose_seat_never_registers_is_given_up(bench):
    caller = bench.join("c", epoch=b"e" * 16)
    stranger = bench.join("s")
    list_task(bench, caller)
    claim(bench, stranger, held(caller))

    assert Verb.LOST not in verbs_of(bench.tick(9.5))
    assert [each.body for each in bench.tick(0.6) if each.verb is Verb.LOST] == [b"unknown"]
    assert bench.counts["drop.claim_unseated"] == 1
    assert not len(bench.engine.tables.ledger)


def test_who_has_the_seat_takes_a_task_from_who_has_it_not(bench):
    caller = bench.join("c", epoch=b"e" * 16)
    stranger, honest = bench.join("s"), bench.join("h", "honest")
    list_task(bench, caller)
    claim(bench, stranger, held(caller))

    sent = claim(bench, honest, held(caller))

    assert [(each.to, each.verb) for each in sent] == [(stranger.connection, Verb.CANCEL)]
    assert bench.reply(stranger, caller) == []
    assert [each.to for each in bench.reply(honest, caller)] == [caller.connection]


# -- questions -------------------------------------------------------------------------------------


def test_the_state_of_the_whole_proxy_is_for_inspectors(keyed):
    bench = keyed(ada={"inspects": False}, root={})
    ada, root = bench.join("a", "echo", user="ada"), bench.join("r", namespace="x", user="root")

    [mine] = bench.say(ada, *bench.ask_state())
    [whole] = bench.say(root, *bench.ask_state())

    fields = greetings.msgpack.unpackb(mine.body)
    assert (fields["namespace"], fields["clients"], fields["counts"]) == ("demo", 1, {})
    assert greetings.msgpack.unpackb(whole.body)["clients"] == 2


def test_who_may_not_watch_is_told_of_no_other_caller(keyed):
    bench = keyed(ada={"watches": False}, root={})
    ada, root = bench.join("a", user="ada"), bench.join("r", user="root")
    question = greetings.pack_map({"clients": True})
    head = heads.pack(Verb.ROSTER, len(question), task=TASK)

    told = [bench.say(who, head, question)[0].body for who in (ada, root)]

    names = [[each["name"] for each in greetings.msgpack.unpackb(body)["clients"]] for body in told]
    assert names == [["a"], ["a", "r"]]


# -- subscriptions ---------------------------------------------------------------------------------


def sync_of(guest):
    return heads.sync_topic("demo", guest.instance, 1)


def test_what_a_user_may_hear_is_what_its_subscriptions_are_accepted_for(keyed):
    bench = keyed(ada={"hears": frozenset({PLAN}), "watches": False}, ben={})
    ada, ben = bench.join("a", user="ada"), bench.join("b", user="ben")
    kind, trace = heads.kind_topic, heads.trace_topic

    said = {
        topic: bench.listen(topic, user="ada")
        for topic in (
            kind("demo", PLAN),
            kind("demo", 2),
            trace("demo", TRACE),
            sync_of(ada),
            sync_of(ben),
        )
    }

    assert [*said.values()] == [FORWARD, IGNORE, IGNORE, SYNC, IGNORE]
    assert bench.counts["ignored.forbidden"] == 3


def test_a_namespace_that_is_not_ours_cannot_be_listened_to(keyed):
    bench = keyed(ada={"namespaces": frozenset({"demo"})})

    assert bench.listen(heads.kind_topic("other", PLAN), user="ada") == IGNORE
    assert bench.listen(heads.kind_topic("demo", PLAN), user="eve") == IGNORE
    assert bench.listen(heads.kind_topic("demo", PLAN), user="ada") == FORWARD
    assert bench.listen(heads.kind_topic("demo", PLAN), user="ada") == ACCEPT


def test_who_leaves_a_topic_of_others_is_counted_and_they_still_hear_it(bench):
    topic = heads.kind_topic("demo", PLAN)
    bench.listen(topic)
    bench.engine.subscriptions.opened("stranger")

    assert bench.engine.subscriptions.unsubscribe(topic, "stranger") is False
    assert bench.counts["ignored.unsubscription"] == 1
    assert bench.publish(topic, bench.join("p").instance)
    namespace = bench.engine.tables.peers.namespaces["demo"]
    assert namespace.subscribed.has_subscriber(PLAN, TRACE)


# -- publications ----------------------------------------------------------------------------------

PLANS, OF_TRACE = heads.kind_topic("demo", PLAN), heads.trace_topic("demo", TRACE)


@pytest.fixture
def speaker(bench_with):
    """Return a bench without keys, past its start, and one that publishes."""
    bench = bench_with(**RULES)
    bench.now_s += PAST_THE_START_S
    return bench, bench.join("p")


@pytest.mark.parametrize("topic", [PLANS, OF_TRACE])
@pytest.mark.parametrize("publisher", [EPOCH, b"n" * 16, heads.NOBODY])
def test_nobody_publishes_as_the_proxy_or_as_one_that_is_not_here(speaker, topic, publisher):
    bench, _ = speaker

    assert not bench.publish(topic, publisher)
    assert bench.counts["drop.foreign_publisher"] == 1


def test_nobody_publishes_into_a_namespace_that_it_is_not_in(speaker):
    bench, guest = speaker

    assert not bench.publish(heads.kind_topic("other", PLAN), guest.instance)
    assert bench.counts["drop.foreign_publisher"] == 1


@pytest.mark.parametrize(
    ("caller", "worker", "passes"),
    [
        ("own", "zero", True),
        ("zero", "zero", True),
        ("zero", "own", True),
        ("other", "zero", False),
        ("own", "other", False),
    ],
)
def test_a_publication_names_nobody_else(speaker, caller, worker, passes):
    bench, guest = speaker
    parties = {"own": guest.instance, "zero": heads.NOBODY, "other": bench.join("o").instance}

    passed = bench.publish(PLANS, guest.instance, parties[caller], parties[worker])

    assert passed is passes
    assert bench.counts["drop.foreign_party"] == (not passes)


@pytest.mark.parametrize(
    ("topic", "body"),
    [
        (heads.kind_topic("demo", SYSTEM), b"news"),
        (OF_TRACE, b"#%c" % SYSTEM),
        (PLANS, b"#%c" % STOP),
    ],
)
def test_a_kind_that_only_the_proxy_tells_is_not_published(speaker, topic, body):
    bench, guest = speaker

    assert not bench.publish(topic, guest.instance, body=body)
    assert bench.counts["drop.reserved_kind"] == 1


def test_one_in_a_batch_is_enough_to_drop_it(speaker):
    bench, guest = speaker
    header = heads.pack_header(guest.instance, 0, guest.instance, heads.NOBODY)
    header += (4).to_bytes(4, "big") + (2).to_bytes(4, "big")

    assert not bench.engine.on_publication(
        [OF_TRACE, header, b"news" + b"#%c" % SYSTEM], bench.now_s
    )
    assert bench.counts["drop.reserved_kind"] == 1


def test_last_words_may_come_after_a_goodbye(speaker):
    bench, guest = speaker
    bench.say(guest, heads.pack(Verb.GOODBYE))

    assert bench.publish(PLANS, guest.instance)
    bench.tick(10.0)
    bench.tick(10.0)
    assert not bench.publish(PLANS, guest.instance)


def test_of_those_who_left_so_many_are_remembered(speaker, monkeypatch):
    monkeypatch.setattr(peers, "MAX_LEFT", 1)
    bench, guest = speaker
    others = [bench.join(name) for name in "abc"]
    for each in (guest, *others):
        bench.say(each, heads.pack(Verb.GOODBYE))

    passed = [bench.publish(PLANS, each.instance) for each in (guest, *others)]

    assert passed == [False, False, True, True]


def test_of_the_connections_that_published_so_many_are_remembered(keyed, monkeypatch):
    monkeypatch.setattr(publications, "MAX_LINES", 2)
    bench = keyed(ada={}, ben={}, eve={})
    for user in ("ada", "ben", "eve"):
        guest = bench.join(user[0], user=user)
        assert bench.publish(PLANS, guest.instance, user=user)

    use(bench)
    bench.tick()
    bench.tick()

    assert [line for line, _ in bench.cuts if line.startswith(b"x-")] == [b"x-ben", b"x-eve"]


def test_after_a_start_a_publication_may_overtake_the_hello_of_its_sender(bench_with):
    bench = bench_with(**RULES)

    assert bench.publish(PLANS, b"n" * 16)
    assert not bench.publish(PLANS, EPOCH)


def test_after_a_start_only_ones_own_tag_may_overtake_a_hello(keyed):
    bench = keyed(ada={}, eve={})
    unknown = instance_of_user(b"s" * 16, "ada")

    assert bench.publish(PLANS, unknown, user="ada")
    assert not bench.publish(PLANS, unknown, user="eve")
    assert bench.counts["drop.foreign_publisher"] == 1


def test_a_user_publishes_under_its_own_instances_alone(keyed):
    bench = keyed(ada={}, eve={})
    ada, eve = bench.join("a", user="ada"), bench.join("e", user="eve")

    assert bench.publish(PLANS, ada.instance, user="ada")
    assert not bench.publish(PLANS, ada.instance, user="eve")
    assert not bench.publish(PLANS, eve.instance, user="ada")
    assert bench.counts["drop.foreign_publisher"] == 2


def test_a_user_of_this_machine_publishes_under_its_own_instances_alone(keyed):
    bench = keyed(**{"uid:1000": {}, "uid:1001": {}})
    theirs = bench.join("u", user="uid:1000")

    assert bench.publish(PLANS, theirs.instance, user="uid:1000")
    assert not bench.publish(PLANS, theirs.instance, user="uid:1001")
    assert bench.counts["drop.foreign_publisher"] == 1


def test_a_user_publishes_the_kinds_that_it_may(keyed):
    bench = keyed(ada={"publishes": frozenset({PLAN})})
    ada = bench.join("a", user="ada")
    topics = [PLANS, heads.kind_topic("demo", STOP), OF_TRACE, OF_TRACE]
    bodies = [b"news", b"news", b"#%c" % PLAN, b"#%c" % STOP]

    passed = [
        bench.publish(topic, ada.instance, user="ada", body=body)
        for topic, body in zip(topics, bodies, strict=True)
    ]

    assert passed == [True, False, True, False]
    assert bench.counts["drop.forbidden"] == 2


@pytest.mark.parametrize("topic", [PLANS, OF_TRACE])
def test_who_may_publish_no_kind_publishes_no_bytes_without_one(keyed, topic):
    bench = keyed(ada={"publishes": frozenset()})
    ada = bench.join("a", user="ada")

    assert not bench.publish(topic, ada.instance, user="ada", body=b"no kind")
    assert bench.counts["drop.forbidden"] == 1


def test_with_keys_a_publication_says_whose_it_is(keyed):
    bench = keyed(ada={})
    ada = bench.join("a", user="ada")

    assert bench.publish(PLANS, ada.instance, caller=ada.instance, user="ada")
    assert not bench.publish(PLANS, ada.instance, caller=heads.NOBODY, user="ada")
    assert bench.counts["drop.foreign_party"] == 1


@pytest.mark.parametrize(
    ("user", "topic"), [("eve", PLANS), ("", PLANS), ("ada", heads.kind_topic("other", PLAN))]
)
def test_who_may_not_be_there_publishes_nothing(keyed, user, topic):
    bench = keyed(ada={"namespaces": frozenset({"demo"})})
    ada = bench.join("a", user="ada")

    assert not bench.publish(topic, ada.instance, user=user)
    assert bench.counts["drop.forbidden"] == 1


def hand_over(bench, sender, kind, body=b"news"):
    bits = int(Recipients.HOSTS)
    head = heads.pack(Verb.PUBLISH, len(body), kind=kind, number=bits, trace=TRACE)
    return bench.say(sender, head, body)


@pytest.mark.parametrize(
    ("kind", "body", "reason"),
    [
        (STOP, b"news", "forbidden"),
        (PLAN, b"#%c" % STOP, "reserved_kind"),
        (SYSTEM, b"news", "reserved_kind"),
    ],
)
def test_what_is_handed_over_is_checked_as_what_is_published(keyed, kind, body, reason):
    bench = keyed(ada={"publishes": frozenset({PLAN, SYSTEM})}, ben={})
    ada = bench.join("a", user="ada")
    bench.join("w", "echo", user="ben", publish=True)

    assert hand_over(bench, ada, kind, body) == []
    assert bench.counts[f"drop.{reason}"] == 1
    assert verbs_of(hand_over(bench, ada, PLAN)) == [Verb.PUBLISH]


@pytest.mark.parametrize(("kind", "body"), [(2, b"#%c" % STOP), (STOP, b"news")])
def test_a_reply_is_not_copied_as_what_only_a_publication_is(keyed, kind, body):
    bench = keyed(ada={}, ben={"publishes": frozenset()})
    worker, ada = bench.join("w", "echo", user="ben"), bench.join("a", user="ada")
    for topic in (OF_TRACE, heads.kind_topic("demo", kind)):
        bench.listen(topic, user="ada")
    bench.task(ada)
    bench.published.clear()
    head = heads.pack(Verb.REPLY, len(body), peer=ada.instance, kind=kind, task=TASK, trace=TRACE)

    assert [each.to for each in bench.say(worker, head, body)] == [ada.connection]
    assert bench.published == []
    assert bench.counts["drop.reserved_kind"] == 1


# -- revocation ------------------------------------------------------------------------------------


def use(bench, users=None, **grants):
    access = Access(
        users=users or {}, grants={user: Grant(**fields) for user, fields in grants.items()}
    )
    bench.engine.use_access(access)


def test_who_is_revoked_is_told_forgotten_and_cut_everywhere(keyed):
    bench = keyed(ada={}, eve={})
    ada, eve = bench.join("a", user="ada"), bench.join("e", "echo", user="eve")
    bench.say(b"c-half", b"", origin=bench.origin("eve", b"c-half"))
    bench.listen(PLANS, user="eve")
    bench.publish(PLANS, eve.instance, user="eve")
    bench.task(ada)

    use(bench, ada={})
    sent = bench.tick()
    assert [(each.to, each.body) for each in sent if each.verb is Verb.LOST] == [
        (ada.connection, b"worker_lost")
    ]
    assert refusal_of(sent)["code"] == "access"
    assert bench.cuts == []

    bench.tick()
    assert dict(bench.cuts) == dict.fromkeys([b"c-e", b"c-half", 1, b"x-eve"], "revoked")
    assert [each.body for each in bench.task(ada, task=OTHER)] == [b"no_route"]


def test_who_is_revoked_gets_nothing_in_before_it_is_cut(keyed):
    bench = keyed(ada={}, eve={})
    ada, eve = bench.join("a", "echo", user="ada"), bench.join("e", user="eve")
    use(bench, ada={})
    bench.tick()

    task = bench.task(eve)
    _, again = bench.hello("e", user="eve")

    assert ada.connection not in [each.to for each in task]
    assert refusal_of(again)["code"] == "access"
    assert bench.listen(PLANS, user="eve") == IGNORE
    assert not bench.publish(PLANS, eve.instance, user="eve")


def test_who_may_do_less_comes_back_with_what_it_may_do(keyed):
    bench = keyed(ada={}, ben={})
    bench.join("b", "echo", user="ben")
    ada = bench.join("a", user="ada")
    use(bench, ada={"dispatches": ("other",)}, ben={})
    bench.tick()
    bench.tick()
    assert bench.cuts == [(b"c-a", "revoked")]

    bench.engine.on_disconnected(ada.connection, bench.now_s)
    ada = bench.join("a", user="ada", connection=b"c-a2")

    assert [each.body for each in bench.task(ada)] == [b"forbidden"]


def test_who_may_do_more_is_told_and_stays(keyed):
    bench = keyed(ada={"dispatches": ()}, ben={})
    worker, ada = bench.join("b", "echo", user="ben"), bench.join("a", user="ada")
    use(bench, ada={"dispatches": None, "may": ("dispatch",)}, ben={})

    [welcome] = bench.tick()

    assert greetings.unpack_welcome(welcome.body).may == ("dispatch",)
    assert [each.to for each in bench.task(ada)] == [worker.connection]
    assert bench.tick() == bench.cuts == []


def test_a_new_name_is_told_to_those_whose_namespace_it_may_enter(keyed):
    bench = keyed(ada={}, ben={"namespaces": frozenset({"x"})})
    ada, _ = bench.join("a", user="ada"), bench.join("b", namespace="x", user="ben")
    use(
        bench, ada={}, ben={"namespaces": frozenset({"x"})}, eve={"namespaces": frozenset({"demo"})}
    )

    [users] = bench.tick()

    assert (users.to, users.verb, users.body) == (ada.connection, Verb.USERS, b"\x92\xa3ada\xa3eve")


def test_with_one_of_two_keys_gone_every_line_of_the_name_is_cut_and_nobody_is_refused(keyed):
    bench = keyed(ada={})
    use(bench, users={b"1": "ada", b"2": "ada"}, ada={})
    ada = bench.join("a", "echo", user="ada")
    bench.tick()
    use(bench, users={b"2": "ada"}, ada={})

    assert bench.tick() == []
    assert bench.cuts == [(b"c-a", "rotated")]
    assert [each.to for each in bench.task(ada)] == [ada.connection]


def test_a_list_that_takes_a_key_and_gives_more_does_both(keyed):
    bench = keyed(ada={"dispatches": ()}, ben={})
    use(bench, users={b"1": "ada", b"2": "ada"}, ada={"dispatches": ()}, ben={})
    worker, ada = bench.join("b", "echo", user="ben"), bench.join("a", user="ada")
    bench.tick()
    use(bench, users={b"2": "ada"}, ada={"may": ("dispatch",)}, ben={})

    [welcome] = bench.tick()

    assert greetings.unpack_welcome(welcome.body).may == ("dispatch",)
    assert bench.cuts == [(b"c-a", "rotated")]
    assert [each.to for each in bench.task(ada)] == [worker.connection]


def test_each_of_two_lists_between_two_ticks_is_in_force_in_its_turn(keyed):
    bench = keyed(ada={}, eve={})
    bench.join("e", user="eve")
    use(bench, ada={})
    use(bench, ada={}, eve={})

    bench.tick()
    bench.tick()

    assert bench.cuts == [(b"c-e", "revoked")]
    bench.join("e", user="eve", connection=b"c-e2")


@pytest.mark.parametrize("later", [b"c-2", b"c-3"])
def test_a_stranger_is_found_however_often_others_speak(keyed, monkeypatch, later):
    """The last one is remembered already, or is a connection of nobody."""
    monkeypatch.setattr(admission, "_MAX_ASKED", 2)
    bench = keyed(eve={})
    for connection in (b"c-1", b"c-2"):
        bench.say(connection, b"", origin=bench.origin("eve", connection))
    user = "eve" if later == b"c-2" else ""
    bench.say(later, b"", origin=bench.origin(user, later))
    use(bench)
    bench.tick()
    bench.tick()

    assert bench.cuts == [(b"c-1", "revoked"), (b"c-2", "revoked")]


def test_many_users_that_are_revoked_at_once_are_looked_for_once(keyed, monkeypatch):
    looks = []
    lines_of = Subscriptions.lines_of
    monkeypatch.setattr(
        Subscriptions, "lines_of", lambda *each: looks.append(each) or lines_of(*each)
    )
    bench = keyed(ada={}, ben={}, eve={})
    for user in ("ada", "ben", "eve"):
        bench.listen(PLANS, user=user)
    use(bench)
    bench.tick()

    bench.tick()

    assert dict(bench.cuts) == dict.fromkeys([1, 2, 3], "revoked")
    assert len(looks) == 1


def test_a_list_for_a_proxy_without_keys_is_a_mistake(bench):
    with pytest.raises(ValueError, match="without keys"):
        use(bench, ada={})
