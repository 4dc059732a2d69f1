"""What once went wrong between a proxy and whole clients, one test each."""

from support.resync_world import ResyncWorld


def test_a_task_of_after_a_restart_waits_for_no_worker_that_died_in_it():
    world = ResyncWorld()
    caller, worker, doomed = (world.join(serves=number > 0) for number in range(3))
    caller.begin_to_call()
    world.let_everything_arrive()
    world.time_passes(0.2)  # news of the second worker waited for it
    world.let_everything_arrive()
    world.kill(doomed)
    world.restart()
    for twin in world.twins:
        twin.connect()
    world.let_everything_arrive()

    caller.dispatch()
    caller.connect()  # the link is half open: what was just sent is gone
    world.let_everything_arrive()
    for _ in range(20):
        world.time_passes(0.1)
        world.let_everything_arrive()
    world.be_quiet()

    assert [(task.outcomes, task.runs) for task in caller.tasks.values()] == [(["reply"], 1)]
    assert worker.answers.ended


def test_a_task_that_never_arrived_and_was_taken_back_meanwhile_is_in_nobodys_hands():
    world = ResyncWorld()
    worker, caller = world.join(serves=True), world.join(serves=False)
    caller.begin_to_call()
    world.let_everything_arrive()
    caller.dispatch()
    world.proxy_reads(caller, 1)
    worker.disconnect()
    caller.disconnect()
    caller.cancel(*caller.tasks)

    world.be_quiet()

    assert not len(world.engine.tables.ledger)
