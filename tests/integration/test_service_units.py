"""`cosmo service`: the units are valid, their commands start, and what cannot work is refused."""

import importlib
import os
import pwd
import shlex
import shutil
import signal
import subprocess

import pytest

from cosmonapse.cli import run
from support.processes import free_ports
from support.service_manager import ToldManager, address_in

APP = """
from cosmonapse import neuron

@neuron
def echo(input, context):
    return input
"""
# What MemoryDenyWriteExecute does, as far as a process can do it to itself (PR_SET_MDWE).
DENIED = """
import ctypes, os, sys
ctypes.CDLL(None).prctl(65, 1, 0, 0, 0)
os.execv(sys.argv[1], sys.argv[1:])
"""
ME = pwd.getpwuid(os.geteuid()).pw_name
ANALYZE = shutil.which("systemd-analyze")


@pytest.fixture
def cosmo(tmp_path, monkeypatch, capsys):
    """Run `cosmo service` in the folder of a program; return the exit code and the output."""
    (tmp_path / "app.py").write_text(APP)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "settings"))
    monkeypatch.delenv("SUDO_USER", raising=False)

    def cosmo_service(*arguments):
        code = run(["service", *map(str, arguments)])
        said = capsys.readouterr()
        return code, (said.out + said.err).rstrip("\n")

    return cosmo_service


def lines_of(text, name):
    return [line.partition("=")[2] for line in text.splitlines() if line.startswith(f"{name}=")]


def start_unit(children, text, manager, denied=False):
    """Start what a unit says, as systemd would: with its folder, its variables and a socket."""
    (command,), (folder,) = lines_of(text, "ExecStart"), lines_of(text, "WorkingDirectory")
    [variables] = lines_of(text, "Environment")
    env = dict(each.split("=", 1) for each in shlex.split(variables))
    program, *arguments = shlex.split(command)
    before = ("-c", DENIED, program) if denied else ()
    given = {**env, **manager.environment(30.0)}
    return children.start(*before, *arguments, program=program, cwd=folder, env=given)


@pytest.fixture
def manager(tmp_path):
    made = ToldManager(address_in(tmp_path))
    yield made
    made.close()


def test_the_units_of_a_synapse_and_a_worker_start_and_tell_that_they_are_ready(
    children, cosmo, manager
):
    port = free_ports()
    code, synapse = cosmo("install", "synapse", "--user", "--dry-run", "-q", "--port", port)
    assert code == 0
    url = f"cosmo://127.0.0.1:{port}"
    code, worker = cosmo("install", "worker", "app", "--dry-run", "--user", "--url", url)
    assert code == 0

    started = [start_unit(children, synapse, manager, denied=True)]
    assert manager.has("READY=1")
    started.append(start_unit(children, worker, manager))
    assert manager.has("READY=1", 2)

    for each in reversed(started):
        each.send(signal.SIGTERM)
        assert each.wait() == 0


def test_the_unit_of_a_gateway_starts_is_ready_with_its_synapse_and_keeps_its_token_out(
    children, cosmo, manager, tmp_path
):
    port, http = free_ports(), free_ports()
    (tmp_path / "token").write_text("open-sesame\n")
    (tmp_path / "token").chmod(0o600)
    given = ("--http", "--openai", "--port", http, "--token-file", "token")
    url = f"cosmo://127.0.0.1:{port}"
    code, text = cosmo("install", "serve", *given, "--url", url, "--user", "--dry-run")
    assert code == 0, text
    assert "Description=Cosmonapse gateway: http, openai at 127.0.0.1:" in text
    assert "open-sesame" not in text
    [command] = lines_of(text, "ExecStart")
    assert command.endswith(f"--token-file {tmp_path / 'token'}")

    gateway = start_unit(children, text, manager)
    gateway.line("  openai")
    assert not manager.lines("READY=1")
    children.synapse(port=port)

    assert manager.has("READY=1")
    assert manager.has("WATCHDOG=1")
    gateway.send(signal.SIGTERM)
    assert gateway.wait() == 0
    assert manager.has("STOPPING=1")


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed")
@pytest.mark.parametrize(
    ("arguments", "for_user"),
    [
        (("synapse", "--as", ME, "--port", 700, "--ipc", "run dir/s"), False),
        (("worker", "app:echo", "--as", ME, "--workers", 2), False),
        (("worker", "app", "--name", "my"), True),
        (("serve", "--http", "--mcp", "--as", ME, "--port", 80), False),
    ],
)
def test_systemd_finds_nothing_wrong_with_a_unit(cosmo, tmp_path, arguments, for_user):
    more = ("--user",) if for_user else ()
    code, text = cosmo("install", *arguments, *more, "--dry-run")
    assert code == 0, text
    path = tmp_path / "cosmo-it.service"
    path.write_text(text)

    scope = ["--user"] if for_user else []
    # Without the manager of the system, that of a user has no folder for its sockets.
    env = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
    ended = subprocess.run(
        [ANALYZE, *scope, "verify", path], capture_output=True, text=True, env=env, check=False
    )

    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_unit_is_written_shown_replaced_and_removed(cosmo, tmp_path):
    path = tmp_path / "settings/systemd/user/cosmo-worker-app.service"

    code, said = cosmo("install", "worker", "app", "--user")
    assert code == 0
    assert f"wrote  {path}" in said
    assert "systemctl --user enable --now cosmo-worker-app" in said
    assert path.stat().st_mode & 0o777 == 0o644
    assert "unchanged" in cosmo("install", "worker", "app", "--user")[1]
    code, said = cosmo("install", "worker", "app", "--user", "--workers", 2)
    assert (code, "--force replaces it" in said) == (1, True)
    assert cosmo("install", "worker", "app", "--user", "--workers", 2, "--force")[0] == 0
    assert cosmo("show", "--user", "cosmo-worker-app")[1] == path.read_text().rstrip("\n")
    (wants := path.parent / "default.target.wants").mkdir()
    (wants / path.name).symlink_to(path)
    assert "enabled" in cosmo("show", "--user")[1]
    assert "disable --now cosmo-worker-app' first" in cosmo("uninstall", path.stem, "--user")[1]
    assert cosmo("uninstall", path.stem, "--user", "--force")[0] == 0
    assert not path.exists()
    assert not list(wants.iterdir())


@pytest.mark.parametrize(
    ("arguments", "is_quiet"), [((), True), (("-q",), True), (("--no-quiet",), False)]
)
def test_the_unit_of_a_synapse_fills_no_journal_unless_asked_to(cosmo, arguments, is_quiet):
    code, text = cosmo("install", "synapse", "--user", "--dry-run", *arguments)

    [command] = lines_of(text, "ExecStart")
    words = set(shlex.split(command))
    assert code == 0
    assert bool(words & {"-q", "--quiet"}) is is_quiet


@pytest.mark.parametrize("kind", [("synapse",), ("worker", "app")])
def test_what_variables_say_of_metrics_and_logs_is_in_the_unit(cosmo, monkeypatch, kind):
    monkeypatch.setenv("COSMO_METRICS", "127.0.0.1:9464")
    monkeypatch.setenv("COSMO_LOG_FORMAT", "json")

    code, text = cosmo("install", *kind, "--user", "--dry-run")
    [command] = lines_of(text, "ExecStart")
    assert code == 0
    assert {"--metrics=127.0.0.1:9464", "--log-format=json"} <= set(shlex.split(command))

    _, text = cosmo("install", *kind, "--user", "--dry-run", "--log-format", "text")
    [command] = lines_of(text, "ExecStart")
    assert "--log-format=json" not in command


@pytest.mark.parametrize("kind", [("synapse",), ("worker", "app")])
def test_the_carrier_that_a_variable_names_is_in_the_unit(cosmo, monkeypatch, kind):
    monkeypatch.setenv("COSMO_CARRIER", "libzmq")
    _, text = cosmo("install", *kind, "--user", "--dry-run")
    assert "COSMO_CARRIER=libzmq" in lines_of(text, "Environment")

    monkeypatch.setenv("COSMO_CARRIER", "pigeon")
    code, text = cosmo("install", *kind, "--user", "--dry-run")
    assert code == 2
    assert "pigeon" in text


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("worker", "gone", "--user"), "there is no module 'gone'"),
        (("worker", "app:gone", "--user"), "app has no 'gone'"),
        (("worker", "app", "--user", "--nonsense"), "No such option"),
        (("worker", "app", "--user", "--as", "root"), "--as is for units of the system"),
        (("worker", "app", "--as", "nobody-of-that-name"), "there is no such user"),
        (("worker", "app", "--as", "daemon"), "is closed to daemon, whom the unit runs as"),
        (("worker", "app", "--user", "--name", "a/b"), "a unit has letters"),
        (("worker", "app", "--user", "--key", "gone.key"), "No such file"),
        (("synapse", "--user", "--keys", "gone"), "gone: No such file"),
        (("synapse", "--user", "--port", 0), "--port 0 takes another port"),
        (("serve", "--user"), "name what to serve: --http, --openai, --mcp or --a2a"),
        (("serve", "--user", "--http", "--port", 0), "--port 0 takes another port"),
        (("serve", "--user", "--mcp=stdio"), "--mcp=stdio is no service"),
        (("serve", "--user", "--http", "--allow-host", "*"), "give one whole name"),
        (("serve", "--user", "--http", "--host", "0.0.0.0"), "and needs a token"),
        (("serve", "--user", "--http", "--cors", "*"), "and needs a token"),
        (("serve", "--user", "--http", "--token-file", "app.py"), "chmod 600"),
        (("synapse", "--user", "--host", "0.0.0.0"), "can be reached from other machines"),
    ],
)
def test_what_cannot_work_is_refused_in_one_line(cosmo, arguments, why):
    code, said = cosmo("install", *arguments)

    assert code == 2
    assert why in said
    assert len(said.splitlines()) == 1


def test_a_token_of_the_environment_is_refused_and_kept_out_of_the_text(cosmo, monkeypatch):
    monkeypatch.setenv("COSMO_TOKEN", "open-sesame")

    code, said = cosmo("install", "serve", "--http", "--user", "--dry-run")

    assert (code, "a unit does not see COSMO_TOKEN" in said) == (2, True)
    assert "open-sesame" not in said


def test_a_missing_extra_of_a_gateway_is_told_before_a_unit_is_written(cosmo, monkeypatch):
    load = importlib.import_module

    def without_a2a(name, package=None):
        if name.endswith(".a2a_face"):
            raise ModuleNotFoundError("No module named 'a2a'", name="a2a")
        return load(name, package)

    monkeypatch.setattr(importlib, "import_module", without_a2a)

    code, said = cosmo("install", "serve", "--a2a", "--user")

    assert (code, "the extra [a2a] wants a2a-sdk" in said) == (1, True)
    assert cosmo("show", "--user") == (0, "no unit was written by 'cosmo service install'")


def test_a_secret_in_place_of_a_path_stays_out_of_every_text(cosmo):
    code, said = cosmo("install", "worker", "app", "--user", "--key", "csk_hidden1")

    assert code == 2
    assert "hidden1" not in said


def test_a_unit_that_others_wrote_is_left_alone(cosmo, tmp_path):
    path = tmp_path / "settings/systemd/user/mine.service"
    path.parent.mkdir(parents=True)
    path.write_text("[Unit]\n")

    code, said = cosmo("uninstall", "mine", "--user")

    assert (code, "was not written by" in said) == (1, True)
    assert path.exists()
