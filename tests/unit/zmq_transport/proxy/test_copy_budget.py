from collections import Counter

from zmq_transport.proxy.copy_budget import MAX_SHARES, CopyBudget
from zmq_transport.wire import heads


def test_what_one_second_gives_may_be_spent_at_once():
    budget = CopyBudget(100, now_s=5.0)

    assert [
        budget.spend("demo", 40),
        budget.spend("demo", 40),
        budget.spend("demo", 40),
        budget.spend("demo", 1),
    ] == [
        True,
        True,
        True,
        False,
    ]


def test_it_grows_with_time_and_never_over_what_one_second_gives():
    budget = CopyBudget(100, now_s=0.0)
    budget.spend("demo", 100)

    budget.refill(0.25)

    assert budget.spend("demo", 25)
    assert not budget.spend("demo", 1)
    budget.refill(1000.0)
    assert budget.spend("demo", 100)
    assert not budget.spend("demo", 1)


def test_a_body_larger_than_the_budget_passes_once_and_is_paid_for():
    budget = CopyBudget(100, now_s=0.0)

    assert budget.spend("demo", 250)
    budget.refill(1.0)
    assert not budget.spend("demo", 1)
    budget.refill(1.75)
    assert budget.spend("demo", 1)


def test_nothing_is_published_for_nothing():
    assert not CopyBudget(0, now_s=0.0).spend("demo", 1)


def seconds(budget, count, *spenders, start_s=0):
    """Let namespaces spend at each tick: (name, bytes of a body, bodies); return what passed."""
    passed = Counter()
    for tick in range(count * 10):
        for name, size, bodies in spenders:
            passed[name] += sum(budget.spend(name, size) for _ in range(bodies)) * size
        budget.refill(start_s + (tick + 1) / 10)
    return passed


def test_one_namespace_that_floods_cannot_take_the_share_of_another():
    budget = CopyBudget(1000, now_s=0.0)
    seconds(budget, 5, ("flood", 100, 50))

    passed = seconds(budget, 10, ("flood", 100, 50), ("demo", 10, 5), start_s=5)

    assert passed["demo"] == 10 * 10 * 50
    assert passed["flood"] <= 500 * 10 + 1500


def test_what_one_namespace_leaves_is_for_the_others():
    budget = CopyBudget(1000, now_s=0.0)

    passed = seconds(budget, 20, ("flood", 100, 50), ("demo", 10, 1))

    assert passed["demo"] == 20 * 10 * 10
    assert passed["flood"] >= 17_000


def test_a_namespace_that_comes_now_and_then_is_never_refused_beside_a_flood():
    budget = CopyBudget(1000, now_s=0.0)
    refused = 0
    for tick in range(2000):
        if tick % 20 == 0:
            refused += sum(not budget.spend("now and then", 10) for _ in range(9))
        for _ in range(50):
            budget.spend("flood", 100)
        budget.refill((tick + 1) / 10)

    assert refused == 0


def test_namespaces_beyond_those_with_shares_of_their_own_have_one_together():
    budget = CopyBudget(1_000_000_000, now_s=0.0)

    assert all(budget.spend(f"n{number}", 1) for number in range(3 * MAX_SHARES))

    assert len(budget._shares) == MAX_SHARES + 1
    budget.refill(2.0)
    assert not budget._shares


def test_copies_over_the_budget_are_missed_and_counted_and_the_task_goes_on(bench_with):
    bench = bench_with(copy_bytes_per_s=10)
    worker, caller = bench.join("w", "echo"), bench.join("c")
    bench.listen(heads.kind_topic("demo", 1))

    for number in range(4):
        [sent] = bench.task(caller, task=bytes([number]) * 16, body=b"6 byte")
        assert sent.to == worker.connection
    bench.tick(0.5)
    bench.task(caller, task=b"4" * 16, body=b"again!")

    sequences = [heads.unpack_header(header)[1] for _, header, _ in bench.published]
    assert sequences == [0, 1, 4]
    assert bench.counts["drop.copy_budget"] == 2


def test_what_clients_publish_is_within_the_same_budget(bench_with):
    bench = bench_with(copy_bytes_per_s=5)
    message = [
        heads.kind_topic("demo", 1),
        heads.pack_header(b"p" * 16, 0, heads.NOBODY, heads.NOBODY),
        b"6 byte",
    ]

    passed = [bench.engine.on_publication(message, bench.now_s) for _ in range(2)]

    assert passed == [True, False]
    assert bench.counts["drop.copy_budget"] == 1
