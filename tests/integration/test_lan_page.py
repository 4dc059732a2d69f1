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
from cosmonapse.keys import fingerprint
from house import pages
from support.person import Person
from support.processes import Children
from tools.soak.hosts import NEAR_ADDRESS, Hosts, why_not

PAGE = pages.DOCS / "lan.md"
BLOCKS = [each for each in pages.blocks(PAGE) if each.language == "console"]
(WORKER,) = (each.code for each in pages.blocks(PAGE) if each.language == "python")
UNITS = [each.code for each in pages.blocks(PAGE) if each.language == "ini"]
PRINTED = next(each.code for each in BLOCKS if "cosmo find" in each.code).splitlines()
PLACE = re.compile(r"# on (\w+)")
LISTENING = "Synapse listening on"


class Network:
    """The two machines of the page, and what runs on them."""

    def __init__(self, children, people):
        self._children = children
        self.people = people
        self.running = {}
        self.said = {}

    def type_all(self):
        """Type every command of the page, in its order."""
        for block in BLOCKS:
            where = PLACE.match(block.code)[1]
            for _, typed in pages.commands(block):
                self.said[where, typed] = self._type(where, typed)

    def start(self, where, command, until):
        """Start what goes on running; wait for a line of it."""
        program, *arguments = command
        person = self.people[where]
        started = self._children.start(
            *arguments, program=shutil.which(program), env=person.env, merge_stderr=True
        )
        started.line(until)
        return started

    def _type(self, where, typed):
        person = self.people[where]
        match typed.split():
            case ["scp", name, target]:
                other = self.people[target.removesuffix(":")]
                return shutil.copy(person.home / name, other.home / name)
            case ["cosmo", "synapse", *_]:
                self.running[typed] = self.start(where, person.cosmo(typed), LISTENING)
            case ["python", name]:
                (person.home / name).write_text(WORKER)
                command = person.command(str(person.home / name))
                self.running[typed] = self.start(where, command, "serving greet")
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
            children, {name: Person(tmp_path / name, on, {}) for name, on in there.items()}
        )


def test_the_page_works_as_it_is_printed(network):
    network.type_all()
    found = network.said["laptop", "cosmo find"].splitlines()
    answer = network.said["laptop", 'cosmo dispatch greet "laptop"']
    ring = KeyRing.read(network.people["studio"].home / ".config" / "cosmonapse" / "keys")

    assert found[0].split() == PRINTED[-2].split()
    assert len(found[1].split()) == len(PRINTED[-1].split())
    assert found[1].split()[:2] == [f"cosmo://{NEAR_ADDRESS}:7070", "yes"]
    assert fingerprint(ring.public) in found[1]
    assert "hello laptop" in answer
    assert "prints `hello laptop`" in PAGE.read_text()
    for started in network.running.values():
        started.send(signal.SIGINT)
        started.wait()


def test_the_services_of_the_page_start_and_find_each_other(network, tmp_path):
    studio, laptop = network.people["studio"], network.people["laptop"]
    keys = tmp_path / "etc" / "keys"
    synapse, worker = (unit_of(text) for text in UNITS)
    studio.run(studio.cosmo(f"cosmo keys new ada --dir {keys}"))
    shutil.copy(studio.home / "ada.key", laptop.home / "ada.key")
    (laptop.home / "worker.py").write_text(WORKER)

    _, *options = shlex.split(synapse["ExecStart"].replace("/etc/cosmo/keys", str(keys)))
    started = network.start("studio", studio.cosmo(shlex.join(["cosmo", *options])), LISTENING)
    folder = worker["WorkingDirectory"]
    environment = worker["Environment"].replace(folder, str(laptop.home))
    laptop.env |= dict(each.split("=", 1) for each in environment.split())
    _, program = shlex.split(worker["ExecStart"])
    served = network.start("laptop", laptop.command(str(laptop.home / program)), "serving greet")

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
