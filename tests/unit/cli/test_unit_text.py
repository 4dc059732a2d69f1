"""The text of a unit: arguments mean themselves, and a secret is never in it."""

import pytest

from cosmonapse.cli.unit_text import Unit, value, word


def unit(**given):
    fields = {"name": "cosmo-worker-app", "kind": "worker", "what": "app", "folder": "/opt/app"}
    return Unit(**{**fields, "command": ["/opt/python", "-m", "app"], **given}).text().split("\n")


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("app:axon", "app:axon"),
        ("50%", "50%%"),
        ("$HOME", "$$HOME"),
        ("two words", '"two words"'),
        ('a"b', '"a\\"b"'),
        ("a\\b", '"a\\\\b"'),
        ("it's", '"it\'s"'),
        (";", '";"'),
        ("", '""'),
    ],
)
def test_an_argument_means_itself(text, written):
    assert word(text) == written


@pytest.mark.parametrize("make", [word, value])
def test_a_line_end_cannot_add_a_line_to_a_unit(make):
    with pytest.raises(ValueError, match="a unit cannot have the text"):
        make("a\nExecStartPre=/bin/sh")


def test_a_key_is_lent_by_the_manager_of_the_system_and_is_a_path_for_that_of_a_user():
    system, user = unit(key="/etc/ben.key"), unit(key="/srv/ben.key", for_user=True)

    assert "LoadCredential=cosmonapse.key:/etc/ben.key" in system
    assert "ExecStart=/opt/python -m app --key %d/cosmonapse.key" in system
    assert "ExecStart=/opt/python -m app --key /srv/ben.key" in user
    assert not [each for each in user if each.startswith("LoadCredential")]


def test_the_token_of_a_gateway_is_lent_as_its_key_is():
    given = {"kind": "gateway", "key": "/etc/ben.key", "token": "/etc/web.token"}
    system, user = unit(**given), unit(**given, for_user=True)

    assert "LoadCredential=cosmonapse.token:/etc/web.token" in system
    lent = "--key %d/cosmonapse.key --token-file %d/cosmonapse.token"
    assert f"ExecStart=/opt/python -m app {lent}" in system
    paths = "--key /etc/ben.key --token-file /etc/web.token"
    assert f"ExecStart=/opt/python -m app {paths}" in user
    assert {"RestartSec=5", "LimitNOFILE=65536", "SystemCallFilter=@system-service"} <= set(system)


def test_a_unit_of_the_system_runs_as_nobody_in_particular_unless_it_is_said():
    assert "DynamicUser=yes" in unit()
    assert "User=ben" in unit(run_as="ben")
    assert not [each for each in unit(for_user=True) if "User=" in each]


def test_what_hides_the_program_is_left_out():
    assert {"PrivateTmp=yes", "ProtectHome=yes"} <= set(unit())
    found = unit(reads_home=True, reads_temporary=True)
    assert "ProtectHome=read-only" in found
    assert "PrivateTmp=yes" not in found


def test_a_worker_may_compile_code_and_a_synapse_does_not():
    assert "MemoryDenyWriteExecute=yes" in unit(kind="synapse")
    assert "MemoryDenyWriteExecute=yes" not in unit()


def test_a_port_below_1024_needs_one_right():
    assert "CapabilityBoundingSet=" in unit(kind="synapse")
    assert "AmbientCapabilities=CAP_NET_BIND_SERVICE" in unit(kind="synapse", low_port=True)


def test_a_synapse_is_back_at_once_and_tries_as_long_as_a_worker():
    assert {"RestartSec=1", "StartLimitBurst=100"} <= set(unit(kind="synapse"))
    assert {"RestartSec=5", "StartLimitBurst=20"} <= set(unit())
