from zmq_transport.proxy.copy_budget import CopyBudget
from zmq_transport.wire import heads


def test_what_one_second_gives_may_be_spent_at_once():
    budget = CopyBudget(100, now_s=5.0)

    assert [budget.spend(40), budget.spend(40), budget.spend(40), budget.spend(1)] == [
        True,
        True,
        True,
        False,
    ]


def test_it_grows_with_time_and_never_over_what_one_second_gives():
    budget = CopyBudget(100, now_s=0.0)
    budget.spend(100)

    budget.refill(0.25)

    assert budget.spend(25)
    assert not budget.spend(1)
    budget.refill(1000.0)
    assert budget.spend(100)
    assert not budget.spend(1)


def test_a_body_larger_than_the_budget_passes_once_and_is_paid_for():
    budget = CopyBudget(100, now_s=0.0)

    assert budget.spend(250)
    budget.refill(1.0)
    assert not budget.spend(1)
    budget.refill(1.75)
    assert budget.spend(1)


def test_nothing_is_published_for_nothing():
    assert not CopyBudget(0, now_s=0.0).spend(1)


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

    assert [bench.engine.subscriptions.published(message) for _ in range(2)] == [True, False]
    assert bench.counts["drop.copy_budget"] == 1
