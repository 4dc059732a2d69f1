"""`cosmo synapse start` takes a nats-server, and refuses in one line what goes with none."""

import click
import pytest
from click.testing import CliRunner

from cosmonapse.cli.service_plan import Asked, synapse_unit
from cosmonapse.cli.synapse import start

URL = "nats://ada:secret@127.0.0.1:4222"


def refusal(*arguments):
    result = CliRunner().invoke(start, arguments)
    assert result.exit_code == 2
    return result.output


@pytest.mark.parametrize(
    "option",
    [
        ["--host", "0.0.0.0"],
        ["--port", "7070"],
        ["--ipc", "/tmp/x"],
        ["--lan"],
        ["--peer", "cosmo://b:7070"],
        ["--keys", "/tmp/k"],
        ["--insecure"],
        ["--ipc-mode", "0600"],
        ["--carrier", "zmtp"],
    ],
    ids=lambda option: option[0],
)
def test_what_only_a_synapse_with_sockets_has_is_refused_with_a_nats_server(option):
    text = refusal(URL, *option)

    assert f"{option[0]} is for a Synapse that listens itself" in text
    assert "secret" not in text


@pytest.mark.parametrize(
    "option", [["--creds", "f"], ["--always-publish"], ["--dead-after", "5"]], ids=lambda o: o[0]
)
def test_what_only_nats_has_is_refused_without_a_nats_server(option):
    assert f"{option[0]} is for NATS: name a nats-server" in refusal(*option)


@pytest.mark.parametrize("store", ["redis://h", "disk", "ada:secret@h"])
def test_another_store_is_refused_and_not_shown(store):
    text = refusal(store)

    assert "'memory', or the URL of a nats-server: nats://HOST[:PORT]" in text
    assert "secret" not in text


def test_a_time_that_would_end_living_dendrites_is_refused():
    assert "2" in refusal(URL, "--dead-after", "2")


def unit_of(*arguments):
    return synapse_unit(arguments, Asked(name=None, for_user=True, run_as=None))


def test_a_unit_for_a_synapse_on_nats_says_where_it_is_and_runs_that():
    unit = unit_of("nats://h:4222", "--dead-after", "5")

    assert unit.what == "nats://h:4222"
    assert unit.command[-3:] == ("nats://h:4222", "--dead-after", "5")


@pytest.mark.parametrize("url", [URL, "nats://token@h:4222"])
def test_no_password_comes_into_a_unit(url):
    with pytest.raises(click.UsageError, match="name a file, with --creds FILE") as refused:
        unit_of(url)

    assert "secret" not in refused.value.message


def test_an_option_that_has_no_effect_is_refused_before_a_unit_is_written():
    with pytest.raises(click.UsageError, match="--port is for a Synapse that listens itself"):
        unit_of("nats://h:4222", "--port", "7070")
