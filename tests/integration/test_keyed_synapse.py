"""`cosmo synapse start --keys` and `SynapseServer(keys=)`: who may join, what is read again."""

import asyncio
import json
import os
import signal
import tempfile
import time

import pytest

from cosmonapse import Dendrite, InvalidKey, SynapseServer, key_ring, synapse_from_url
from cosmonapse.cli import run
from cosmonapse.errors import DendriteProtocolError
from cosmonapse.key_ring import KeyRing, Member
from cosmonapse.keys import Key
from cosmonapse.rights import Rights
from cosmonapse.synapse.access import new_pair
from support.processes import TIMEOUT_S

NOBODY = 65534
# `cosmo` that looks at the folder of keys each hour: what it reads sooner, it was asked to read.
SELDOM = """
import sys
from cosmonapse.cli import run
from cosmonapse.synapse import key_watch
key_watch.LOOK_S = 3600.0
sys.exit(run(sys.argv[1:]))
"""


@pytest.fixture
def folder(tmp_path):
    """A folder in which Ada is allowed, and her key beside it."""
    key_ring.make_folder(made := str(tmp_path / "keys"), *(pair := new_pair()))
    own = new_pair()
    key_ring.write_member(made, Member("ada", (own[0],), None, Rights.of(["member"])))
    Key("ada", *own, (pair[0],)).write(tmp_path / "ada.key")
    return made


@pytest.fixture
def key(folder, tmp_path):
    return tmp_path / "ada.key"


def comes_to(code, arguments):
    """Run a command until it ends with a code."""
    end_s = time.monotonic() + TIMEOUT_S
    while run(arguments) != code:
        assert time.monotonic() < end_s, f"it does not come to {code}"


def test_the_banner_says_who_may_join(children, folder):
    child = children.cosmo("synapse", "start", "--keys", folder, "--port", 0)

    child.line("Synapse listening on")
    child.line(f"  who         1 name of the keys in {folder}")
    assert child.line("  connect  ").text.endswith(", key='ada.key')")
    child.line("  carrier     libzmq")
    child.send(signal.SIGINT)
    assert child.wait() == 130


def test_the_default_folder_needs_no_name(children, folder, tmp_path):
    (tmp_path / "config" / "cosmonapse").mkdir(parents=True)
    os.rename(folder, there := tmp_path / "config" / "cosmonapse" / "keys")
    env = {"XDG_CONFIG_HOME": str(tmp_path / "config")}

    child = children.start(
        "-m", "cosmonapse.cli", "synapse", "start", "--keys", "--port", 0, env=env
    )

    child.line(f"  who         1 name of the keys in {there}")


def test_a_synapse_that_strangers_reach_says_so(children):
    child = children.cosmo("synapse", "start", "--host", "0.0.0.0", "--insecure", "--port", 0)

    assert "INSECURE: whoever reaches this port" in child.line("  who  ").text


@pytest.mark.parametrize("fault", ["missing", "empty", "half written", "no names", "open", "link"])
def test_a_folder_that_is_not_whole_starts_nothing(folder, fault, tmp_path, capsys):
    os.chmod(folder, 0o777 if fault == "open" else 0o700)
    match fault:
        case "missing":
            folder = str(tmp_path / "none")
        case "empty":
            (tmp_path / "empty").mkdir(0o700)
            folder = str(tmp_path / "empty")
        case "half written":
            with open(os.path.join(folder, "synapse.key"), "r+") as file:
                file.truncate(100)
        case "no names":
            os.unlink(os.path.join(folder, "allowed", "ada.toml"))
            os.rmdir(os.path.join(folder, "allowed"))
        case "link":
            os.rename(os.path.join(folder, "synapse.key"), tmp_path / "elsewhere")
            os.symlink(tmp_path / "elsewhere", os.path.join(folder, "synapse.key"))

    code = run(["synapse", "start", "--keys", folder, "--port", "0"])

    said = capsys.readouterr()
    assert (code, said.out) == (2, "")
    assert said.err.startswith(f"cosmo: cannot use {folder}")
    assert said.err.count("\n") == 1
    with pytest.raises(InvalidKey):
        SynapseServer(port=0, keys=folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
@pytest.mark.parametrize("path", ["", "synapse.key", "allowed", "allowed/ada.toml"])
def test_a_folder_of_another_user_starts_nothing(folder, path, capsys):
    os.chown(os.path.join(folder, path), NOBODY, NOBODY)

    code = run(["synapse", "start", "--keys", folder, "--port", "0"])

    said = capsys.readouterr()
    assert (code, said.out) == (2, "")
    assert f"of another user (uid {NOBODY})" in said.err


def as_nobody(arguments):
    """Run `cosmo` as another user, in a child; return its exit code."""
    run(["synapse", "start", "--keys", "/nowhere"])  # import it while we may read it
    child = os.fork()
    if not child:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
        os._exit(run(arguments))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run a program as another user")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")  # threads and fork
def test_another_user_cannot_use_the_folder_of_this_one(capfd):
    with tempfile.TemporaryDirectory() as shared:
        os.chmod(shared, 0o755)
        folder = os.path.join(shared, "keys")
        key_ring.make_folder(folder, *new_pair())
        for path, mode in (("", 0o755), ("allowed", 0o755), ("synapse.key", 0o644)):
            os.chmod(os.path.join(folder, path), mode)

        code = as_nobody(["synapse", "start", "--keys", folder, "--port", "0"])

    said = capfd.readouterr()
    assert (code, said.out) == (2, "")
    assert "synapse.key: it is of another user (uid 0)" in said.err


def test_a_name_that_is_revoked_or_allowed_is_so_within_moments(folder, key, tmp_path):
    with SynapseServer(port=0, keys=folder) as server:
        ask = ["registry", "--url", server.url, "--key", str(key)]
        assert run(ask) == 0

        key_ring.remove_member(folder, "ada")
        comes_to(5, ask)

        own = Key.read(key)
        key_ring.write_member(folder, Member("ada", (own.public,), None, Rights.of(["watch"])))
        server.reload_keys()
        comes_to(0, ask)


def test_a_synapse_with_a_new_key_of_its_own_is_joined_by_those_who_know_both(
    folder, key, tmp_path, capsys
):
    own, new = Key.read(key), new_pair()
    key_ring.make_folder(str(tmp_path / "new"), *new)
    both = tmp_path / "both.key"
    Key("ada", own.public, own.secret, (*own.synapse, new[0])).write(both)

    def join():
        with SynapseServer(port=0, keys=folder) as server:
            where = ["registry", "--url", server.url, "--key"]
            return [run([*where, str(each)]) for each in (both, key)]

    assert join() == [0, 0]
    os.replace(tmp_path / "new" / "synapse.key", os.path.join(folder, "synapse.key"))
    assert join() == [0, 5]
    assert "public key" in capsys.readouterr().err


def test_sighup_reads_the_folder_at_once_and_ends_nothing(children, folder, key):
    child = children.start(
        "-c", SELDOM, "synapse", "start", "--keys", folder, "--port", 0, "--quiet"
    )
    url = child.line("Synapse listening on").text
    with open(os.path.join(folder, "allowed", "ada.toml"), "a") as file:
        file.write("broken")

    child.send(signal.SIGHUP)

    assert child.says("not all keys could be read again")
    assert child.says("ada.toml")
    assert run(["registry", "--url", url, "--key", str(key)]) == 0
    child.send(signal.SIGTERM)
    assert child.wait() == 0


def test_a_server_without_keys_has_none_to_reload():
    with SynapseServer(port=0) as server, pytest.raises(DendriteProtocolError, match="no keys"):
        server.reload_keys()


@pytest.mark.parametrize("mode", [0o644, 0o660])
def test_a_key_that_others_may_read_is_not_used(key, mode, capsys):
    key.chmod(mode)

    code = run(["registry", "--url", "cosmo://127.0.0.1:1", "--key", str(key)])

    assert code == 2
    assert f"run: chmod 600 {key}" in capsys.readouterr().err


def test_a_key_in_a_folder_that_others_may_write_or_behind_a_link_is_not_used(key, capsys):
    link = key.with_name("link.key")
    link.symlink_to(key)
    assert run(["registry", "--url", "cosmo://127.0.0.1:1", "--key", str(link)]) == 2
    assert "it is a link" in capsys.readouterr().err

    key.parent.chmod(0o777)
    assert run(["registry", "--url", "cosmo://127.0.0.1:1", "--key", str(key)]) == 2
    assert f"run: chmod go-w {key.parent}" in capsys.readouterr().err


@pytest.mark.asyncio
async def test_the_list_shows_how_many_dendrites_of_each_name_are_connected(folder, key, capsys):
    own = new_pair()
    key_ring.write_member(folder, Member("ben", (own[0],), ("billing",), Rights.of(["watch"])))
    for name, spaces in (("cas", ("billing",)), ("dora", None)):
        member = Member(name, (new_pair()[0],), spaces, Rights.of(["serve"]))
        key_ring.write_member(folder, member)
    with SynapseServer(port=0, keys=folder) as server:
        where = ["--dir", folder, "--url", server.url, "--key", str(key)]
        synapse = synapse_from_url(server.url, key=key)
        ben = Key("ben", *own, KeyRing.read(folder).publics)
        theirs = synapse_from_url(server.url, key=ben)
        async with (
            Dendrite(synapse=synapse),
            Dendrite(synapse=synapse),
            Dendrite(synapse=theirs, namespace="billing"),
        ):
            codes = [await asyncio.to_thread(run, ["keys", "list", *where])]
            table = capsys.readouterr().out.splitlines()
            codes.append(await asyncio.to_thread(run, ["keys", "list", "--json", *where]))

    rows = {each["name"]: each for each in map(json.loads, capsys.readouterr().out.splitlines())}
    assert codes == [0, 0]
    counts = {name: each["connected"] for name, each in rows.items()}
    assert counts == {"ada": 2, "ben": 1, "cas": 0, "dora": None}
    assert [each.split()[1] for each in table[2:6]] == ["2", "1", "0", "?"]
    assert table[6].startswith("connected: counted in default, billing; ")
