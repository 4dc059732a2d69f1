"""What messages mean to a client."""

import msgpack
import pytest

from support.heads import bundled
from zmq_transport.access.origin import instance_of_user
from zmq_transport.client.link import Link, LinkEvent
from zmq_transport.client.session import State
from zmq_transport.errors import IllegalTransition, InvalidName
from zmq_transport.wire import greetings, heads
from zmq_transport.wire.heads import Reason, Verb

TASK, TRACE, PEER = b"t" * 16, b"r" * 16, b"p" * 16
WHO = (heads.pack(Verb.WHO), b"")
GOODBYE = (LinkEvent.WRITE, heads.pack(Verb.GOODBYE), b"")


def started():
    link = Link(bytes(16), "demo", "client")
    link.start()
    return link


def welcome(epoch=b"e" * 16):
    body = greetings.pack_welcome(greetings.Welcome(epoch, 7072, 7073, 2000, 1000))
    return heads.pack(Verb.WELCOME, len(body)), body


def refusal(reason="no"):
    body = greetings.pack_map({"reason": reason})
    return heads.pack(Verb.REFUSED, len(body)), body


def ready():
    link = started()
    link.on_message(*WHO)
    link.on_message(*welcome())
    assert link.ready
    return link


def hello_in(occurrences):
    [(happening, head, body)] = occurrences
    assert happening is LinkEvent.WRITE
    assert heads.unpack_single(head)[1] == Verb.HELLO
    return greetings.unpack_hello(body)


def test_who_is_answered_with_hello():
    link = started()

    hello = hello_in(link.on_message(*WHO))

    assert (hello.namespace, hello.name, hello.epoch) == ("demo", "client", b"")
    assert hello.instance == link.instance
    assert link.session.state is State.GREETING


def test_a_client_is_ready_once_it_is_welcomed():
    link = started()
    link.on_message(*WHO)

    [(happening, said, fresh)] = link.on_message(*welcome())

    assert (happening, said.listen_port, fresh) == (LinkEvent.WELCOMED, 7072, True)
    assert link.ready


def test_the_same_epoch_again_is_not_fresh_and_another_is():
    link = ready()

    assert link.on_message(*welcome())[0][2] is False
    assert link.on_message(*welcome(b"f" * 16))[0][2] is True


def test_the_next_hello_names_the_epoch_that_was_known():
    link = ready()
    link.on_disconnected()

    assert hello_in(link.on_message(*WHO)).epoch == b"e" * 16


def test_who_while_ready_means_that_we_are_away_and_greet_again():
    [away, write] = ready().on_message(*WHO)

    assert away == (LinkEvent.AWAY, "asked again")
    hello_in([write])


def test_the_end_of_the_connection_is_told_once():
    link = ready()

    assert link.on_disconnected() == [(LinkEvent.AWAY, "disconnected")]
    assert link.on_disconnected() == []
    assert not link.ready


def test_a_refused_link_asks_again_and_may_be_welcome_then():
    link = started()
    link.on_message(*WHO)

    assert link.on_message(*refusal("full")) == [(LinkEvent.REFUSED, "full", None)]
    assert not link.ready
    assert hello_in(link.hello_again()).name == "client"
    assert link.on_message(*welcome())[0][0] is LinkEvent.WELCOMED
    assert link.session.state is State.READY


def standby_at(link):
    body = greetings.pack_map({"reason": "stands by", "code": "standby", "fabric": ["cosmo://a:1"]})
    return link.on_message(heads.pack(Verb.REFUSED, len(body)), body)


def test_a_proxy_that_stands_by_is_left_and_the_next_one_is_greeted():
    link = started()
    link.on_message(*WHO)

    assert standby_at(link) == [(LinkEvent.STANDBY, ("cosmo://a:1",))]
    assert link.session.state is State.CONNECTING
    assert hello_in(link.on_message(*WHO)).name == "client"


@pytest.mark.parametrize("state", [State.CONNECTING, State.GREETING, State.READY, State.REFUSED])
def test_a_proxy_that_stands_by_is_left_whatever_it_was_asked(state):
    link = started()
    link.session.state, link.ready = state, state is State.READY

    events = [each[0] for each in standby_at(link)]

    away = [LinkEvent.AWAY] if state is State.READY else []
    assert events == [LinkEvent.STANDBY, *away]
    assert link.session.state is State.CONNECTING


def test_who_leaves_has_left_when_the_proxy_stands_by():
    link = ready()
    link.leave()

    assert standby_at(link) == [(LinkEvent.LEFT,)]


def test_each_hello_says_whether_the_client_is_alone_by_then():
    answers = iter([False, True])
    link = Link(bytes(16), "demo", "client", is_alone=lambda: next(answers))
    link.start()

    assert not hello_in(link.on_message(*WHO)).alone
    assert hello_in(link.on_message(*WHO)).alone


def test_a_hello_is_repeated_while_no_answer_comes():
    link = started()

    assert hello_in(link.hello_again()).name == "client"
    link.on_message(*WHO)
    assert hello_in(link.hello_again()).name == "client"
    link.on_message(*welcome())
    assert link.hello_again() == []


def test_each_verb_of_the_work_is_an_event():
    link = ready()
    common = {"peer": PEER, "task": TASK, "trace": TRACE}
    task = heads.pack(Verb.TASK, 1, **common, kind=1, number=99, flags=2, address=b"echo")
    reply = heads.pack(Verb.REPLY, 1, **common, kind=2, number=3, flags=1)

    assert link.on_message(task, b"x") == [
        (LinkEvent.TASKS, PEER, "echo", [(TASK, TRACE, 1, 99, 2, b"x")])
    ]
    assert link.on_message(reply, b"y") == [
        (LinkEvent.REPLIES, PEER, [(TASK, TRACE, 2, 3, 1, b"y")])
    ]
    assert link.on_message(heads.pack(Verb.CANCEL, **common), b"") == [
        (LinkEvent.CANCEL, PEER, TASK)
    ]
    assert link.on_message(heads.pack(Verb.REGISTER, address=b"echo"), b"") == [
        (LinkEvent.REGISTERED, "echo", "")
    ]
    assert link.on_message(heads.pack(Verb.PING), b"") == []


@pytest.mark.parametrize(
    ("body", "refusal"), [(b"", ""), (b"no seats left", "no seats left"), (b"\xff", "\ufffd")]
)
def test_an_acknowledgement_says_why_a_seat_is_not_taken(body, refusal):
    head = heads.pack(Verb.REGISTER, len(body), address=b"echo")

    assert ready().on_message(head, body) == [(LinkEvent.REGISTERED, "echo", refusal)]


@pytest.mark.parametrize(
    ("verb", "happening"), [(Verb.BOUNCE, LinkEvent.BOUNCE), (Verb.LOST, LinkEvent.LOST)]
)
@pytest.mark.parametrize(
    ("body", "reason"),
    [(b"no_route", Reason.NO_ROUTE), (b"of next year", Reason.UNKNOWN), (b"\xff", Reason.UNKNOWN)],
)
def test_a_reason_that_we_do_not_know_is_unknown(verb, happening, body, reason):
    head = heads.pack(verb, len(body), task=TASK)

    assert ready().on_message(head, body) == [(happening, TASK, reason)]


@pytest.mark.parametrize("reason", [Reason.HELLO_FIRST, Reason.GOING_AWAY])
def test_a_message_that_comes_back_whole_is_the_one_that_was_sent(reason):
    head = heads.pack(Verb.TASK, 4, task=TASK, number=9, address=b"echo")
    link = ready()

    assert link.on_message(heads.bounced_whole(head, reason), reason.encode() + b"body") == [
        (LinkEvent.RETURNED, head, b"body")
    ]
    assert link.counts == {"returned": 1}


def test_a_bundle_that_comes_back_whole_is_the_one_that_was_sent():
    singles = [heads.pack(Verb.TASK, 1, number=n, task=TASK, address=b"echo") for n in range(63)]
    head, body = bundled(singles), b"x" * 63

    assert ready().on_message(heads.bounced_whole(head), b"hello_first" + body) == [
        (LinkEvent.RETURNED, head, body)
    ]


def test_several_replies_are_one_event():
    items = [(int(Verb.REPLY), 0, 2, n, TASK, TRACE, 1) for n in range(3)]

    events = ready().on_message(heads.pack_items(items, peer=PEER), b"abc")

    replies = [(TASK, TRACE, 2, n, 0, part) for n, part in enumerate((b"a", b"b", b"c"))]
    assert events == [(LinkEvent.REPLIES, PEER, replies)]


def test_a_bad_item_does_not_harm_those_beside_it():
    items = [(int(verb), 0, 0, 0, TASK, TRACE, 0) for verb in (Verb.CANCEL, 77, Verb.CANCEL)]
    link = ready()

    assert len(link.on_message(heads.pack_items(items), b"")) == 2
    assert link.counts == {"drop.verb": 1}


@pytest.mark.parametrize(
    ("head", "body", "reason"),
    [
        (b"", b"", "short_head"),
        (b"\x02", b"", "version"),
        (heads.pack(Verb.TASK, 3), b"four", "body_length"),
        (heads.pack(77), b"", "verb"),
        (heads.pack(Verb.HELLO), b"", "verb"),
        (heads.pack(Verb.WELCOME, 1), b"\xc1", "bad_body"),
    ],
)
def test_what_means_nothing_is_counted(head, body, reason):
    link = ready()

    assert link.on_message(head, body) == []
    assert link.counts == {f"drop.{reason}": 1}


def test_a_proxy_that_goes_away_is_wished_goodbye():
    link = ready()

    assert link.on_message(heads.pack(Verb.GOING_AWAY), b"") == [
        GOODBYE,
        (LinkEvent.AWAY, "going away"),
    ]
    assert link.session.state is State.CONNECTING


def test_the_answer_of_a_proxy_that_goes_away_is_expected_and_means_nothing_more():
    link = ready()
    link.on_message(heads.pack(Verb.GOING_AWAY), b"")

    assert link.on_message(heads.pack(Verb.GOODBYE), b"") == []
    assert link.session.state is State.CONNECTING
    assert not link.counts
    hello_in(link.on_message(*WHO))


def test_leaving_waits_for_the_answer_to_goodbye():
    link = ready()

    assert link.leave() == [GOODBYE]
    assert not link.ready
    assert link.on_message(heads.pack(Verb.GOODBYE), b"") == [(LinkEvent.LEFT,)]
    assert link.session.state is State.CLOSED


def test_replies_are_taken_in_while_leaving():
    link = ready()
    link.leave()

    assert link.on_message(heads.pack(Verb.REPLY, task=TASK), b"")


@pytest.mark.parametrize("message", [WHO, None], ids=["who", "disconnected"])
def test_leaving_ends_when_the_far_end_has_forgotten_us(message):
    link = ready()
    link.leave()

    occurrences = link.on_message(*message) if message else link.on_disconnected()

    assert occurrences == [(LinkEvent.LEFT,)]


def test_nobody_to_say_goodbye_to_means_gone_at_once():
    assert started().leave() == [(LinkEvent.LEFT,)]


def test_a_closed_link_says_nothing_more():
    link = ready()
    link.close()

    assert link.on_message(*WHO) == []
    assert not link.ready
    assert link.session.state is State.CLOSED


def test_a_link_starts_once():
    with pytest.raises(IllegalTransition):
        ready().start()


@pytest.mark.parametrize(("namespace", "name"), [("a b", "c"), ("demo", "")])
def test_a_bad_name_is_refused_at_birth(namespace, name):
    with pytest.raises(InvalidName):
        Link(bytes(16), namespace, name)


def test_with_a_key_the_instance_belongs_to_its_user():
    link = Link(bytes(16), "demo", "client", "ada")
    link.start()

    [(_, _, body)] = link.on_message(*WHO)

    assert link.instance == instance_of_user(bytes(16), "ada")
    assert greetings.unpack_map(body)["instance"] == link.instance


def test_every_hello_says_that_the_client_takes_users():
    assert hello_in(started().on_message(*WHO)).access


def test_who_is_ready_and_loses_its_rights_is_refused_and_waits():
    link = ready()
    body = greetings.pack_map({"reason": "revoked", "code": "access", "fix": "ask"})

    events = link.on_message(heads.pack(Verb.REFUSED, len(body)), body)

    assert events == [(LinkEvent.REFUSED, "revoked", "ask")]
    assert link.session.state is State.REFUSED
    assert not link.ready
    assert not link.counts


def test_a_page_of_users_comes_before_the_welcome():
    link = started()
    link.on_message(*WHO)
    body = msgpack.packb(["ada", "ben"])

    events = link.on_message(heads.pack(Verb.USERS, len(body), number=1), body)

    assert events == [(LinkEvent.USERS, 1, ["ada", "ben"])]
