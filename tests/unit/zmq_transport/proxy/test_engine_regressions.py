"""What once went wrong in the proxy's engine, or would have, one test each."""

import pytest

from support.engine_model import EPOCH, Model
from zmq_transport.proxy.parking import Parked, Parking
from zmq_transport.wire import greetings, heads
from zmq_transport.wire.heads import ItemFlag, Verb


@pytest.fixture
def model():
    """Clients 0, 2 and 4 share a namespace."""
    model = Model()
    for client in model.clients:
        model.connect(client, EPOCH)
    return model


def seats_of(model, client):
    return model.engine.tables.peers.by_instance[client.instance].seats


@pytest.mark.parametrize("depth", [500, 1000, 1020])
@pytest.mark.parametrize("field", ["namespace", "name", "secret", "epoch"])
def test_a_deep_field_in_a_hello_is_refused_and_does_not_exhaust_the_stack(model, depth, field):
    hello = greetings.Hello(bytes(16), heads.instance_of(bytes(16)), "red", "name")
    body = b"\x86" + greetings.pack_hello(hello)[1:] + bytes([0xA0 + len(field)]) + field.encode()
    body += b"\x91" * depth + b"\xc0"

    model.receive(b"stranger", heads.pack(Verb.HELLO, len(body)), body)

    assert model.got == [(b"stranger", Verb.REFUSED)]


@pytest.mark.parametrize("verb", [Verb.REGISTER, Verb.HEARTBEAT])
def test_words_read_from_a_connection_that_is_gone_bring_it_no_new_tasks(model, verb):
    caller, _, worker = model.clients[:3]
    model.say(worker, Verb.REGISTER, "a")
    model.now_s += 10
    model.tick()
    model.dead.add(worker.connection)
    model.tick()
    model.say(worker, verb, "a")
    model.say(worker, Verb.REGISTER, "b")

    for name in (b"a", b"b"):
        assert model.dispatch(caller, name, 1, 5000, 0).outcomes == ["BOUNCE"]


def test_a_task_for_capabilities_goes_to_another_name_when_the_first_connection_is_gone(model):
    caller, _, first, _, second, _ = model.clients
    model.say(first, Verb.REGISTER, "a", ("x",))
    model.say(second, Verb.REGISTER, "b", ("x",))
    model.dead.add(first.connection)

    task = model.dispatch(caller, b"?x", 1, 5000, 0)

    assert task.workers == [second]


def test_a_parked_task_that_comes_twice_runs_once(model):
    caller, _, worker = model.clients[:3]
    task = model.dispatch(caller, b"a", 1, 5000, 0)
    again = heads.pack(Verb.TASK, number=5000, task=task.task, address=b"a")

    model.receive(caller.connection, again)
    model.say(worker, Verb.REGISTER, "a")

    assert task.workers == [worker]
    assert model.engine.counts["drop.duplicate_task"] == 1
    model.check_loads()


def test_parked_tasks_go_with_their_caller(model):
    caller = model.clients[0]
    model.dispatch(caller, b"a", 1, 5000, 0)

    model.receive(caller.connection, heads.pack(Verb.GOODBYE))

    assert not len(model.engine.tables.parking)


def test_a_task_withdrawn_from_the_parking_gives_its_room_back():
    parking = Parking(1.0, max_tasks=4, max_bytes=20)
    tasks = [Parked(b"c" * 16, bytes([n]) * 16, b"", b"x" * 5, 0.0) for n in range(3)]

    parked = [parking.park(each) for each in tasks]
    withdrawn = parking.withdraw(b"c" * 16, tasks[0].task)

    assert parked == [True, True, False]
    assert withdrawn
    assert parking.park(tasks[2])
    assert parking.pop_all() == tasks[1:]


def test_a_silent_worker_that_reconnects_and_hangs_again_is_found_silent_again(model):
    caller, _, worker = model.clients[:3]
    model.say(worker, Verb.REGISTER, "a")
    model.now_s += 10
    model.tick()
    model.connect(worker, EPOCH)
    assert model.dispatch(caller, b"a", 1, 5000, 0).workers == [worker]

    model.now_s += 10
    model.tick()

    assert model.dispatch(caller, b"a", 1, 5000, 0).outcomes == ["BOUNCE"]


def test_a_goodbye_while_draining_leaves_nobody_to_watch_over(model):
    worker = model.clients[0]
    model.say(worker, Verb.REGISTER, "a")
    model.perform(model.engine.go_away())
    model.receive(worker.connection, heads.pack(Verb.GOODBYE))
    model.now_s += 10

    model.tick()

    assert not len(model.engine.tables.liveness)


def test_heartbeats_do_not_pile_up_facts(model):
    worker = model.clients[0]
    model.say(worker, Verb.REGISTER, "a")

    for turn in range(100):
        facts = greetings.pack_map({f"fact-{turn}": turn})
        items = [(int(Verb.HEARTBEAT), 0, 0, 0, bytes(16), bytes(16), n) for n in (len(facts), 0)]
        model.receive(worker.connection, heads.pack_items(items, address=b"a"), facts)

    assert seats_of(model, worker)["a"].vitals == {"fact-99": 99}
    assert len(seats_of(model, worker)["a"].facts) == 0


def test_the_copy_of_a_task_names_its_worker(model):
    caller, _, worker = model.clients[:3]
    topic = heads.kind_topic("red", 1)
    model.listen(topic, 1)
    model.say(worker, Verb.REGISTER, "a")
    head = heads.pack(Verb.TASK, kind=1, number=5000, task=model.serial(), address=b"a")

    copy, task = model.engine.on_message(caller.connection, head, b"", model.now_s)

    assert copy[1] == topic
    assert heads.unpack_header(copy[2])[2:] == (caller.instance, worker.instance)
    assert task[1] == worker.connection


def test_a_reply_does_not_follow_its_caller_into_another_namespace(model):
    caller, _, worker = model.clients[:3]
    model.say(worker, Verb.REGISTER, "a")
    task = model.dispatch(caller, b"a", 1, 5000, ItemFlag.KEEP)
    model.receive(caller.connection, heads.pack(Verb.GOODBYE))
    caller.namespace = "blue"
    model.connect(caller)

    model.reply(worker, task, settles=True)

    assert model.got == []
    assert model.engine.counts["drop.caller_gone"] == 1


def test_a_heartbeat_of_an_unknown_connection_is_answered_with_who_at_most_once_a_second(model):
    head = heads.pack(Verb.HEARTBEAT, address=b"a")

    for _ in range(3):
        model.perform(model.engine.on_message(b"stranger", head, b"", model.now_s))

    assert model.got.count((b"stranger", Verb.WHO)) == 1


def test_an_address_over_the_limit_is_bounced(model):
    address = b"?" + b"x," * 2048 + b"x"

    assert model.dispatch(model.clients[0], address, 1, 5000, 0).outcomes == ["BOUNCE"]


@pytest.mark.parametrize("steps_s", [(0.1, *[1.0] * 23), (0.1,) * 240])
def test_a_task_is_forgotten_at_the_same_time_whichever_way_it_took_in(model, steps_s):
    # The time of a clock is no round number, so the order of its sum with the others matters.
    caller, _, worker = model.clients[:3]
    model.say(worker, Verb.REGISTER, "a")
    overdue_s = model.engine.tables.settings.overdue_s
    expected = []

    for step_s in steps_s:
        model.now_s += step_s
        model.dispatch(caller, b"a", 1, 50, 0)  # the twins compare their ledgers
        expected.append(model.now_s + overdue_s + 0.05)

    assert [each.expires_at_s for each in model.engine.tables.ledger] == expected
