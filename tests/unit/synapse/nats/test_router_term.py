"""A term follows the other routers, and drops in silence what another one serves now."""

import pytest

from cosmonapse.synapse.nats import frames, subjects
from cosmonapse.synapse.nats.router_term import MORE_CLIENTS
from cosmonapse.synapse.nats.shares import SLOTS, Beat, dealt, pack_beat, slot_of, unpack_beat
from cosmonapse.synapse.nats.slot import IDLE_S
from support.nats_bench import ROUTER, Bench, Message
from zmq_transport.wire import heads
from zmq_transport.wire.heads import Verb

OTHER = b"O" * 16


@pytest.fixture
def bench():
    return Bench()


def hear(bench, router=OTHER, *, leaves=False):
    """Let another router say its beat."""
    slots = dealt(router, [ROUTER])
    bench.term.on_beat(Message(subjects.BEATS, pack_beat(Beat(router, slots, leaves))), bench.now_s)
    bench.term.flush()


def said(bench):
    """Remove and return the beats that were said."""
    return [unpack_beat(data) for _, data, _ in bench.post.take(subjects.BEATS)]


def namespace_of(router, others):
    """Return a namespace that a router serves beside others."""
    slots = dealt(router, others)
    return next(name for name in map("n{}".format, range(1000)) if slots >> slot_of(name) & 1)


def test_a_router_listens_for_others_before_it_serves():
    bench = Bench(claim=False)
    client = bench.client()

    client.say(frames.ASK)
    before = bench.counts["drop.foreign_slot"], bench.term.slots
    bench.tick(0.1)

    assert before == (1, {})
    assert [each.slots.bit_count() for each in said(bench)] == [SLOTS]
    assert "serves 256 of 256 slots, alone" in bench.notices[0].text


def test_a_beat_is_said_twice_a_second(bench):
    bench.tick(5.0)

    assert len(said(bench)) == 10


def test_another_router_takes_its_part_and_its_clients_are_dropped_in_silence(bench):
    moved = bench.client("1", namespace_of(OTHER, [ROUTER]))
    stays = bench.client("2", namespace_of(ROUTER, [OTHER]))
    moved.greet()
    stays.greet()
    before = len(bench.engines)
    bench.post.take()

    hear(bench)

    assert (before, len(bench.engines)) == (2, 1)
    assert not moved.raw()
    assert [each.slots for each in said(bench)] == [dealt(ROUTER, [OTHER])]
    moved.say(frames.ASK)
    assert bench.counts["drop.foreign_slot"] == 1
    assert stays.up in bench.term._by_subject


def test_what_a_dropped_engine_has_counted_stays_counted(bench):
    client = bench.client("1", namespace_of(OTHER, [ROUTER]))
    client.greet(namespace="else")
    client.send(b"\x00")

    hear(bench)

    assert bench.counts["drop.version"] == 1


def test_a_namespace_that_comes_back_finds_a_new_epoch(bench):
    name = namespace_of(OTHER, [ROUTER])
    bench.client("1", name).greet()
    before = bench.engines[0].tables.epoch

    hear(bench)
    hear(bench, leaves=True)
    bench.client("2", name).greet()

    assert bench.engines[0].tables.epoch != before


def test_nothing_is_published_about_workers_that_merely_moved(bench):
    name = namespace_of(OTHER, [ROUTER])
    worker, watcher = bench.client("1", name), bench.client("2", name)
    worker.greet()
    worker.serve(b"echo")
    watcher.greet()
    watcher.say(frames.pack_topic(frames.Tag.SUBSCRIBE, f"{name}/t/5/".encode()))
    bench.post.take()

    hear(bench)
    bench.tick(2.0)

    subjects_used = {subject for subject, _, _ in bench.post.take()}
    assert subjects_used <= {subjects.BEATS, subjects.alive(OTHER)}


@pytest.mark.parametrize("how", ["silent", "gone", "leaves"])
def test_a_router_that_ends_leaves_its_slots_to_the_others(bench, how):
    hear(bench)
    bench.notices.clear()

    if how == "silent":
        bench.tick(2.5)
    elif how == "gone":
        bench.tick(0.1)
        bench.gone(subjects.alive(OTHER))
    else:
        hear(bench, leaves=True)

    assert bench.term.shares.slots.bit_count() == SLOTS
    [notice] = bench.notices
    assert notice.is_warning is (how != "leaves")
    assert "serves 256 of 256 slots, alone" in notice.text


def test_who_asks_for_a_router_hears_one_beat_and_many_hear_the_same(bench):
    for _ in range(50):
        bench.term.on_who(Message(subjects.WHO, b"", subjects.BEATS), bench.now_s)
    before = said(bench)
    bench.term.answer(bench.now_s + 0.01)

    assert not before
    assert len(said(bench)) == 1


def test_an_inbox_is_answered_at_once_and_no_subject_of_the_fabric(bench):
    inbox = "_INBOX.abc.1"
    bench.term.on_who(Message(subjects.WHO, b"", inbox), bench.now_s)
    bench.term.on_who(Message(subjects.WHO, b"", "cosmo.red.down.-.0"), bench.now_s)

    assert [subject for subject, _, _ in bench.post.take()] == [inbox]
    assert bench.counts["drop.bad_subject"] == 1


def test_a_router_that_leaves_tells_its_clients_first_and_then_the_others(bench):
    client = bench.client()
    client.greet()
    bench.post.take()

    bench.term.leave(bench.now_s)

    order = [subject for subject, _, _ in bench.post.sent]
    assert order == [client.down, subjects.BEATS]
    [beat] = said(bench)
    assert (beat.leaves, beat.slots) == (True, 0)
    assert not bench.term.has_drained


def test_a_router_that_leaves_still_reads_those_who_are_here(bench):
    client = bench.client()
    client.greet()
    bench.term.leave(bench.now_s)

    client.send(heads.pack(Verb.GOODBYE))

    assert bench.term.has_drained


def test_others_notice_when_a_router_does_not_run_for_a_while(bench):
    assert not bench.term.stood_s(bench.now_s + 1.9)
    assert bench.term.stood_s(bench.now_s + 2.1) > 2


def test_a_time_in_which_it_did_not_run_is_held_against_nobody():
    bench = Bench(dead_after_s=4.0)
    client = bench.client()
    client.greet()
    hear(bench)
    bench.now_s += 1.9
    bench.term.stood_still(1.9, bench.now_s)

    bench.tick(2.0)

    assert bench.term.shares.others == (OTHER,)
    assert not bench.engines or bench.engines[0].counts["unreachable"] == 0


def test_the_number_of_connections_is_bounded():
    bench = Bench(max_peers=3)
    for number in range(3 + MORE_CLIENTS + 5):
        bench.client(f"{number:x}").say(frames.ASK)

    assert bench.counts["full.clients"] == 5


def test_an_engine_without_clients_ends_after_a_minute_and_a_new_one_begins_when_one_comes():
    bench = Bench()
    client = bench.client()
    client.greet()
    [engine] = bench.engines
    bench.tick(IDLE_S + 1)  # here it falls silent, and is gone then
    assert bench.engines == [engine]
    bench.gone(client.down)
    for _ in range(int(IDLE_S) + 5):
        bench.tick(1.0)

    assert not bench.engines
    assert not bench.term.context.engines
    assert bench.client("2").greet() != [Verb.REFUSED]
    assert bench.engines != [engine]


def test_a_client_too_many_of_all_slots_is_refused_and_one_that_is_known_is_not():
    bench = Bench(max_peers=2)
    first, second = bench.client("1", "one"), bench.client("2", "two")
    first.greet()
    second.greet()
    third, again = bench.client("3", "three"), bench.client("4", "one")
    again.secret, again.instance = first.secret, first.instance

    assert third.greet() == [Verb.REFUSED]
    assert again.greet() != [Verb.REFUSED]
    assert len(bench.engines) == 3
    assert bench.counts["refused"] == 1


def test_of_many_routers_some_are_probed_at_each_tick(bench):
    for number in range(20):
        hear(bench, bytes((number,)) * 16)
    bench.post.take()

    for _ in range(5):
        bench.tick(0.1)

    probed = [subject for subject, _, _ in bench.post.take() if "_alive" in subject]
    assert len(probed) == 40
    assert len(set(probed)) == 20


@pytest.mark.parametrize("who", ["zz", "rzz", "", "r", "ffffffffffffffffffffff"])
def test_a_strange_end_is_nobodys(bench, who):
    bench.no_responders(f"cosmo._gone.{ROUTER.hex()}.{who}")

    assert not bench.notices[1:]


def test_an_end_that_nats_server_did_not_say_is_none(bench):
    client = bench.client()
    client.greet()
    bench.tick(1.0)
    [reply] = {reply for _, _, reply in bench.post.take(client.down) if reply}

    bench.term.on_gone(Message(reply, b"x"), bench.now_s)

    assert bench.counts["drop.bad_subject"] == 1
    assert bench.engines[0].counts["unreachable"] == 0
