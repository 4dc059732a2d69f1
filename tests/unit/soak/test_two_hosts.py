"""Which faults a run may have: on one host, on two, and with a second Synapse."""

import pytest

from tools.soak.__main__ import arguments_of
from tools.soak.plan import AT_THE_ONLY_ONE, BY_CABLE, BY_EVERYTHING, BY_RELAY, BY_STANDBY, FAULTS


def test_without_names_a_run_has_every_fault_that_its_hosts_allow():
    usual = set(FAULTS) - BY_STANDBY - BY_EVERYTHING

    assert set(arguments_of([]).faults) == usual - BY_CABLE
    assert set(arguments_of(["--two-hosts"]).faults) == usual - BY_RELAY


def test_with_a_second_synapse_there_are_failovers_in_place_of_restarts():
    faults = set(arguments_of(["--standby"]).faults)

    assert faults == set(FAULTS) - BY_CABLE - AT_THE_ONLY_ONE - BY_EVERYTHING
    assert "failover" in faults


def test_a_failover_asks_for_a_second_synapse_by_itself():
    assert arguments_of(["failover"]).standby
    assert not arguments_of(["worker_kill"]).standby


def test_none_is_a_run_without_faults():
    assert arguments_of(["none"]).faults == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["link_cut"], "link_cut: only with --two-hosts"),
        (["--two-hosts", "link_reset"], "link_reset: not between two hosts"),
        (["partition"], "partition: only with --two-hosts"),
        (["failover", "synapse_kill"], "synapse_kill: not where there is a second Synapse"),
        (["--timeout", "0"], "a timeout over 0"),
    ],
)
def test_what_cannot_be_is_told_with_the_reason(arguments, said, capsys):
    with pytest.raises(SystemExit) as ended:
        arguments_of(arguments)

    assert ended.value.code == 2
    assert said in capsys.readouterr().err
