"""Whatever two users send, nothing comes out that the grant of one forbids."""

from hypothesis import given

from support.two_users import (
    ADA,
    BEN,
    EPOCH,
    GRANTS,
    LIMITED,
    MAY_HEAR,
    MAY_PUBLISH,
    STEPS,
    TwoUsers,
    instance_of,
    read_kind,
)
from zmq_transport.access.rights import EVERYTHING
from zmq_transport.proxy.subscriptions import IGNORE
from zmq_transport.proxy.tables import PUBLISH, SEND
from zmq_transport.wire import greetings, heads
from zmq_transport.wire.heads import Verb

INSTANCE = instance_of(ADA)
DECISION = 26


def check_sent(engine, connection, head):
    """Hold one directed message to the grant of ada, whoever caused it."""
    fields = heads.fields_of(head)
    if fields is None:  # it came back whole to its sender, or asks for several tasks by their ids
        assert heads.unpack_items(head)[1][0][0] in (Verb.BOUNCE, Verb.RESEND)
        return
    peer = engine.tables.peers.by_connection.get(connection)
    if fields.verb == Verb.TASK:
        if fields.peer == INSTANCE:
            assert LIMITED.may_dispatch_to(fields.address.decode())
        if peer is not None and peer.user == ADA:
            assert LIMITED.may_serve(fields.address.decode())
    elif fields.verb == Verb.PUBLISH and fields.peer == INSTANCE:
        assert fields.kind in MAY_PUBLISH


def check_published(topic, header, body):
    """Hold one broadcast to it: what ada is the sender of is a copy, or a kind that it may."""
    namespace, kind, _ = heads.read_topic(topic)
    publisher, _, caller, worker = heads.unpack_header(header)
    assert publisher == EPOCH
    if INSTANCE in (caller, worker):
        assert namespace == "demo"
        assert kind != DECISION
        assert read_kind(bytes(body)) != DECISION


def check_tables(engine):
    """Hold the tables to it: where ada is, and what is in its hands."""
    for peer in engine.tables.peers:
        assert (peer.user == ADA) == (peer.instance == INSTANCE)
        if peer.user == ADA:
            assert peer.namespace.name == "demo"
            assert all(LIMITED.may_serve(name) for name in peer.seats)
    for entry in engine.tables.ledger:
        if entry.seat.peer.user == ADA:
            assert LIMITED.may_serve(entry.seat.name)


@given(STEPS)
def test_nothing_comes_out_that_a_grant_forbids(steps):
    scene = TwoUsers(GRANTS).begin()
    for verb, *given_ in steps:
        said = scene.do(verb, *given_)
        *_, outcome = scene.said[-1]
        for code, first, second, last in said:
            if code == SEND:
                check_sent(scene.engine, first, second)
            elif code == PUBLISH:
                check_published(first, second, last)
        if verb == "listen" and given_[0] == ADA and outcome != IGNORE:
            assert (given_[1], given_[2] in MAY_HEAR) == ("demo", True)
        if verb == "publish" and outcome:
            user, whose, namespace, kind = given_
            assert user == whose
            assert user == BEN or (namespace == "demo" and kind in MAY_PUBLISH)
        check_tables(scene.engine)


def told(said):
    """Return what came out, without what tells a client of keys."""
    shown = []
    for code, first, second, body in said:
        single = heads.unpack_single(second) if code == SEND else None
        if single is not None and single[1] == Verb.WELCOME:
            body = {k: v for k, v in greetings.unpack_map(body).items() if k not in ("user", "may")}
            second = second[:19]
        shown.append((code, first, second, body))
    return shown


@given(STEPS)
def test_with_every_right_the_engine_decides_as_without_keys(steps):
    users = {ADA: "uid:1", BEN: "uid:2"}
    grants = dict.fromkeys(users.values(), EVERYTHING)
    keyed, plain = (TwoUsers(each, has_tag=False).begin(*users.values()) for each in (grants, None))
    for step in steps:
        # Under the instance of another, or with the kind of a decision in a reply, keys decide.
        if step[0] in ("join", "publish") and step[1] != step[2]:
            continue
        if step[0] == "reply":
            continue
        named = [users.get(each, each) for each in step]
        assert told(keyed.do(*named)) == told(plain.do(*named))
        assert keyed.said[-1][3] == plain.said[-1][3]
    assert +keyed.engine.counts == +plain.engine.counts
