"""The page about a LAN, as its readers follow it: two hosts, every command as printed.

All texts come out of docs/lan.md. The two hosts are network namespaces with a cable between them,
and `scp` is a copy into the home of the other.
"""

import configparser
import re
import shlex
import shutil
import signal

import pytest

from cosmonapse.key_ring import KeyRing
from cosmonapse.keys import fingerprint, public_text
from house import pages
from support.person import Person
from support.processes import Children
from tools.soak.hosts import FAR_ADDRESS, NEAR_ADDRESS, Hosts, why_not

PAGE = pages.DOCS / "lan.md"
BLOCKS = [each for each in pages.blocks(PAGE) if each.language == "console"]
(GREETING,) = (each.code for each in pages.blocks(PAGE) if each.language == "python")
UNITS = [each.code for each in pages.blocks(PAGE) if each.language == "ini"]
PRINTED = next(each.code for each in BLOCKS if "cosmo find" in each.code).splitlines()
KEYS = ".config/cosmonapse/keys"
CALL = 'cosmo dispatch greet "laptop"'
PLACE = re.compile(r"# on (\w+)")
LISTENING = "Synapse listening on"
SERVING = "cosmo worker: serving greet"
REPLACED = {"192.168.1.10": NEAR_ADDRESS, "192.168.1.11": FAR_ADDRESS}
NOT_YET = ("NO_SUCH_NEURON", "no Synapse at")
"""What a call is told while the other Synapse takes over, and workers go there."""


class Network:
    """The two machines of the page, and what runs on them."""

    def __init__(self, children, people):
        self._children = children
        self.people = people
        self.running = {}
        self.said = {}
        for person in people.values():
            (person.home / "greeting.py").write_text(GREETING)

    def type_all(self, blocks):
        """Type every command of some blocks, in their order."""
        for block in blocks:
            where = PLACE.match(block.code)[1]
            for _, typed in pages.commands(block):
                self.said[where, typed] = self._type(where, typed)

    def type_synapse(self, where):
        """Type the command that starts a Synapse with a standby."""
        for block in BLOCKS:
            for _, typed in pages.commands(block):
                if "--peer" in typed and PLACE.match(block.code)[1] == where:
                    self._type(where, typed)

    def start(self, where, command, until):
        """Start what goes on running; wait for a line of it."""
        program, *arguments = command
        person = self.people[where]
        started = self._children.start(
            *("-C", person.home, program, *arguments),
            program=shutil.which("env"),
            env=person.env,
            merge_stderr=True,
        )
        started.line(until)
        return started

    def stop(self):
        """End what runs, as by Ctrl-C."""
        for started in self.running.values():
            started.send(signal.SIGINT)
            started.wait()
        self.running.clear()

    def public(self, where):
        """Return the public key of the Synapse of a machine."""
        return KeyRing.read(self.people[where].home / KEYS).public

    def _type(self, where, typed):
        person = self.people[where]
        match typed.split():
            case ["scp", *_, source, target]:
                name, _, path = target.partition(":")
                to = self.people[name].home / path
                if (person.home / source).is_dir():
                    return shutil.copytree(person.home / source, to / "allowed", dirs_exist_ok=True)
                return shutil.copy(person.home / source, to / source)
            case ["cosmo", "synapse", *_]:
                self.running["synapse", where] = self.start(where, person.cosmo(typed), LISTENING)
            case ["cosmo", "worker", *_]:
                self.running["worker", where] = self.start(where, person.cosmo(typed), SERVING)
            case ["cosmo", "keys", "peer", other, _]:
                return person.type(typed.replace("cpk_...", public_text(self.public(other))))
            case _:
                return person.type(typed)
        return ""


@pytest.fixture
def network(tmp_path):
    """Two hosts with a cable between them."""
    lack = why_not()
    if lack is not None:
        pytest.skip(f"no two hosts here: {lack}")
    with Hosts() as hosts, Children() as children:
        there = {"studio": hosts.on(hosts.near), "laptop": hosts.on(hosts.far)}
        yield Network(
            children, {name: Person(tmp_path / name, on, REPLACED) for name, on in there.items()}
        )


def test_the_page_works_as_it_is_printed(network):
    standby = next(at for at, each in enumerate(BLOCKS) if "keys peer" in each.code)
    start = next(at for at, each in enumerate(BLOCKS) if "--peer" in each.code)
    studio, laptop = network.people["studio"], network.people["laptop"]

    network.type_all(BLOCKS[:standby])
    found = network.said["laptop", "cosmo find"].splitlines()
    assert found[0].split() == PRINTED[-2].split()
    assert len(found[1].split()) == len(PRINTED[-1].split())
    assert found[1].split()[:2] == [f"cosmo://{NEAR_ADDRESS}:7070", "yes"]
    assert fingerprint(network.public("studio")) in found[1]
    assert "hello laptop" in network.said["laptop", CALL]
    assert "prints `hello laptop`" in PAGE.read_text()

    network.stop()
    network.type_all(BLOCKS[standby:start])
    said = network.said["studio", "cosmo keys peer laptop cpk_..."]
    line = re.search(r"^  (synapse = .*)$", said, re.M)[1]
    for key in (studio.home / "ada.key", laptop.home / "ben.key"):
        key.write_text(re.sub(r"^synapse = .*$", line, key.read_text(), flags=re.M))
    network.type_all(BLOCKS[start:])
    assert "hello laptop" in network.said["laptop", CALL]

    assert "role of the Synapse: leader" in network.said["laptop", "cosmo check"]
    network.running.pop(("synapse", "studio")).kill()
    assert "hello laptop" in laptop.type_while(CALL, *NOT_YET)
    network.type_synapse("studio")
    network.running.pop(("synapse", "laptop")).kill()  # one of the two that were killed led
    assert "hello laptop" in laptop.type_while(CALL, *NOT_YET)
    network.stop()


def test_the_services_of_the_page_start_and_find_each_other(network, tmp_path):
    studio, laptop = network.people["studio"], network.people["laptop"]
    keys = tmp_path / "etc" / "keys"
    synapse, worker = (unit_of(text) for text in UNITS)
    studio.run(studio.cosmo(f"cosmo keys new ada --dir {keys}"))
    shutil.copy(studio.home / "ada.key", laptop.home / "ada.key")

    _, *options = shlex.split(synapse["ExecStart"].replace("/etc/cosmo/keys", str(keys)))
    started = network.start("studio", studio.cosmo(shlex.join(["cosmo", *options])), LISTENING)
    folder = worker["WorkingDirectory"]
    environment = worker["Environment"].replace(folder, str(laptop.home))
    laptop.env |= dict(each.split("=", 1) for each in environment.split())
    _, *options = shlex.split(worker["ExecStart"])
    served = network.start("laptop", laptop.cosmo(shlex.join(["cosmo", *options])), SERVING)

    call = studio.cosmo('cosmo dispatch greet "studio" --key ada.key --url cosmo://auto')
    assert "hello studio" in studio.run(call)
    assert synapse["ExecReload"] == "/bin/kill -HUP $MAINPID"
    started.send(signal.SIGHUP)
    served.send(signal.SIGTERM)
    assert served.wait() == 0
    started.send(signal.SIGTERM)
    assert started.wait() == 0


def unit_of(text):
    """Return the section about the process of a unit of systemd."""
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str
    parser.read_string(text)
    return parser["Service"]
