"""The checker of the soak: a sound log passes, and each thing that must not happen is found."""

import pytest

from tools.soak.check import violations
from tools.soak.explain import RESYNC, TODAY
from tools.soak.history import read

ENOUGH = "0-49"


def invoke(task="caller-1-1", at=10.0, kind="echo", neuron="work", retry=False):
    return {
        "what": "invoke",
        "who": task.rpartition("-")[0],
        "at": at,
        "task": task,
        "kind": kind,
        "neuron": neuron,
        "want": f"right for {task}",
        "timeout_s": 5.0,
        "retry": retry,
    }


def start(task="caller-1-1", at=10.1, worker="worker-2", attempt="evt_1"):
    return {"what": "start", "who": worker, "at": at, "task": task, "attempt": attempt}


def outcome(task="caller-1-1", at=10.2, code="", got=None, thoughts=""):
    got = f"right for {task}" if got is None else got
    facts = {"code": code, "got": got, "thoughts": thoughts}
    return {"what": "outcome", "who": "caller-1", "at": at, "task": task, **facts}


def fault(kind="worker_kill", at=10.0, mended=11.0, number=1, target="worker-2", **hit):
    hit = {"callers": [], "workers": [target], "sole": [], **hit}
    begin = {"what": "fault", "who": "harness", "at": at, "number": number, "kind": kind}
    end = {"what": "mended", "who": "harness", "at": mended, "number": number}
    return [{**begin, "target": target, **hit}, end]


def restart(at=10.0, mended=10.5, number=9):
    hit = {"target": "synapse", "callers": ["caller-1"], "workers": []}
    return fault("synapse_kill", at, mended, number, **hit)


def quiet(at=12.0):
    return {"what": "quiet", "who": "harness", "at": at}


def found(*lines, expect=RESYNC):
    """Return the names of the rules that were broken."""
    flat = [each for line in lines for each in (line if isinstance(line, list) else [line])]
    return [violation.rule for violation in violations(read(flat), expect)]


def test_a_task_that_is_run_once_and_answered_rightly_breaks_no_rule():
    assert found(invoke(), start(), outcome()) == []


def test_lines_may_come_in_any_order():
    assert found(outcome(), start(), invoke()) == []


def test_a_task_without_outcome_is_found():
    assert found(invoke(), start()) == ["no_outcome"]


def test_a_task_with_two_outcomes_is_found():
    assert found(invoke(), start(), outcome(), outcome(at=10.3)) == ["many_outcomes"]


def test_an_outcome_a_second_after_the_deadline_is_found():
    assert found(invoke(), start(), outcome(at=15.9)) == []
    assert found(invoke(), start(), outcome(at=16.1)) == ["late"]


def test_a_task_that_ran_twice_is_found():
    again = start(worker="worker-1", attempt="evt_1")

    assert found(invoke(), start(), again, outcome()) == ["run_twice"]


def test_a_child_that_ran_twice_is_found():
    child = "caller-1-1/child"
    lines = invoke(kind="child"), start(), outcome()

    assert found(*lines, start(child, attempt="evt_2")) == []
    assert found(*lines, start(child), start(child)) == ["run_twice"]


def test_a_task_with_retry_may_run_again_and_an_attempt_of_it_may_not():
    lines = invoke(retry=True), start(), outcome()

    assert found(*lines, start(attempt="evt_2")) == []
    assert found(*lines, start(attempt="evt_1")) == ["run_twice"]


def test_the_reply_of_another_task_is_found():
    assert found(invoke(), start(), outcome(got="right for caller-2-7")) == ["wrong_reply"]


def test_an_answer_from_nowhere_is_found():
    assert found(invoke(), outcome()) == ["not_run"]


def test_a_run_that_nobody_asked_for_is_found():
    assert found(start()) == ["stranger"]


@pytest.mark.parametrize("thoughts", ["", "0-48", "0-3,5-49", "0-9,11,10,12-49", "-1,0-49"])
def test_a_stream_that_is_answered_without_all_thoughts_in_order_is_found(thoughts):
    lines = invoke(kind="stream"), start()

    assert found(*lines, outcome(thoughts=ENOUGH)) == []
    assert found(*lines, outcome(thoughts=thoughts)) == ["broken_stream"]


@pytest.mark.parametrize(("thoughts", "rules"), [("0-7", []), ("1-7", ["broken_stream"])])
def test_a_stream_that_fails_has_shown_a_beginning(thoughts, rules):
    lost = outcome(code="WORKER_LOST", thoughts=thoughts)

    assert found(invoke(kind="stream"), start(), lost, fault(), quiet()) == rules


def test_an_error_without_a_fault_is_found():
    assert found(invoke(), start(), outcome(code="WORKER_LOST")) == ["unexplained"]


def test_an_error_is_explained_by_the_loss_of_the_worker_that_ran_the_task():
    lost = outcome(code="WORKER_LOST")

    assert found(invoke(), start(worker="worker-2"), lost, fault(), quiet()) == []
    assert found(invoke(), start(worker="worker-1"), lost, fault(), quiet()) == ["unexplained"]


def test_an_error_long_after_its_fault_is_found():
    before = fault(at=5.0, mended=6.0)

    assert found(invoke(), start(), outcome(code="WORKER_LOST"), before, quiet(8.0)) == [
        "unexplained"
    ]


def test_a_code_that_its_fault_cannot_lead_to_is_found():
    lost = outcome(code="OVERLOADED")

    assert found(invoke(), start(), lost, fault(), quiet()) == ["unexplained"]


def test_only_a_neuron_without_replica_may_be_missing():
    missing = outcome(code="NO_SUCH_NEURON")
    gone = fault(sole=["alone"])

    assert found(invoke(neuron="alone"), missing, gone, quiet()) == []
    assert found(invoke(neuron="work"), missing, gone, quiet()) == ["unexplained"]


def test_an_exception_in_the_caller_is_found_whatever_the_faults():
    raised = outcome(code="RAISED")

    assert found(invoke(), raised, fault(), restart(), quiet(), expect=TODAY) == ["unexplained"]


def test_a_timeout_across_a_restart_is_allowed_only_where_that_is_expected():
    lines = invoke(), start(), outcome(at=15.0, code="TIMEOUT"), restart(), quiet()

    assert found(*lines, expect=TODAY) == []
    assert found(*lines, expect=RESYNC) == ["unexplained"]


def test_a_timeout_while_nothing_could_reach_the_caller_is_allowed_always():
    away = restart(at=14.0, mended=15.5)

    assert found(invoke(), start(), outcome(at=15.0, code="TIMEOUT"), away, quiet()) == []


def test_nobody_may_know_of_a_task_if_a_worker_is_reloaded_just_while_the_leader_hangs():
    lines = invoke(), outcome(at=12.0, code="TASK_LOST"), quiet(13.0)
    reload = fault("reload", at=8.0, mended=10.4, number=2, target="reloaded")
    hit = {"target": "synapse", "callers": ["caller-1"], "workers": []}
    hangs = fault("failover_freeze", at=10.0, mended=11.0, number=1, **hit)

    assert found(*lines, hangs, reload) == []
    assert found(*lines, hangs) == ["unexplained"]
    assert found(*lines, reload) == ["unexplained"]


def test_nobody_may_know_of_a_task_only_after_a_restart_together_with_a_loss():
    lines = invoke(), start(), outcome(at=11.5, code="TASK_LOST"), quiet()

    assert found(*lines, restart(), fault()) == []
    assert found(*lines, restart()) == ["unexplained"]
    assert found(*lines, fault()) == ["unexplained"]


def test_a_worker_that_went_with_an_earlier_synapse_may_still_be_waited_for():
    lines = invoke(), outcome(at=11.5, code="TASK_LOST"), restart(number=1), quiet(8.0)
    loss = fault(at=5.0, mended=6.0, number=2)
    long_ago = fault(at=-5.0, mended=-4.0, number=2), restart(-5.0, -4.5, number=3)

    assert found(*lines, loss, restart(5.0, 5.5, number=3)) == []
    assert found(*lines, loss) == ["unexplained"]
    assert found(*lines, *long_ago, quiet(-3.0)) == ["unexplained"]


def test_a_worker_that_gets_no_task_after_its_return_is_found():
    lines = fault(), quiet(20.0)

    assert found(*lines, start("caller-1-1/child", at=13.9)) == []
    assert found(*lines, start("caller-1-1/child", at=14.1)) == ["not_back"]
    assert found(*lines) == ["not_back"]


def test_a_caller_that_is_not_answered_after_a_restart_is_found():
    early = invoke(), start(), outcome()

    assert found(*early, restart(), quiet(20.0)) == ["not_back"]


def test_nobody_is_missed_when_the_run_ends_soon_after_a_fault():
    assert found(fault(), quiet(12.0)) == []


def test_a_caller_that_is_told_late_of_a_killed_worker_is_found():
    lines = invoke(), start(), quiet()

    assert found(*lines, outcome(at=10.9, code="WORKER_LOST"), fault()) == []
    assert found(*lines, outcome(at=11.1, code="WORKER_LOST"), fault()) == ["told_late"]


def test_a_loss_counts_for_the_last_fault_that_took_the_worker():
    second = fault(at=12.0, mended=13.0, number=2)
    lines = invoke(at=11.9), start(at=11.95), outcome(at=12.4, code="WORKER_LOST")

    assert found(*lines, fault(), second, quiet()) == []


def test_a_caller_may_be_told_late_while_the_synapse_is_away():
    lines = invoke(), start(), outcome(at=11.5, code="WORKER_LOST"), quiet()

    assert found(*lines, fault(), restart()) == []


@pytest.mark.parametrize(("code", "took_s"), [(1, 0.1), (-9, 0.1), (0, 12.5)])
def test_a_process_that_ends_badly_or_slowly_is_found(code, took_s):
    ended = {"what": "ended", "who": "harness", "at": 10.0, "name": "worker-1"}

    assert found({**ended, "code": 0, "took_s": 1.0}) == []
    assert found({**ended, "code": code, "took_s": took_s}) == ["bad_end"]


@pytest.mark.parametrize(
    ("names", "rules"), [(["synapse-2"], []), ([], ["leaders"]), (["a", "b"], ["leaders"])]
)
def test_of_several_synapses_one_has_to_lead_in_the_end(names, rules):
    line = {"what": "leaders", "who": "harness", "at": 20.0, "names": names}

    assert found(line) == rules


def test_a_failover_explains_no_error():
    failover = fault("failover", at=10.0, mended=10.1, callers=["caller-1"], workers=[])

    for code in ("TASK_LOST", "WORKER_LOST", "NO_SUCH_NEURON", "TIMEOUT"):
        assert found(invoke(), outcome(code=code), failover, quiet()) == ["unexplained"]


@pytest.mark.parametrize(
    ("neuron", "code", "rules"),
    [
        ("work", "TASK_LOST", []),
        ("alone", "NO_SUCH_NEURON", []),
        ("work", "NO_SUCH_NEURON", ["unexplained"]),
        ("work", "TIMEOUT", ["unexplained"]),
    ],
)
def test_a_task_into_the_other_half_ends_as_with_a_worker_that_is_away(neuron, code, rules):
    cut = fault("partition", at=9.0, mended=15.0, callers=["caller-1"], sole=["alone"])

    assert found(invoke(neuron=neuron), outcome(code=code), cut, quiet(16.0)) == rules


def test_a_traceback_of_a_process_is_found():
    said = {"what": "complaint", "who": "harness", "at": 10.0, "name": "worker-1", "text": "Oh"}

    assert found(said) == ["complaint"]


def samples(seconds, **growth_per_s):
    """Return a sample for each second; what is named grows by so much in each."""
    level = {"rss_kib": 30_000, "descriptors": 20, "tasks": 10}
    return [
        {
            "what": "sample",
            "who": "caller-1",
            "at": float(second),
            "of": 77,
            **{what: first + growth_per_s.get(what, 0) * second for what, first in level.items()},
        }
        for second in range(seconds)
    ]


@pytest.mark.parametrize("growth", [{"rss_kib": 50}, {"descriptors": 1}, {"tasks": 1}])
def test_a_process_that_grows_for_minutes_is_found(growth):
    assert found(samples(400)) == []
    assert found(samples(200, **growth)) == []
    assert found(samples(400, **growth)) == ["leak"]


def state(shown, at=15.5, worker="worker-2"):
    return {"what": "state", "who": "watcher-1", "at": at, "worker": worker, "state": shown}


def test_a_task_that_waits_for_a_worker_that_blocks_its_loop_may_time_out():
    block = fault("worker_block", mended=18.0), state("stuck")
    early = invoke(), outcome(at=15.0, code="TIMEOUT")
    late = invoke(at=17.0), start(worker="worker-1"), outcome(at=22.0, code="TIMEOUT")

    assert found(*early, *block, quiet()) == []
    assert found(*late, *block, quiet()) == ["unexplained"]


def test_a_task_that_was_given_to_a_worker_known_as_stuck_is_found():
    lines = invoke(at=17.0), outcome(at=19.0, code="TIMEOUT"), state("stuck")

    assert found(*lines, fault("worker_block", mended=18.0), quiet()) == ["unexplained"]


def test_only_what_nobody_else_does_may_be_refused_while_a_worker_blocks_its_loop():
    block = fault("worker_block", mended=18.0, sole=["alone"]), state("stuck"), quiet()
    refused = outcome(at=17.1, code="OVERLOADED")

    assert found(invoke(at=17.0, neuron="alone"), refused, *block) == []
    assert found(invoke(at=17.0), refused, *block) == ["unexplained"]


def test_a_worker_that_only_blocks_its_loop_is_not_lost():
    lines = invoke(), start(), outcome(at=15.0, code="WORKER_LOST"), state("stuck")

    assert found(*lines, fault("worker_block", mended=18.0), quiet()) == ["unexplained"]


@pytest.mark.parametrize(
    ("shown", "rules"),
    [
        ([state("stuck")], []),
        ([], ["not_stuck"]),
        ([state("stuck", worker="worker-1")], ["not_stuck"]),
        ([state("stuck", at=19.0)], ["not_stuck"]),
        ([state("stuck"), state("away", at=16.0)], ["not_stuck"]),
    ],
)
def test_a_worker_that_blocks_its_loop_is_shown_as_stuck_and_never_as_away(shown, rules):
    assert found(fault("worker_block", mended=18.0), *shown, quiet()) == rules


def test_a_worker_that_blocks_its_loop_for_a_moment_need_not_be_shown_as_stuck():
    assert found(fault("worker_block", mended=12.0), quiet()) == []


def test_a_task_may_time_out_while_a_new_synapse_waits_for_a_worker_that_freezes():
    task = invoke(at=9.9), start(at=9.95), outcome(at=14.9, code="TIMEOUT")
    freeze = fault("worker_freeze", at=13.1, mended=17.0)

    assert found(*task, restart(mended=13.0), freeze, quiet()) == []
    assert found(*task, freeze, quiet()) == ["unexplained"]
    assert found(*task, restart(mended=10.5), freeze, quiet()) == ["unexplained"]
    elsewhere = fault("worker_freeze", at=13.1, mended=17.0, target="worker-3")
    assert found(*task, restart(mended=13.0), elsewhere, quiet()) == ["unexplained"]


def test_a_task_may_time_out_when_its_worker_freezes_as_a_cut_link_is_back():
    task = invoke(at=9.9), start(at=9.95), outcome(at=14.9, code="TIMEOUT")
    freeze = fault("worker_freeze", at=13.1, mended=17.0)
    hit = {"target": "link", "workers": ["worker-2"], "callers": ["caller-2"]}

    assert found(*task, fault("link_cut", 10.0, 12.9, 3, **hit), freeze, quiet()) == []
    cut_long_ago = fault("link_cut", 10.0, 11.0, 3, **hit)
    assert found(*task, cut_long_ago, freeze, quiet()) == ["unexplained"]


def test_a_frozen_worker_is_not_waited_for_longer_than_the_heartbeats_take():
    task = invoke(at=9.9), start(at=9.95), outcome(at=14.9, code="TIMEOUT")
    freeze = fault("worker_freeze", at=10.2, mended=17.0)

    assert found(*task, restart(mended=10.5), freeze, quiet()) == ["unexplained"]
