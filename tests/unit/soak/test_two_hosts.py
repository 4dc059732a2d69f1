"""Which faults a run may have, on one host and on two."""

import pytest

from tools.soak.__main__ import arguments_of
from tools.soak.plan import BY_CABLE, BY_RELAY, FAULTS


def test_without_names_a_run_has_every_fault_that_its_hosts_allow():
    assert set(arguments_of([]).faults) == set(FAULTS) - BY_CABLE
    assert set(arguments_of(["--two-hosts"]).faults) == set(FAULTS) - BY_RELAY


def test_none_is_a_run_without_faults():
    assert arguments_of(["none"]).faults == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["link_cut"], "link_cut: only with --two-hosts"),
        (["--two-hosts", "link_reset"], "link_reset: not between two hosts"),
        (["--timeout", "0"], "a timeout over 0"),
    ],
)
def test_what_cannot_be_is_told_with_the_reason(arguments, said, capsys):
    with pytest.raises(SystemExit) as ended:
        arguments_of(arguments)

    assert ended.value.code == 2
    assert said in capsys.readouterr().err
