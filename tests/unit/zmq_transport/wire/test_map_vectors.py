"""The maps that the transport reads, against `docs/spec/vectors.json`, in both directions."""

import attrs
import msgpack
import pytest

from support.vectors import MESSAGES, VECTORS, each_of, message_named, revived
from zmq_transport.errors import WireError
from zmq_transport.wire import greetings, role_messages, roster_messages, state_messages
from zmq_transport.wire.role_messages import ProxyRole, RoleReport
from zmq_transport.wire.roster_messages import ClientInfo, RosterQuery


def asdict_without(name, value):
    """Return the fields of `value`; an optional one that has its default is left out."""
    fields = attrs.asdict(value)
    if not fields[name]:
        del fields[name]
    return fields


def greeting_fields(greeting):
    """Return the fields of a HELLO or WELCOME; what is false, or not said, is left out."""
    fields = attrs.asdict(greeting)
    fields = {key: list(value) if key == "may" else value for key, value in fields.items()}
    unsaid = {"user": "", "may": []}
    return {
        key: value
        for key, value in fields.items()
        if value is not False and (key not in unsaid or value != unsaid[key])
    }


def state_fields(state):
    """Return the fields of a state; what is said of one of several proxies only, if it is one."""
    fields = asdict_without("namespace", state)
    if not state.role:
        del fields["role"], fields["term"]
    for name in ("release", "ts"):
        if not fields[name]:
            del fields[name]
    if state.peers:
        fields["peers"] = list(fields["peers"])
    else:
        del fields["peers"]
    return fields


def facts_fields(body):
    fields = greetings.unpack_map(body)
    greetings.unpack_capabilities(fields)
    return fields


def question_fields(body):
    return asdict_without("clients", roster_messages.unpack_question(body))


def seats_fields(body):
    seats, more = roster_messages.unpack_answer(body)
    return [
        [
            [list(each) if isinstance(each, tuple) else each for each in attrs.astuple(seat)]
            for seat in seats
        ],
        more,
    ]


def clients_fields(body):
    clients, more = roster_messages.unpack_clients(body)
    return {"clients": [attrs.asdict(each) for each in clients], "more": more}


def report_fields(body):
    """Return the fields of a ROLE; what has its default is left out, as on the wire."""
    report = role_messages.unpack_report(body)
    fields = {"id": report.id, "term": report.term, "role": report.role.value}
    fields |= {key: True for key in ("asked", "answer") if getattr(report, key)}
    fields["clients"] = report.clients
    return fields | ({"users": report.users} if report.users else {})


def packed_report(fields):
    return role_messages.pack_report(RoleReport(**fields | {"role": ProxyRole(fields["role"])}))


READ = {
    "hello": lambda body: greeting_fields(greetings.unpack_hello(body)),
    "welcome": lambda body: greeting_fields(greetings.unpack_welcome(body)),
    "refused": greetings.unpack_map,
    "who": greetings.unpack_map,
    "facts": facts_fields,
    "roster_question": question_fields,
    "roster_seats": seats_fields,
    "roster_clients": clients_fields,
    "role": report_fields,
    "state_question": greetings.unpack_map,
    "state": lambda body: state_fields(state_messages.unpack(body)),
}

PACK = {
    "hello": lambda fields: greetings.pack_hello(greetings.Hello(**fields)),
    "welcome": lambda fields: greetings.pack_welcome(greetings.Welcome(**fields)),
    "roster_question": lambda fields: roster_messages.pack_question(RosterQuery(**fields)),
    "roster_seats": msgpack.packb,
    "roster_clients": lambda fields: roster_messages.pack_clients(
        [ClientInfo(**each) for each in fields["clients"]], fields["more"]
    ),
    "role": packed_report,
    "state_question": lambda fields: state_messages.QUESTION,
    "state": lambda fields: state_messages.pack(state_messages.ProxyState(**fields)),
}


def of_others(section):
    """Return the maps of a section but those of open tasks, which have a test file of their own."""
    return [each for each in VECTORS[section] if "tasks" not in each["as"]]


@each_of(of_others("maps"))
def test_the_fields_of_a_map_give_its_bytes(vector):
    pack = PACK.get(vector["as"], greetings.pack_map)

    assert pack(revived(vector["fields"])).hex() == vector["body"]


@each_of(of_others("maps"))
def test_the_bytes_of_a_map_give_its_fields(vector):
    fields = READ[vector["as"]](bytes.fromhex(vector["body"]))

    # By their text: 2 is equal to 2.0, and so are maps in another order.
    assert repr(fields) == repr(revived(vector["fields"]))


@each_of(of_others("accepted_maps"))
def test_a_map_that_we_do_not_write_is_read(vector):
    body = bytes.fromhex(vector["body"])

    assert READ[vector["as"]](body) == revived(vector["fields"])


@each_of(of_others("bad_maps"))
def test_a_bad_map_is_refused_with_its_reason(vector):
    with pytest.raises(WireError) as caught:
        READ[vector["as"]](bytes.fromhex(vector["body"]))

    assert caught.value.reason == vector["reason"]


def test_every_map_is_the_body_of_a_message():
    bodies = {body for each in MESSAGES for body in each["bodies"]}
    questions = ("roster_question", "facts")
    alone = [
        each["name"]
        for each in VECTORS["maps"]
        if each["as"] not in questions and each["body"] not in bodies
    ]

    assert alone == ["REFUSED: a version"]


def test_a_list_in_answer_to_a_question_about_clients_tells_of_none():
    body = bytes.fromhex(message_named("ROSTER: no seat")["body"])

    assert roster_messages.unpack_clients(body) == ([], False)
