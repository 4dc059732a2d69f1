"""Which user an instance id belongs to."""

from zmq_transport.access.origin import instance_of_user
from zmq_transport.client.users import Users
from zmq_transport.wire.heads import instance_of

SECRET = b"s" * 16


def test_an_instance_id_tells_its_user():
    users = Users()
    users.add(0, ["ada", "ben"])
    users.add(1, ["cyd"])

    told = [users.user_of(instance_of_user(SECRET, each)) for each in ("ada", "ben", "cyd")]

    assert told == ["ada", "ben", "cyd"]
    assert list(users) == told


def test_an_id_without_a_key_belongs_to_nobody():
    users = Users()
    users.add(0, ["ada"])

    assert users.user_of(instance_of(SECRET)) is None
    assert users.user_of(instance_of_user(SECRET, "eve")) is None


def test_a_new_list_replaces_the_old_one():
    users = Users()
    users.add(0, ["ada"])

    users.add(0, ["ben"])
    users.on_welcomed()

    assert users.user_of(instance_of_user(SECRET, "ada")) is None
    assert list(users) == ["ben"]


def test_nobody_is_without_a_name_while_a_list_of_several_pages_comes():
    users, told = Users(), []
    users.add(0, ["ada", "ben"])
    users.add(1, ["cyd"])

    for page, names in enumerate((["ada", "amy"], ["ben", "cyd"])):
        users.add(page, names)
        told.append([users.user_of(instance_of_user(SECRET, each)) for each in ("ben", "cyd")])

    assert told == [["ben", "cyd"]] * 2
    assert list(users) == ["ada", "amy", "ben", "cyd"]


def test_a_name_that_went_is_unknown_at_the_latest_from_the_list_after_the_next_on():
    users, told = Users(), []
    users.add(0, ["ada", "ben"])

    for _ in range(2):
        users.add(0, ["ada"])
        told.append(users.user_of(instance_of_user(SECRET, "ben")))

    assert told == ["ben", None]


def test_without_keys_there_are_none():
    assert list(Users()) == []
    assert Users().user_of(instance_of_user(SECRET, "ada")) is None
