"""Tasks that wait for workers."""

from zmq_transport.proxy.parking import Parked, Parking


def parked(task, body=b"", caller=b"caller", at_s=0.0):
    return Parked(caller, task, b"head", body, at_s)


def test_what_waits_comes_out_in_order():
    parking = Parking(until_s=1.0)
    tasks = [parked(b"%d" % n) for n in range(5)]

    assert all(map(parking.park, tasks))
    assert len(parking) == 5
    assert parking.pop_all() == tasks
    assert (len(parking), parking.pop_all()) == (0, [])


def test_the_room_closes_at_its_time():
    parking = Parking(until_s=1.0)

    assert parking.park(parked(b"a", at_s=0.99))
    assert not parking.park(parked(b"b", at_s=1.0))


def test_the_room_is_bounded_in_tasks():
    parking = Parking(until_s=1.0, max_tasks=2)

    found_room = [parking.park(parked(each, caller=each)) for each in (b"a", b"b", b"c")]

    assert found_room == [True, True, False]


def test_one_caller_leaves_as_much_room_as_it_takes():
    parking = Parking(until_s=1.0, max_tasks=8, max_bytes=100)

    found_room = [parking.park(parked(b"%d" % n, b"x")) for n in range(8)]
    assert found_room == [True] * 4 + [False] * 4
    assert parking.park(parked(b"a", b"x" * 40, caller=b"another"))
    assert not parking.park(parked(b"b", b"x" * 40, caller=b"another"))
    assert parking.park(parked(b"c", b"x" * 40, caller=b"third"))

    parking.pop_all()
    assert [parking.park(parked(b"%d" % n)) for n in range(5)] == [True] * 4 + [False]


def test_the_room_is_bounded_in_bytes():
    parking = Parking(until_s=1.0, max_bytes=10)

    assert parking.park(parked(b"a", b"x" * 6, caller=b"a"))
    assert not parking.park(parked(b"b", b"x" * 5, caller=b"b"))
    assert parking.park(parked(b"c", b"x" * 4, caller=b"c"))


def test_what_was_taken_makes_room():
    parking = Parking(until_s=1.0, max_bytes=10)
    parking.park(parked(b"a", b"x" * 10))

    parking.pop_all()

    assert parking.park(parked(b"b", b"x" * 10))


def test_one_task_is_withdrawn_and_makes_room():
    parking = Parking(until_s=1.0, max_bytes=10)
    tasks = [parked(b"a", b"x" * 4), parked(b"b", b"x" * 6, caller=b"second")]
    for each in tasks:
        assert parking.park(each)

    assert parking.withdraw(b"caller", b"a")
    assert not parking.withdraw(b"caller", b"a")
    assert not parking.withdraw(b"another", b"b")
    assert parking.park(parked(b"c", b"x" * 4))
    assert [each.task for each in parking.pop_all()] == [b"b", b"c"]


def test_a_task_that_waits_is_known():
    parking = Parking(until_s=1.0)
    parking.park(parked(b"a"))

    assert parking.holds(b"caller", b"a")
    assert not parking.holds(b"another", b"a")


def test_everything_of_one_caller_is_withdrawn():
    parking = Parking(until_s=1.0)
    for caller, task in ((b"x", b"1"), (b"y", b"2"), (b"x", b"3")):
        parking.park(parked(task, caller=caller))

    parking.withdraw_all(b"x")

    assert [each.task for each in parking.pop_all()] == [b"2"]
