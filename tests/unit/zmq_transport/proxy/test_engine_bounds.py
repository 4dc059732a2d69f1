"""The bounds of the engine: what one client may cost, and what it never costs the others."""

import time

import pytest

from zmq_transport.access.rights import Access, Grant
from zmq_transport.kernel import MAX_TTL_MS
from zmq_transport.wire import greetings, heads, resync_messages
from zmq_transport.wire.heads import Verb
from zmq_transport.wire.roster_messages import RosterQuery, pack_question

TRACE = b"r" * 16
MANY = [f"{number:062}" for number in range(64)]


def ids(count, first=0):
    return [b"%016d" % number for number in range(first, first + count)]


def bundle(address, tasks, ttl_ms=5000, size=1):
    """Return a message of TASKs."""
    rows = [(int(Verb.TASK), 0, 1, ttl_ms, task, TRACE, size) for task in tasks]
    return heads.pack_items(rows, address=address), bytes(size * len(rows))


def verbs_of(sent):
    return [(each.verb, each.body if each.verb == Verb.BOUNCE else b"") for each in sent]


def open_count(bench):
    return len(bench.engine.tables.ledger)


# -- addresses -------------------------------------------------------------------------------------


@pytest.mark.parametrize("names", [MANY, [*MANY[:-1], "not valid"]], ids=["valid", "invalid"])
def test_64_tasks_to_one_long_list_of_capabilities_are_parsed_once(bench, steps_of, names):
    worker, caller = bench.join("w", "echo", capabilities=["a"]), bench.join("c")
    address = ("?" + ",".join(names)).encode()
    find = bench.engine.tables.peers.namespace("demo").routes.find

    def ask(task):
        return bench.say(caller, *bundle(address, [task]))

    first, second = steps_of(ask, b"1" * 16), steps_of(ask, b"2" * 16)

    assert first > second + 100
    assert verbs_of(ask(b"3" * 16)) == [
        (Verb.BOUNCE, b"no_route" if names is MANY else b"bad_address")
    ]
    assert bench.task(caller)[0].to == worker.connection
    if names is MANY:
        assert steps_of(find, address) < 20


def test_a_message_of_64_tasks_to_a_long_list_costs_less_than_a_millisecond(bench):
    bench.join("w", "echo", capabilities=["a"])
    caller = bench.join("c")
    message = bundle(("?" + ",".join(MANY)).encode(), ids(64))
    taken_s = []
    for _ in range(50):
        began_s = time.thread_time()
        bench.engine.on_message(caller.connection, *message, bench.now_s)
        taken_s.append(time.thread_time() - began_s)

    assert bench.counts["bounce.no_route"] == 50 * 64
    assert min(taken_s) < 0.001


def test_who_comes_to_offer_what_nobody_offered_is_found(bench):
    caller = bench.join("c")
    address = heads.address_of(None, MANY)
    assert verbs_of(bench.task(caller, address)) == [(Verb.BOUNCE, b"no_route")]

    worker = bench.join("w", "echo", capabilities=[*MANY, "more"])

    assert [each.to for each in bench.task(caller, address)] == [worker.connection]


def test_a_seat_is_in_a_bounded_number_of_pools_whatever_is_asked_for(bench):
    names = [f"c{number}" for number in range(8)]
    worker, caller = bench.join("w", "echo", capabilities=names), bench.join("c")
    asked = [
        heads.address_of(None, [name for at, name in enumerate(names) if bits >> at & 1])
        for bits in range(1, 256)
    ]

    given = [
        bench.task(caller, address, task=task)[0].to
        for address, task in zip(asked, ids(255), strict=True)
    ]

    (seat,) = bench.engine.tables.peers.namespace("demo").routes
    assert given == [worker.connection] * 255
    assert len(seat.pools) == 1 + 64


# -- open tasks ------------------------------------------------------------------------------------


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("at_once", [1, 5])
@pytest.mark.parametrize(
    ("limit", "counter"),
    [("max_tasks_per_caller", "full.tasks_of_caller"), ("max_tasks", "full.tasks")],
)
def test_tasks_over_a_bound_are_busy_and_room_comes_back(bench_with, fast, at_once, limit, counter):
    bench = bench_with(fast=fast, **{limit: 150})
    worker, caller = bench.join("w", "echo"), bench.join("c")
    sent = []
    for first in range(0, 200, at_once):
        sent += bench.say(caller, *bundle(b"echo", ids(at_once, first)))

    assert open_count(bench) == 150
    assert [each.body for each in sent if each.verb == Verb.BOUNCE] == [b"busy"] * 50
    assert bench.counts[counter] == bench.counts["bounce.busy"] == 50
    bench.reply(worker, caller, task=ids(1)[0])
    assert [each.verb for each in bench.task(caller)] == [Verb.TASK]


def test_a_caller_at_its_bound_leaves_the_others_their_room(bench_with):
    bench = bench_with(max_tasks_per_caller=100)
    bench.join("w", "echo")
    greedy, modest = bench.join("greedy"), bench.join("modest")
    for task in ids(200):
        bench.task(greedy, task=task)

    assert [each.verb for each in bench.task(modest)] == [Verb.TASK]


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("count", [1, 2])
def test_a_time_of_49_days_is_cut_to_one_for_the_ledger_and_for_the_worker(bench_with, fast, count):
    bench = bench_with(fast=fast)
    bench.join("w", "echo")
    caller = bench.join("c")

    sent = bench.say(caller, *bundle(b"echo", ids(count), ttl_ms=2**32 - 1))

    assert [each.number for each in sent] == [MAX_TTL_MS] * count
    overdue_s = bench.engine.tables.settings.overdue_s
    assert {entry.expires_at_s for entry in bench.engine.tables.ledger} == {
        bench.now_s + MAX_TTL_MS / 1000 + overdue_s
    }


@pytest.mark.parametrize("has", ["tasks of its own", "a seat with tasks", "a list of tasks"])
def test_a_client_that_leaves_or_lists_costs_its_own_tasks_and_no_others(bench, steps_of, has):
    bench.join("worker", "other")
    crowd = bench.join("crowd")
    steps = []
    for round_number in range(2):
        guest = bench.join(f"guest{round_number}", f"seat{round_number}", epoch=b"e" * 16)
        asks, asked = {
            "tasks of its own": (guest, b"other"),
            "a seat with tasks": (crowd, f"seat{round_number}".encode()),
            "a list of tasks": (guest, b"other"),
        }[has]
        for task in ids(3, 90_000 + 10 * round_number):
            bench.task(asks, asked, task=task)
        if has == "a list of tasks":
            steps.append(steps_of(bench.say, guest, *resync_messages.END_OF_LIST))
        else:
            steps.append(steps_of(bench.say, guest, heads.pack(Verb.GOODBYE)))
        for first in range(0, 10_000, 50):  # the second round is beside a full ledger
            bench.say(crowd, *bundle(b"other", ids(50, first)))

    assert open_count(bench) >= 10_000
    assert steps[1] < steps[0] + 50


def test_a_worker_that_comes_back_costs_its_own_tasks_and_no_others(bench, steps_of):
    bench.join("worker", "other")
    crowd = bench.join("crowd")
    steps = []
    for first in (0, 10_000):
        bench.join("guest", "seat")
        steps.append(steps_of(bench.hello, "guest", "demo", b"again %d" % first))
        for each in range(first, first + 10_000, 50):
            bench.say(crowd, *bundle(b"other", ids(50, each)))

    assert steps[1] < steps[0] + 50


def test_a_full_ledger_at_rest_is_looked_at_in_turns(bench, steps_of):
    bench.join("w", "echo")
    for number in range(5):
        caller = bench.join(f"c{number}")
        for first in range(0, 12_000, 60):
            bench.say(caller, *bundle(b"echo", ids(60, first), ttl_ms=60_000))

    steps = [steps_of(bench.engine.tables.ledger.settle_overdue, bench.now_s) for _ in range(3)]

    assert max(steps) < 40_000
    for _ in range(30):
        bench.tick(66.0)
    assert open_count(bench) == 0
    assert bench.counts["overdue"] == 60_000


# -- bytes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("fast", [True, False])
def test_the_bytes_of_open_tasks_of_one_client_are_bounded(bench_with, fast):
    bench = bench_with(fast=fast, max_open_bytes=100)
    worker, caller = bench.join("w", "echo", "second"), bench.join("c")

    first = bench.task(caller, body=bytes(90), task=ids(1)[0])
    over = bench.task(caller, b"second", body=bytes(11), task=ids(1, 1)[0])
    within = bench.task(caller, b"second", body=bytes(10), task=ids(1, 2)[0])

    assert verbs_of(first + within) == [(Verb.TASK, b"")] * 2
    assert verbs_of(over) == [(Verb.BOUNCE, b"busy")]
    assert bench.counts["full.open_bytes"] == 1
    for task in (0, 2):
        bench.reply(worker, caller, task=ids(1, task)[0])
    assert verbs_of(bench.task(caller, body=bytes(100))) == [(Verb.TASK, b"")]


@pytest.mark.parametrize("fast", [True, False])
def test_one_task_of_any_size_finds_room_at_an_idle_worker(bench_with, fast):
    bench = bench_with(fast=fast, max_open_bytes=100)
    bench.join("w", "echo")
    caller = bench.join("c")

    assert verbs_of(bench.task(caller, body=bytes(1_000))) == [(Verb.TASK, b"")]
    assert verbs_of(bench.task(caller, body=b"1", task=b"u" * 16)) == [(Verb.BOUNCE, b"busy")]


def test_a_bundle_over_the_bytes_of_a_worker_is_decided_one_by_one(bench_with):
    bench = bench_with(max_open_bytes=100)
    worker, other = bench.join("w", "echo"), bench.join("v", "echo")
    caller = bench.join("c")
    bench.task(caller, body=bytes(95))

    sent = bench.say(caller, *bundle(b"echo", ids(20), size=10))

    given = [each.to for each in sent if each.verb == Verb.TASK]
    assert given.count(other.connection) == 10
    assert given.count(worker.connection) == 0
    assert [each.body for each in sent if each.verb == Verb.BOUNCE] == [b"busy"] * 10


def test_a_shell_that_bounds_bytes_itself_has_no_other_bound(bench_with):
    bench = bench_with(max_open_bytes=10, reports_ends=True)
    bench.join("w", "echo")
    caller = bench.join("c")

    for task in ids(5):
        assert verbs_of(bench.task(caller, task=task, body=bytes(9))) == [(Verb.TASK, b"")]


# -- what is told of seats -------------------------------------------------------------------------


def test_what_one_client_tells_of_its_seats_is_bounded(bench_with):
    many = MANY[:30]
    size = len(greetings.pack_map({"capabilities": many}))
    bench = bench_with(max_facts_bytes=3 * size)
    worker = bench.join("w", "a", "b", "c", capabilities=many)

    [refused] = bench.presence(worker, "d", capabilities=many)
    bench.presence(worker, "a", Verb.HEARTBEAT, running=1)

    assert b"bytes" in refused.body
    assert (bench.counts["refused.seat"], bench.counts["full.facts"]) == (1, 1)
    assert [seat.name for seat in bench.engine.tables.peers.namespace("demo").routes] == [*"abc"]
    bench.presence(worker, "a", Verb.DEREGISTER)
    [taken] = bench.presence(worker, "d", capabilities=many)
    assert taken.body == b""


def test_a_seat_that_registers_again_replaces_what_it_told(bench_with):
    size = len(greetings.pack_map({"capabilities": MANY}))
    bench = bench_with(max_facts_bytes=size)
    worker = bench.join("w", "a", capabilities=MANY)

    told = [bench.presence(worker, "a", capabilities=MANY[:at])[0].body for at in (64, 60, 64)]

    assert told == [b""] * 3
    assert bench.engine.tables.peers.by_instance[worker.instance].facts_bytes == size


def test_a_question_about_very_many_seats_costs_what_its_page_costs(bench, steps_of):
    watcher = bench.join("watcher")
    of_few = steps_of(bench.say, watcher, *bench.ask_state())
    steps = []
    for number in range(20):
        worker = bench.join(f"w{number}")
        for seat in range(100):
            bench.presence(worker, f"{number}-{seat}", capabilities=["a", f"b{number}"])
        question = pack_question(RosterQuery(after=100 * number))
        head = heads.pack(Verb.ROSTER, len(question), task=b"q" * 16)
        steps.append(steps_of(bench.say, watcher, head, question))

    assert max(steps) < 1.2 * min(steps)
    assert steps_of(bench.say, watcher, *bench.ask_state()) < of_few + 50


# -- lists -----------------------------------------------------------------------------------------


def listed(bench, caller, count):
    """List tasks that nobody has, page by page; return what came of it."""
    tasks = [resync_messages.Opened(task, TRACE, 0, 10_000, False) for task in ids(count)]
    pages = resync_messages.opened_pages(tasks)
    return [sent for page in pages for sent in bench.say(caller, *page)]


def asked(sent):
    return sum(each.verb == Verb.RESEND for each in sent)


def test_questions_about_tasks_that_nobody_has_go_out_in_bounded_numbers(bench_with):
    bench = bench_with(max_tasks_per_caller=2_000)
    bench.join("w", "echo")
    caller = bench.join("c", epoch=b"e" * 16)

    sent = listed(bench, caller, 5_000)

    assert asked(sent) == 8
    assert sum(each.verb == Verb.LOST for each in sent) == 3_000
    assert [asked(bench.tick()) for _ in range(5)] == [8, 8, 8, 0, 0]
    assert bench.counts["later.query"] == 32 - 8


def test_a_list_without_end_does_not_delay_the_list_of_another(bench_with):
    bench = bench_with(max_tasks_per_caller=10_000)
    bench.join("w", "echo")
    rude = [bench.join(f"rude{number}", epoch=b"e" * 16) for number in range(15)]
    caller = bench.join("c", epoch=b"e" * 16)
    for each in rude:
        listed(bench, each, 3_000)

    first = listed(bench, caller, 60)
    sent = bench.tick()

    assert asked(first) == 0
    assert caller.instance in {each.peer for each in sent if each.verb == Verb.RESEND}
    assert asked(sent) == 100


def test_a_task_that_is_claimed_while_its_question_waits_is_not_asked_for(bench):
    worker = bench.join("w", "echo")
    caller = bench.join("c", epoch=b"e" * 16)
    listed(bench, caller, 63 * 9)
    mine = [
        resync_messages.Held(caller.instance, task, TRACE, "echo", 0, 10_000, keep=False)
        for task in ids(63, 63 * 8)
    ]
    for page in resync_messages.claim_pages(mine):
        bench.say(worker, *page)

    assert asked(bench.tick()) == 0


def test_what_a_caller_listed_before_it_came_back_is_not_asked_for_any_more(bench):
    bench.join("w", "echo")
    caller = bench.join("c", epoch=b"e" * 16)
    listed(bench, caller, 63 * 60)
    bench.hello("c", connection=b"c-again", epoch=b"e" * 16)
    assert not bench.engine.tables.wanted
    bench.now_s += 0.1

    bench.tick()
    sent = listed(bench, type(caller)(b"c-again", caller.instance, caller.secret), 60)

    assert asked(sent) == 1


# -- claims ----------------------------------------------------------------------------------------


def claim(bench, worker, count, caller=None, seat="echo"):
    held = [
        resync_messages.Held(caller or task, task, TRACE, seat.format(at), 0, 2**32 - 1, keep=False)
        for at, task in enumerate(ids(count))
    ]
    for page in resync_messages.claim_pages(held):
        bench.say(worker, *page)


def test_a_worker_claims_a_bounded_number_of_tasks_of_made_up_callers(bench_with):
    bench = bench_with(max_tasks_per_caller=100)
    worker = bench.join("w", "echo")

    claim(bench, worker, 200)

    assert open_count(bench) == 100
    assert bench.counts["drop.claims_full"] == 100
    ends_s = {entry.expires_at_s - bench.now_s for entry in bench.engine.tables.ledger}
    assert max(ends_s) <= MAX_TTL_MS / 1000 + bench.engine.tables.settings.overdue_s


# -- copies ----------------------------------------------------------------------------------------


def test_the_copies_of_one_namespace_are_not_those_of_another(bench_with):
    bench = bench_with(copy_bytes_per_s=100_000)
    for name in ("flood", "demo"):
        bench.join(f"w-{name}", "echo", namespace=name)
        bench.listen(heads.kind_topic(name, 1))
    rude, modest = bench.join("rude", namespace="flood"), bench.join("modest")
    for number in range(100):
        for task in ids(3, 10 * number):
            bench.task(rude, task=task, body=bytes(10_000))
        bench.task(modest, task=ids(1, 10 * number)[0], body=bytes(1_000))
        bench.tick(0.1)

    copied = [topic for topic, _, _ in bench.published]
    assert copied.count(heads.kind_topic("demo", 1)) == 100
    assert copied.count(heads.kind_topic("flood", 1)) < 110
    assert bench.counts["drop.copy_budget"] > 150


# -- with keys -------------------------------------------------------------------------------------


@pytest.fixture
def limited(bench_with):
    """A bench with keys, and a caller that may send to a few seats and see its namespace only."""
    grants = {
        "ada": Grant(dispatches=("mine-*",), inspects=False),
        "root": Grant(),
    }
    bench = bench_with(access=Access(users={}, grants=grants))
    return bench, bench.join("c", user="ada")


def test_a_limited_caller_has_its_long_lists_parsed_once_too(limited, steps_of):
    bench, caller = limited
    bench.join("w", "mine-1", capabilities=MANY, user="root")
    message = bundle(("?" + ",".join(MANY)).encode(), ids(64))
    bench.say(caller, *bundle(("?" + ",".join(MANY)).encode(), ids(1, 100)))

    steps = steps_of(bench.engine.on_message, caller.connection, *message, bench.now_s)

    assert open_count(bench) == 65
    assert steps < 64 * 150


def test_what_a_limited_caller_may_not_send_costs_the_names_and_not_the_seats(limited, steps_of):
    bench, caller = limited
    steps = []
    for number in range(2):
        for each in range(100 * number, 200 * number + 1):
            bench.join(f"w{each}", "other", capabilities=["a"], user="root")
        steps.append(steps_of(bench.task, caller, b"?a", ids(1, number)[0]))

    assert bench.counts["bounce.forbidden"] == 2
    assert steps[1] <= steps[0] + 5


def test_the_state_of_a_large_namespace_is_counted_once_a_second(limited, steps_of):
    bench, caller = limited
    for number in range(600):
        bench.join(f"w{number}", user="root")
    question = bench.ask_state()
    first = steps_of(bench.say, caller, *question)

    again = steps_of(bench.say, caller, *question)
    bench.now_s += 1.1
    later = steps_of(bench.say, caller, *question)

    assert again + 600 < first
    assert abs(later - first) < 10


# -- news to many ----------------------------------------------------------------------------------


def test_a_client_that_comes_and_goes_as_an_older_one_costs_the_others_one_message_a_second(bench):
    guests = [bench.join(f"g{number}", publish=True) for number in range(20)]
    news = 0
    for _ in range(10):
        older, sent = bench.hello("old")
        news += len(sent) - 1
        bench.say(older, heads.pack(Verb.GOODBYE))
    _, sent = bench.hello("old")

    assert (news, len(sent) - 1) == (20, 0)
    assert bench.tick(0.5) == []
    told = [each.to for each in bench.tick(0.6) if each.verb == Verb.WELCOME]
    assert sorted(told) == sorted(each.connection for each in guests)


def test_the_list_of_workers_is_not_sent_anew_to_whoever_asks_again_and_again(bench):
    bench.join("w", "echo")
    caller = bench.join("c")

    asked_for = [bench.say(caller, *resync_messages.WORKERS_REQUEST) for _ in range(10)]

    assert [len(each) for each in asked_for] == [1] + [0] * 9
    later = [len(bench.tick(0.1)) for _ in range(10)]
    assert sum(later) == 1
