"""Only a full run, pinned to one core, is held to its floors: a rough one ends well anywhere."""

import pytest

from cosmonapse.bench.figures import Report
from tools.bench import __main__ as bench

FAR_TOO_SLOW = {
    level: {
        "fabric": {"p50_ms": 9.0, "p99_ms": 9.9, "calls_per_s": 10.0},
        "ratio": {"bare": 0.001, "plain": 0.001},
    }
    for level in ("1", "16", "256")
}


@pytest.fixture(autouse=True)
def _slow_machine(monkeypatch):
    facts = {"cores": "1", "commit": "unknown"}
    found = {"calls": Report((), FAR_TOO_SLOW)}
    monkeypatch.setattr(bench, "measured_as", lambda *_: (facts, found))


@pytest.mark.parametrize("rough", ["--quick", "--smoke"])
def test_a_rough_run_ends_well_however_slow_the_machine(rough, capsys):
    bench.main(["calls", "--pin", rough])

    said = capsys.readouterr().out
    assert "Rough figures of a short run" in said
    assert "**goals" not in said


def test_a_full_run_names_each_floor_that_it_fell_below(capsys):
    with pytest.raises(SystemExit) as ended:
        bench.main(["calls", "--pin"])

    assert "calls at 1, against plain: 0.001 is below the floor" in ended.value.code
    assert "in short" in capsys.readouterr().out
