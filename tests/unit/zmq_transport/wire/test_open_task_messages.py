"""The question for open tasks and its answer, against `docs/spec/vectors.json`."""

import attrs
import pytest

from support.vectors import VECTORS, each_of, message_named, revived
from zmq_transport.errors import WireError
from zmq_transport.wire import greetings, open_task_messages
from zmq_transport.wire.open_task_messages import OpenTaskInfo, TasksQuery

KINDS = ("tasks_question", "roster_tasks")


def of_tasks(section):
    return [each for each in VECTORS[section] if each["as"] in KINDS]


def question_fields(body):
    fields = greetings.unpack_map(body)
    asked = {"tasks": open_task_messages.asks_for_tasks(fields)}
    after = open_task_messages.tasks_query_of(fields).after
    return asked | ({"after": after} if after else {})


def task_fields(info):
    fields = attrs.asdict(info)
    fields["bytes"] = fields.pop("size_bytes")
    return {key: value for key, value in fields.items() if value is not None}


def page_fields(body):
    page = open_task_messages.unpack_tasks(body)
    fields = {"tasks": [task_fields(each) for each in page.tasks], "more": page.after is not None}
    return fields | ({"after": page.after} if page.after else {})


def packed_page(fields):
    named = [{"size_bytes": each.pop("bytes", None), **each} for each in fields["tasks"]]
    rows = [open_task_messages.pack_task(OpenTaskInfo(**each)) for each in named]
    return open_task_messages.pack_tasks(rows, fields.get("after"))


READ = {"tasks_question": question_fields, "roster_tasks": page_fields}
PACK = {
    "tasks_question": lambda fields: open_task_messages.pack_tasks_query(
        TasksQuery(fields.get("after", b""))
    ),
    "roster_tasks": packed_page,
}


@each_of(of_tasks("maps"))
def test_the_fields_give_the_bytes(vector):
    assert PACK[vector["as"]](revived(vector["fields"])).hex() == vector["body"]


@each_of([*of_tasks("maps"), *of_tasks("accepted_maps")])
def test_the_bytes_give_the_fields(vector):
    fields = READ[vector["as"]](bytes.fromhex(vector["body"]))

    assert repr(fields) == repr(revived(vector["fields"]))


@each_of(of_tasks("bad_maps"))
def test_a_bad_map_is_refused_with_its_reason(vector):
    with pytest.raises(WireError) as caught:
        READ[vector["as"]](bytes.fromhex(vector["body"]))

    assert caught.value.reason == vector["reason"]


def test_a_list_in_answer_to_a_question_for_tasks_tells_of_none():
    body = bytes.fromhex(message_named("ROSTER: no seat")["body"])

    assert open_task_messages.unpack_tasks(body) is None
