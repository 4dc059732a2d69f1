"""A Synapse without keys listens beyond loopback only if somebody says that this is meant."""

import socket

import pytest

from cosmonapse import SynapseServer
from cosmonapse.cli import run
from cosmonapse.errors import InsecureBind
from cosmonapse.synapse import secure_bind
from cosmonapse.synapse.secure_bind import check_bind

OPEN = ["0.0.0.0", "::", "*", "", "192.0.2.7", "::ffff:192.0.2.7", "[2001:db8::1]", "0"]
OWN = ["127.0.0.1", "localhost", "::1", "[::1]", "127.1", "::ffff:127.0.0.1"]


@pytest.mark.parametrize("host", OPEN)
def test_a_host_that_others_reach_needs_keys_or_a_word(host):
    with pytest.raises(InsecureBind) as caught:
        check_bind(host, has_keys=False, insecure=False)

    assert "--keys DIR" in str(caught.value)
    assert "--insecure" in str(caught.value)
    check_bind(host, has_keys=True, insecure=False)
    check_bind(host, has_keys=False, insecure=True)


@pytest.mark.parametrize("host", OWN)
def test_loopback_needs_neither(host):
    check_bind(host, has_keys=False, insecure=False)


def test_a_name_that_resolves_to_an_address_of_the_network_is_one(monkeypatch):
    named = [(2, 1, 6, "", ("127.0.0.1", 0)), (2, 1, 6, "", ("192.0.2.7", 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: named)

    with pytest.raises(InsecureBind, match=r"^studio \(192\.0\.2\.7\) can be reached"):
        check_bind("studio", has_keys=False, insecure=False)


def test_every_interface_is_told_with_the_addresses_that_others_use(monkeypatch):
    monkeypatch.setattr(secure_bind, "addresses", lambda host: ["192.0.2.7", "2001:db8::1"])

    with pytest.raises(InsecureBind, match=r"^0\.0\.0\.0 \(here: 192\.0\.2\.7, 2001:db8::1\) can"):
        check_bind("0.0.0.0", has_keys=False, insecure=False)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7"])
def test_a_server_that_others_could_reach_is_not_made(host):
    with pytest.raises(InsecureBind, match="SynapseServer"):
        SynapseServer(host, port=0)


def test_keys_and_insecure_do_not_go_together():
    with pytest.raises(ValueError, match="not both"):
        check_bind("127.0.0.1", has_keys=True, insecure=True)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7"])
def test_the_command_line_says_both_ways_out_in_one_line(host, capsys):
    code = run(["synapse", "start", "--host", host, "--port", "0"])

    said = capsys.readouterr()
    assert (code, said.out) == (2, "")
    assert said.err.count("\n") == 1
    assert said.err.startswith(f"cosmo: {host}")
    assert "--keys DIR" in said.err
    assert "--insecure" in said.err


def test_the_command_line_takes_one_of_the_ways_out(capsys):
    code = run(["synapse", "start", "--keys", "/nowhere", "--insecure"])

    assert code == 2
    assert "not both" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("mode", "has_keys", "said"),
    [
        (0o660, False, "needs keys"),
        (0o666, True, "0o600 or 0o660"),
        (0o777, True, "0o600 or 0o660"),
    ],
)
def test_the_files_of_a_socket_admit_others_only_where_their_rights_are_known(mode, has_keys, said):
    with pytest.raises(ValueError, match=said):
        secure_bind.check_ipc_mode(mode, has_keys=has_keys)

    secure_bind.check_ipc_mode(0o600, has_keys=False)
    secure_bind.check_ipc_mode(0o660, has_keys=True)


def test_the_command_line_opens_a_socket_to_the_group_with_keys_only(capsys, tmp_path):
    code = run(["synapse", "start", "--ipc", str(tmp_path / "s"), "--ipc-mode", "0660"])

    assert code == 2
    assert "--ipc-mode 0660 needs --keys" in capsys.readouterr().err
