"""The pages of a resync against `docs/spec/vectors.json`, in both directions."""

import pytest

from support.vectors import MESSAGES, VECTORS, each_of, message_named
from zmq_transport.errors import WireError
from zmq_transport.wire import heads, resync_messages
from zmq_transport.wire.heads import Verb
from zmq_transport.wire.resync_messages import Claim, ResendKind, WorkersFlag

PAGES = VECTORS["pages"]


def pages_as(kind):
    return each_of([each for each in PAGES if each["as"] == kind], key="message")


def frames_of(vector):
    message = message_named(vector["message"])
    return bytes.fromhex(message["head"]), bytes.fromhex(message["body"])


def items_of(vector):
    """Return every item of a page with its part of the body."""
    head, body = frames_of(vector)
    _, items, _ = heads.unpack_items(head)
    return list(zip(items, heads.split_body(items, body), strict=True))


def opened_of(fields):
    return resync_messages.Opened(
        bytes.fromhex(fields["task"]),
        bytes.fromhex(fields["trace"]),
        fields["next_index"],
        fields["left_ms"],
        fields["keep"],
    )


def held_of(fields):
    return resync_messages.Held(
        bytes.fromhex(fields["caller"]),
        bytes.fromhex(fields["task"]),
        bytes.fromhex(fields["trace"]),
        fields["seat"],
        Claim[fields["kind"]],
        fields["left_ms"],
        fields["keep"],
    )


def flags_of(vector):
    return sum(WorkersFlag[each] for each in vector["flags"])


def joined(*messages):
    """Return the messages as one with all of their items."""
    items = [item for head, _ in messages for item in heads.unpack_items(head)[1]]
    return heads.pack_items(items), b"".join(body for _, body in messages)


def test_every_page_among_the_messages_has_a_meaning():
    pages = {Verb.CLAIM.name, Verb.RESEND.name, Verb.WORKERS.name}

    assert [each["message"] for each in PAGES] == [
        each["name"] for each in MESSAGES if each["items"][0]["verb"] in pages
    ]


@pages_as("list")
def test_a_list_of_open_tasks_is_read(vector):
    read = [
        {"kind": "END"}
        if item[2] == ResendKind.END
        else (ResendKind(item[2]).name, resync_messages.read_opened(item, part))
        for item, part in items_of(vector)
    ]

    assert read == [
        each if each["kind"] == "END" else (each["kind"], opened_of(each))
        for each in vector["items"]
    ]


@pages_as("list")
def test_a_list_of_open_tasks_is_packed(vector):
    made = {
        "OPEN": lambda fields: resync_messages.opened_pages([opened_of(fields)])[0],
        "GAP": lambda fields: resync_messages.gap_message(opened_of(fields)),
        "END": lambda fields: resync_messages.END_OF_LIST,
    }

    assert joined(*(made[each["kind"]](each) for each in vector["items"])) == frames_of(vector)


@pages_as("query")
def test_a_query_is_packed_and_read(vector):
    head, body = frames_of(vector)
    caller, name = bytes.fromhex(vector["caller"]), vector["query"].encode()
    asked = [
        resync_messages.Asked(bytes.fromhex(each["task"]), each["next_index"])
        for each in vector["items"]
    ]

    assert resync_messages.read_question(head) == (caller, name, asked)
    assert (resync_messages.question_head(caller, asked) + name, b"") == (head, body)


@pages_as("claims")
def test_claims_are_read(vector):
    read = [
        {"kind": "END"} if item[2] == Claim.END else resync_messages.read_claim(item, part)
        for item, part in items_of(vector)
    ]

    assert read == [each if each["kind"] == "END" else held_of(each) for each in vector["items"]]


@pages_as("claims")
def test_claims_are_packed(vector):
    held = [held_of(each) for each in vector["items"] if each["kind"] != "END"]
    name = vector["query"].encode()

    [page] = [resync_messages.answer(held, name)] if name else resync_messages.claim_pages(held)

    assert page == frames_of(vector)


@pages_as("workers")
def test_a_list_of_workers_is_read(vector):
    head, body = frames_of(vector)

    assert heads.fields_of(head).kind == flags_of(vector)
    assert [each.hex() for each in resync_messages.read_workers(body)] == vector["instances"]


@pages_as("workers")
def test_a_list_of_workers_is_packed(vector):
    instances = [bytes.fromhex(each) for each in vector["instances"]]
    flags = flags_of(vector)
    pages = [*resync_messages.workers_messages(instances, flags), resync_messages.WORKERS_REQUEST]
    if flags & WorkersFlag.FIRST and not flags & WorkersFlag.UNCONFIRMED:
        is_complete = bool(flags & WorkersFlag.LAST)
        pages = resync_messages.workers_pages(instances, complete=is_complete)

    assert pages[0] == frames_of(vector)


def test_unconfirmed_workers_go_ahead_of_the_others():
    first = message_named("WORKERS: unconfirmed, at the beginning of a list")
    last = message_named("WORKERS: the rest of that list, confirmed")

    pages = resync_messages.workers_pages(
        [bytes.fromhex(last["body"])], unconfirmed=[bytes.fromhex(first["body"])]
    )

    assert [head.hex() for head, _ in pages] == [first["head"], last["head"]]


@each_of(VECTORS["bad_pages"])
def test_a_malformed_item_is_refused_with_its_reason(vector):
    part = bytes.fromhex(vector["body"])
    item = (Verb[vector["verb"]], 0, vector["kind"], 0, heads.NOBODY, heads.NOBODY, len(part))
    read = {
        "RESEND": lambda: resync_messages.read_opened(item, part),
        "CLAIM": lambda: resync_messages.read_claim(item, part),
        "WORKERS": lambda: resync_messages.read_workers(part),
    }

    with pytest.raises(WireError) as caught:
        read[vector["verb"]]()

    assert caught.value.reason == vector["reason"]
