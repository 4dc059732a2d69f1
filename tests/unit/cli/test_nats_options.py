"""What the command line takes and prints about NATS."""

import json
import os

import click
import pytest
from click.testing import CliRunner

from cosmonapse.cli import run
from cosmonapse.cli.fabric import fabric_options


@pytest.fixture
def cosmo(capsys):
    """Type a command line; return its exit code, and all that it printed."""

    def type_(*arguments):
        code = run([*arguments])
        said = capsys.readouterr()
        return code, said.out + said.err

    return type_


@click.command()
@fabric_options
def verb(**options):
    """Print what a verb that joins a fabric is given."""
    click.echo(json.dumps([options["url"], os.environ.get("COSMO_CREDS")]))


def test_credentials_count_for_the_verb_and_what_it_starts(monkeypatch):
    monkeypatch.delenv("COSMO_CREDS", raising=False)

    done = CliRunner().invoke(verb, ["--creds", "ben.creds", "--url", "nats://host"])

    assert json.loads(done.output) == ["nats://host", "ben.creds"]
    assert "COSMO_CREDS" not in os.environ


def test_credentials_are_for_a_nats_server():
    done = CliRunner().invoke(verb, ["--creds", "ben.creds", "--url", "cosmo://host"])

    assert done.exit_code == 2
    assert "--creds is for a nats-server" in done.output


def test_no_password_is_shown_of_a_setting_or_a_context(cosmo, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    url = "nats://ben:s3cret@host"

    for command in (
        ("context", "add", "far", "--url", url),
        ("context", "ls"),
        ("context", "show", "far", "--json"),
        ("config", "show", "--context", "far"),
        ("config", "show", "--url", "nats://ben:s3cret@host:x"),
        ("check", "--url", "nats://ben:s3cret@host:x"),
    ):
        _, said = cosmo(*command)
        assert "nats://" in said
        assert "s3cret" not in said


def test_the_configuration_is_printed_where_no_file_is_named(cosmo):
    code, said = cosmo("synapse", "nats-conf", "--user", "ben=red,blue", "--synapse", "all")

    assert code == 0
    assert 'user: "all"' in said
    assert "cosmo.blue.up.*.ben.*" in said


def test_each_password_is_another_one(cosmo):
    said = (
        cosmo("synapse", "nats-conf", "--user", "ben=red")[1]
        + cosmo("synapse", "nats-conf", "--user", "ben=red")[1]
    )

    passwords = [part.partition('"')[0] for part in said.split('password: "')[1:]]
    assert len(set(passwords)) == 4
    assert min(map(len, passwords)) == 32


def test_a_variable_stands_in_place_of_a_password(cosmo, tmp_path):
    file = tmp_path / "nats.conf"
    options = ("--user", "ben=red", "--password", "ben=$BEN", "--out", str(file))

    code, said = cosmo("synapse", "nats-conf", *options)

    assert code == 0
    assert "nats://ben:$BEN@127.0.0.1:4222" in said
    assert "password: $BEN," in file.read_text()


def test_whoever_opens_it_to_a_network_without_encryption_is_warned(cosmo):
    assert (
        "can be read on the way"
        in cosmo("synapse", "nats-conf", "--user", "ben=red", "--cluster", "a", "--cluster", "b")[1]
    )


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ((), "Missing option '--user'"),
        (("--user", "ben"), "expected NAME=NS"),
        (("--user", "ben=a/b"), "namespace must be"),
        (("--user", "a b=red"), "user must be"),
        (("--user", "ben=red", "--user", "ben=blue"), "twice"),
        (("--user", "synapse=red"), "the user of the Synapses"),
        (("--user", "ben=red", "--password", "ann=$A"), "no --user names"),
        (("--user", "ben=red", "--password", "ben=s3cret"), "name of a variable"),
        (("--user", "ben=red", "--tls-cert", "c.pem"), "both --tls-cert and --tls-key"),
        (("--user", "ben=red", "--cluster", 'a"b'), "address of a host"),
        (("--user", "ben=red", "--host", "a b"), "address of a host"),
    ],
)
def test_a_wrong_option_is_refused_and_no_password_shown(cosmo, options, says):
    code, said = cosmo("synapse", "nats-conf", *options)

    assert code == 2
    assert says in said
    assert "s3cret" not in said
