"""A soak with everything on: its options, its plan, and what is read of its answers."""

import itertools

import pytest

from tools.soak import app
from tools.soak.__main__ import arguments_of
from tools.soak.explain import RESYNC
from tools.soak.figures import FILLS_S, slopes
from tools.soak.history import History, Sample
from tools.soak.plan import ENDS, day
from tools.soak.scraper import growing, parsed
from tools.soak.verdict import judge, shown

SECONDS = 3600.0


def test_everything_has_keys_a_standby_both_languages_and_rolling_restarts():
    given = arguments_of(["--everything"])

    assert (given.keys, given.standby, given.javascript) == (True, True, "libzmq")
    assert {"rolling_restart", "failover"} <= set(given.faults)


@pytest.mark.parametrize("kind", ["rolling_restart", "reload"])
def test_a_restart_in_order_asks_for_everything(kind, capsys):
    with pytest.raises(SystemExit):
        arguments_of([kind])

    assert f"{kind}: only with --everything" in capsys.readouterr().err


def planned_day(kinds):
    """Return the instant and the kind of each fault of a day of an hour."""
    clock, found = [0.0], []
    for each in day(7, kinds, SECONDS, lambda: clock[0]):
        clock[0] += each.pause_s
        if clock[0] >= SECONDS:
            break
        found.append((clock[0], each.kind))
        clock[0] += each.length_s
    return found


def test_a_day_has_every_fault_and_is_ordinary_work_for_the_most_part():
    kinds = arguments_of(["--everything"]).faults
    faults = planned_day(kinds)

    assert {kind for _, kind in faults} == set(kinds)
    assert sum(kind == "rolling_restart" for _, kind in faults) >= 3
    assert all(later - at >= 29.0 for (at, _), (later, _) in itertools.pairwise(faults))


def test_a_process_lives_long_enough_in_a_day_to_show_its_growth():
    faults = planned_day(arguments_of(["--everything"]).faults)
    ends = [at_s for at_s, kind in faults if kind in ENDS]

    lives = [later - at for at, later in itertools.pairwise(ends)]
    assert sum(life > FILLS_S + 300 for life in lives) == 2


def test_a_day_of_ends_alone_has_no_quiet_part():
    assert {kind for _, kind in planned_day(["failover"])} == {"failover"}
    assert [kind for _, kind in planned_day(["reload"])][-1] == "reload"


def grown(name, seconds, kib_of):
    samples = [Sample(float(at), kib_of(at), 9, 5, 3) for at in range(seconds)]
    (slope,) = slopes(History(samples={1: samples}, names={1: name}))
    return slope


def test_the_memory_of_a_worker_is_judged_once_it_remembers_all_that_it_ever_will():
    def filling(at):
        return int(1000 + 10 * min(at, 600))

    assert grown("worker-1", 1200, filling).rss_kib == pytest.approx(0.0)
    assert grown("worker-1", 800, filling).rss_kib is None
    assert grown("caller-1", 800, filling).rss_kib > 300
    assert grown("worker-1", 1200, lambda at: 1000 + 10 * at).rss_kib == pytest.approx(600.0)


def test_the_threads_of_a_process_are_judged_too():
    samples = [Sample(float(at), 1000, 9, None, 3 + at // 10) for at in range(400)]

    verdict = judge(History(samples={1: samples}, names={1: "synapse"}), RESYNC)

    assert [each.rule for each in verdict.violations] == ["leak"]
    assert "6.0 threads a minute" in shown(verdict, 0.0)


def test_what_must_not_go_back_is_read_from_a_scrape():
    text = """# TYPE tasks_total counter
tasks_total{neuron="a"} 5
# TYPE running gauge
running 3
# TYPE wait_seconds histogram
wait_seconds_bucket{le="+Inf"} 2
wait_seconds_count 2
wait_seconds_sum 0.5
"""

    assert growing(text) == {
        ("tasks_total", (("neuron", "a"),)): 5.0,
        ("wait_seconds_bucket", (("le", "+Inf"),)): 2.0,
        ("wait_seconds_count", ()): 2.0,
        ("wait_seconds_sum", ()): 0.5,
    }
    with pytest.raises(ValueError, match="float"):
        growing("tasks_total many\n")


def test_an_answer_that_is_cut_off_is_none():
    head = "HTTP/1.0 200 OK\r\nContent-Length: 9\r\nDate: now\r\n\r\n"

    assert parsed(f"{head}some text") == (200, "some text")
    assert parsed(f"{head}some")[0] == 0
    assert parsed("HTTP/1.0 503 No\r\n\r\nnot yet") == (503, "not yet")
    assert parsed("")[0] == 0


def test_each_version_of_the_program_that_is_reloaded_is_another_one(tmp_path):
    texts = set()
    for number in (1, 2):
        app.write(tmp_path / "app", number)
        texts.add((tmp_path / "app" / f"{app.MODULE}.py").read_text())

    assert len(texts) == 2
    assert [each.name for each in (tmp_path / "app").iterdir()] == [f"{app.MODULE}.py"]


def test_a_verdict_says_what_was_on_and_what_was_not_there():
    history = History(features=(("keys",), ("metrics",)))

    assert "on: keys   MISSING: metrics" in shown(judge(history, RESYNC), 0.0)
