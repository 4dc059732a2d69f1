"""The figures of the gateways can be taken by everybody, and hold where no clock is asked."""

from support.gateway_figures import SMOKE, figures


def test_a_failure_runs_once_and_streams_leave_no_task_behind():
    _, plain, openai, streams = figures(SMOKE, ("http", "openai"))

    assert (plain["runs_of_a_failure"], openai["runs_of_a_failure"]) == (1, 1)
    assert plain["gateway_cpu_ms"] < 50
    assert (streams["whole"], streams["left"]) == (80, 0)
