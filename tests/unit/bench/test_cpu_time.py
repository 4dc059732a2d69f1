"""CPU time by process and kind of thread, and ratios within a round."""

import os
import subprocess
import sys

import pytest

from tools.bench.cpu_time import Cost, Meter, Used, descendants, parts, ratios, shown, started_by

pytestmark = pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="Linux only")
_BUSY = "sum(range(3_000_000))"


def cost(*processes, result=None):
    return Cost(result, tuple(Used(own, libzmq) for own, libzmq in processes))


def test_work_of_this_process_costs_time_and_waiting_costs_little():
    meter = Meter([os.getpid()])

    worked = meter.take(lambda: sum(range(2_000_000)))
    waited = meter.take(lambda: subprocess.run([sys.executable, "-c", ""], check=True))

    assert worked.result == 1999999000000
    assert worked.cpu_s > 0.005
    assert waited.cpu_s < worked.cpu_s


def test_a_system_is_measured_by_all_processes_that_it_starts():
    process, meter = started_by(
        lambda: subprocess.Popen(
            [sys.executable, "-c", f"input(); {_BUSY}; print(flush=True); input()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
    )
    try:

        def work():
            process.stdin.write(b"\n")
            process.stdin.flush()
            return process.stdout.readline()

        taken = meter.take(work)

        assert meter.pids == (process.pid,)
        assert process.pid in descendants()
        assert taken.cpu_s > 0.005
    finally:
        process.kill()
        process.communicate()


def test_a_process_that_has_ended_costs_nothing_more():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()

    assert Meter([process.pid]).take(lambda: 1).cpu_s == 0.0


def test_a_cost_is_that_of_all_processes_and_threads():
    taken = cost((0.002, 0.001), (0.003, 0.0))

    assert taken.cpu_s == pytest.approx(0.006)
    assert taken.us_each(100) == pytest.approx(60.0)


def test_parts_are_medians_by_process_without_the_idle_ones():
    costs = [
        cost((1e-3, 2e-4), (0.0, 0.0), (3e-3, 0.0)),
        cost((2e-3, 2e-4), (0.0, 0.0), (4e-3, 0.0)),
        cost((9e-3, 2e-4), (0.0, 0.0), (5e-3, 0.0)),
    ]

    assert parts(costs, [100, 100, 100]) == [pytest.approx((20.0, 2.0)), pytest.approx((40.0, 0.0))]


def test_many_processes_are_shown_as_the_first_and_the_sum_of_the_others():
    assert shown([(6.04, 2.0), (3.0, 0.0)]) == "6.0 + 2.0 io, 3.0"
    assert shown([(6.0, 2.0), *[(1.0, 0.5)] * 4]) == "6.0 + 2.0 io, 4 others 4.0 + 2.0 io"


def test_ratios_are_taken_within_a_round():
    assert ratios([10.0, 20.0], [20.0, 20.0]) == [2.0, 1.0]
    assert ratios([10.0], []) == []
