"""The secret of a key is in its file and in memory: in no output, argument, variable or error."""

import asyncio
import base64
import logging
import os
import re
import signal
import subprocess
import sys
import traceback

import httpx
import pytest
from zmq.utils import z85

from cosmonapse import Axon, Dendrite, InvalidKey, SynapseServer, synapse_from_url
from cosmonapse.cli import run
from cosmonapse.key_ring import KeyRing
from cosmonapse.keys import Key, secret_text
from cosmonapse.synapse import access
from support.processes import ROOT, TIMEOUT_S

PIECE = 12  # characters of a spelling that are enough to count as shown


class Secrets:
    """The secrets of one test, in every spelling in which one could show."""

    def __init__(self):
        self._spellings = set()

    def add(self, secret):
        """Look out for a secret of 32 bytes."""
        text = secret_text(secret).removeprefix("csk_")
        spelled = [text, text.upper(), secret.hex(), secret.hex().upper()]
        spelled += [base64.b64encode(secret).decode(), base64.urlsafe_b64encode(secret).decode()]
        spelled += [z85.encode(secret).decode(), repr(secret)[2:-1], str(list(secret))[1:-1]]
        self._spellings |= {each.encode()[:PIECE] for each in spelled} | {secret[:PIECE]}

    def shown_in(self, output):
        """Return the spellings that an output has."""
        return [each for each in self._spellings if each in output]


@pytest.fixture(scope="module")
def secrets():
    return Secrets()


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A folder to work in, with a configuration of its own."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def cosmo(home):
    """Run `cosmo ...` to its end; return all that it printed, as bytes."""

    def type_(*arguments, code=0, **env):
        ended = subprocess.run(
            [sys.executable, "-m", "cosmonapse.cli", *map(str, arguments)],
            cwd=home,
            env={**os.environ, **environment(home), **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=TIMEOUT_S,
            check=False,
        )
        assert ended.returncode == code, ended.stdout
        return ended.stdout

    return type_


def environment(home):
    return {
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home / "config"),
        "PYTHONPATH": str(ROOT),
        "COSMO_KEY": "",
        "NO_PROXY": "127.0.0.1",
    }


@pytest.fixture(scope="module")
def made(cosmo, home, secrets):
    """Ada's key and the folder of a Synapse; return what making them printed."""
    said = [
        cosmo("keys", "new", "ada"),
        cosmo("keys", "new", "ben", "--own"),
        cosmo("keys", "list"),
        cosmo("keys", "list", "--json"),
        cosmo("keys", "show"),
        cosmo("keys", "show", "ada", "--json"),
        cosmo("keys", "show", "ada.key"),
        cosmo("keys", "show", "ben.key", "--json"),
    ]
    secrets.add(Key.read(home / "ada.key").secret)
    secrets.add(KeyRing.read(home / "config" / "cosmonapse" / "keys").secret)
    own = re.search(r"csk_\w+", (home / "ben.key").read_text())[0]
    secrets.add(base64.b32decode(own[4:].upper() + "=" * 6)[:32])
    return b"".join(said)


def test_the_spellings_are_found(made, home, secrets):
    content = (home / "ada.key").read_bytes()
    secret = Key.read(home / "ada.key").secret

    assert len(secrets.shown_in(content)) == 1
    assert secrets.shown_in(secret)
    assert secrets.shown_in(repr(secret).encode())
    assert secrets.shown_in(secret.hex().encode())


def test_no_verb_prints_one(made, secrets):
    assert b"cpk_" in made
    assert not secrets.shown_in(made)


def test_no_error_about_a_broken_file_shows_one(made, cosmo, home, secrets, capfdbinary):
    said = []
    content = (home / "ada.key").read_text()
    for number, broken in enumerate(
        (
            content.replace('secret = "', 'secret = "x'),
            content.replace('secret = "', "secret = "),
            content.replace("secret =", "secret ="[:-1]),
            content.replace("csk_", "cpk_"),
            content.replace("csk_", "csk_a"),
            content.replace('synapse = ["', 'synapse = ["csk_'),
            content + content,
        )
    ):
        (home / f"{number}.key").write_text(broken)
        (home / f"{number}.key").chmod(0o600)
        if number < 2:
            said.append(cosmo("registry", "--key", f"{number}.key", code=2, COSMO_TRACEBACK="1"))
        assert run(["registry", "--key", str(home / f"{number}.key")]) == 2
        with pytest.raises(InvalidKey) as caught:
            Key.read(home / f"{number}.key")
        said.append("".join(traceback.format_exception(caught.value)).encode())

    secret = re.search(r"csk_\w+", content)[0]
    said.append(cosmo("registry", code=2, COSMO_KEY=secret))  # not the path of a file
    assert run(["registry", "--key", secret]) == 2
    assert run(["keys", "show", secret]) == 2
    printed = capfdbinary.readouterr()
    assert printed.err.count(b"cannot use") == 9
    assert not secrets.shown_in(b"".join([*said, *printed]))


async def say(input, context):
    return {"response": input["prompt"]}


def outside_of(pid):
    """Return what any user may read of a process, and what its own may: arguments, variables."""
    found = []
    for name in ("cmdline", "environ", "comm", "status"):
        with open(f"/proc/{pid}/{name}", "rb") as file:
            found.append(file.read())
    return b"\n".join(found)


def test_a_synapse_and_its_visitors_show_none(made, children, cosmo, home, secrets):
    env, key = environment(home), home / "ada.key"
    synapse = children.start(
        *("-m", "cosmonapse.cli", "synapse", "start", "--keys", "--port", 0), env=env
    )
    url = synapse.line("Synapse listening on").text
    where = ("--url", url, "--key", key)
    doppler = children.start("-m", "cosmonapse.cli", "doppler", "--payload", *where, env=env)
    assert doppler.says("showing default at")
    prism = children.start(
        *("-m", "cosmonapse.cli", "prism", "--port", 0, "--no-browser", *where), env=env
    )
    page = re.search(r"http://\S+", prism.line("Prism shows default").text)[0].rstrip(".,")

    said = [
        cosmo("registry", "--all", "--json", *where),
        cosmo("check", "-v", "--json", *where),
        cosmo("dispatch", "nobody", "hello", *where, code=3),
        cosmo("registry", "--url", url, code=5),
        cosmo("registry", "--url", url, code=5, COSMO_TRACEBACK="1"),
        httpx.get(page).content,
        httpx.get(f"{page.rstrip('/')}/api/health").content,
        *map(outside_of, (synapse.pid, doppler.pid, prism.pid)),
    ]
    for each in (doppler, prism, synapse):
        each.send(signal.SIGINT)
        each.wait()
        said.append(each.said.encode())

    assert not secrets.shown_in(b"\n".join(said))


async def everything_about(url, path):
    """Return what a program can print of a Dendrite with a key."""
    dendrite = Dendrite(synapse=synapse_from_url(url, key=path))
    dendrite.attach_axon(Axon(neuron_id="say", neuron_fn=say))
    async with dendrite:
        reply = await dendrite.ask(neuron="say", input={"prompt": "hello"})
        records = await dendrite.registry_snapshot(), await dendrite.dendrites_snapshot()
        state = await dendrite.synapse_state()
        return repr((dendrite, dendrite.synapse, vars(dendrite), reply, records, state))


def test_neither_a_repr_nor_the_log_of_a_program_has_one(made, home, secrets, caplog):
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "cosmonapse")
    path = home / "ada.key"
    key = Key.read(path)
    folder = home / "config" / "cosmonapse" / "keys"
    with SynapseServer(port=0, keys=folder) as server:
        shown = asyncio.run(everything_about(server.url, path))
        shown += repr((server, vars(server), server.counts))
    ring = KeyRing.read(folder)
    shown += repr((key, ring, access.client_keys_of(key), access.proxy_keys_of(ring)))
    shown += "".join(each.getMessage() for each in caplog.records)

    assert not secrets.shown_in(shown.encode())
