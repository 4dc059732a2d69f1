"""What once went wrong between a proxy and whole clients, one test each."""

from support.resync_model import ResyncModel


def test_a_task_of_after_a_restart_waits_for_no_worker_that_died_in_it():
    model = ResyncModel()
    caller, worker, doomed = (model.join(serves=number > 0) for number in range(3))
    caller.begin_to_call()
    model.let_everything_arrive()
    model.time_passes(0.2)  # news of the second worker waited for it
    model.let_everything_arrive()
    model.kill(doomed)
    model.restart()
    for twin in model.twins:
        twin.connect()
    model.let_everything_arrive()

    caller.dispatch()
    caller.connect()  # the link is half open: what was just sent is gone
    model.let_everything_arrive()
    for _ in range(20):
        model.time_passes(0.1)
        model.let_everything_arrive()
    model.be_quiet()

    assert [(task.outcomes, task.runs) for task in caller.tasks.values()] == [(["reply"], 1)]
    assert worker.answers.ended


def test_a_task_that_never_arrived_and_was_taken_back_meanwhile_is_in_nobodys_hands():
    model = ResyncModel()
    worker, caller = model.join(serves=True), model.join(serves=False)
    caller.begin_to_call()
    model.let_everything_arrive()
    caller.dispatch()
    model.proxy_reads(caller, 1)
    worker.disconnect()
    caller.disconnect()
    caller.cancel(*caller.tasks)

    model.be_quiet()

    assert not len(model.engine.tables.ledger)
