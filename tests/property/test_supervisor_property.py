"""Whatever processes and people do, the supervisor keeps its promises."""

from hypothesis import given
from hypothesis import strategies as st

from cosmonapse.worker_runner.supervisor import (
    KILL_AFTER_S,
    MAX_BACKOFF_S,
    Failure,
    Notice,
    Phase,
    Supervisor,
)

GRACE_S = 5.0
COUNTS = st.integers(1, 3)
EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["ready", "crash", "fail", "leave", "change", "wait"]),
        st.integers(0, 6),
        st.integers(0, 40),
    ),
    max_size=60,
)


class Runner:
    """Does what the supervisor decides with processes that are only numbers."""

    def __init__(self, count):
        self.count = count
        self.supervisor = Supervisor(count, GRACE_S)
        self.now_s = 0.0
        self.told = []
        self.end_at_s = {}
        self.act(self.supervisor.begin(0.0))

    def act(self, decided):
        phases = {n: each.phase for n, each in self.supervisor.processes.items()}
        for each in decided:
            if isinstance(each, Notice):
                self.told.append(each)
            elif each.what == "start":
                assert self.supervisor.exit_code is None
                self.supervisor.spawned(each.number, each.number)
            elif each.what == "end":
                assert phases[each.number] is Phase.LEAVING
                assert each.number not in self.end_at_s  # each is asked once
                self.end_at_s[each.number] = self.now_s
            else:
                assert self.now_s >= self.end_at_s[each.number] + GRACE_S + KILL_AFTER_S

    def chosen(self, phase, which):
        found = [n for n, each in self.supervisor.processes.items() if each.phase is phase]
        return found[which % len(found)] if found else None

    def step(self, event, which, quarters):
        if event == "wait":
            self.now_s += quarters / 4
            return self.act(self.supervisor.due(self.now_s))
        if event == "change":
            return self.act(self.supervisor.changed(["a.py"], self.now_s))
        phase = {"crash": Phase.SERVING, "leave": Phase.LEAVING}.get(event, Phase.STARTING)
        number = self.chosen(phase, which)
        if number is None:
            return None
        if event == "ready":
            return self.act(self.supervisor.ready(number, self.now_s))
        failure = Failure("broken") if event == "fail" else None
        return self.act(self.supervisor.ended(number, "exited", failure, self.now_s))

    def serving(self):
        processes = self.supervisor.processes.values()
        return {each.place for each in processes if each.phase is Phase.SERVING}


@given(COUNTS, EVENTS)
def test_a_place_that_serves_goes_on_until_its_process_crashes(count, events):
    runner = Runner(count)
    for event, which, quarters in events:
        before = runner.serving()
        runner.step(event, which, quarters)
        if event != "crash":
            assert before <= runner.serving()


@given(COUNTS, EVENTS)
def test_a_place_has_at_most_one_process_that_serves_and_one_that_starts(count, events):
    runner = Runner(count)
    for each in events:
        runner.step(*each)
        for phase in (Phase.SERVING, Phase.STARTING):
            processes = runner.supervisor.processes.values()
            places = [each.place for each in processes if each.phase is phase]
            assert len(places) == len(set(places))


@given(COUNTS, EVENTS)
def test_once_code_gets_ready_every_place_serves_it_in_the_end(count, events):
    runner = Runner(count)
    for each in events:
        runner.step(*each)
    if runner.supervisor.exit_code is not None:
        return
    runner.step("change", 0, 0)
    for turn in range(4 * count):
        runner.step("ready", 0, 0)
        next_s = runner.supervisor.next_at_s()
        if turn % 2 and next_s < float("inf"):  # nothing is due while all that start are awaited
            runner.now_s = max(runner.now_s, next_s)
        runner.act(runner.supervisor.due(runner.now_s))

    processes = runner.supervisor.processes.values()
    serving = [each for each in processes if each.phase is Phase.SERVING]
    assert len(serving) == count
    assert len({each.generation for each in serving}) == 1


@given(COUNTS, EVENTS)
def test_every_back_off_is_between_half_a_second_and_thirty(count, events):
    runner = Runner(count)
    for each in events:
        runner.step(*each)

    waits = [each.seconds for each in runner.told if each.what in ("crashed", "start_failed")]
    assert all(0.5 <= each <= MAX_BACKOFF_S for each in waits)


@given(COUNTS, EVENTS)
def test_a_stop_ends_whatever_lives_and_starts_nothing(count, events):
    runner = Runner(count)
    for each in events:
        runner.step(*each)

    runner.act(runner.supervisor.stop(0, runner.now_s))
    assert {each.phase for each in runner.supervisor.processes.values()} <= {Phase.LEAVING}
    for number in list(runner.supervisor.processes):
        runner.act(runner.supervisor.ended(number, "exited", None, runner.now_s))

    assert runner.supervisor.is_over
