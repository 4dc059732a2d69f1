"""The names of users, page by page."""

import msgpack
import pytest

from zmq_transport.wire import access_messages, heads, users_messages


@pytest.mark.parametrize("count", [0, 1, 3, 200])
def test_the_pages_of_a_list_are_bounded_and_hold_every_name_in_order(count):
    names = [f"{number:03}-" + "x" * 124 for number in range(count)]

    pages = users_messages.users_pages(names)

    bodies = [body for _, body in pages]
    numbers = [heads.fields_of(head).number for head, _ in pages]
    assert numbers == list(range(len(pages)))
    assert all(len(body) <= users_messages.PAGE_BYTES for body in bodies)
    assert [name for body in bodies for name in access_messages.unpack_users(body)] == names
    assert msgpack.unpackb(bodies[0]) == names[: len(msgpack.unpackb(bodies[0]))]


def test_a_list_of_nobody_has_a_page_too():
    [(head, body)] = users_messages.users_pages([])

    assert (heads.fields_of(head).number, body) == (0, b"\x90")
