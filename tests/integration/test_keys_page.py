"""The page about keys, as its readers follow it: two people, two homes, every command as printed.

All texts come out of docs/keys.md. The two live on one machine here, or on two hosts with a cable
between them: so the address is replaced, on one machine the port too, and `scp` is a copy into the
home of the other.
"""

import re
import shutil
import signal

import pytest

from cosmonapse.key_ring import KeyRing
from cosmonapse.keys import Key, public_text
from house import pages
from support.person import Person
from support.processes import Children, free_ports
from tools.soak.hosts import FAR_ADDRESS, NEAR_ADDRESS, Hosts, why_not

PAGE = pages.DOCS / "keys.md"
BLOCKS = [each for each in pages.blocks(PAGE) if each.language == "console"]
PYTHON = [each.code for each in pages.blocks(PAGE) if each.language == "python"]
# Who types each block, in the order of the page.
TYPED_BY = ("ada", "ben", "cas", *["ada"] * 7, "eve", "ada", "eve")
ADDRESS, PORT = "192.168.1.10", "7070"
SECOND_ADDRESS = "192.168.1.11"  # Eve runs the second Synapse there
KEYS = ".config/cosmonapse/keys"
LISTENING = "Synapse listening on"


class Studio:
    """The people of the page, and the Synapse that Ada runs."""

    def __init__(self, children, folder, there, replaced, options):
        self._children = children
        self._options = options
        self.people = {
            name: Person(folder / name, there[name != "ada"], replaced)
            for name in ("ada", "ben", "cas", "eve")
        }
        self.synapse = None
        self.said = {}

    def type_block(self, number):
        """Type the commands of a block of the page; return what they printed."""
        person = self.people[TYPED_BY[number]]
        for _, typed in pages.commands(BLOCKS[number]):
            match typed.split():
                case ["scp", name, _]:
                    shutil.copy(self.people["ada"].home / name, self.people["ben"].home / name)
                case ["cosmo", "synapse", *_]:
                    self._start(person, typed)
                case ["cosmo", "keys", "peer", name, _]:
                    other = self.people["ada" if name == "first" else "eve"]
                    public = public_text(KeyRing.read(other.home / KEYS).public)
                    self.said[typed] = person.type(typed.replace("cpk_...", public))
                case _:
                    self.said[typed] = person.type(typed)
        return self.said

    def stop(self):
        """End the Synapse with Ctrl-C."""
        self.synapse.send(signal.SIGINT)
        assert self.synapse.wait() == 130
        return self.synapse.said

    def _start(self, person, typed):
        program, *arguments = [*person.cosmo(typed), *self._options]
        self.synapse = self._children.start(
            *arguments, program=shutil.which(program), env=person.env, merge_stderr=True
        )
        self.synapse.line(LISTENING)


@pytest.fixture(params=["one machine", "two hosts"])
def studio(request, tmp_path):
    """The people on one machine, or Ada on another one than the rest."""
    if request.param == "one machine":
        port = str(free_ports())
        replaced = {ADDRESS: "127.0.0.1", PORT: port}
        with Children() as children:
            yield Studio(children, tmp_path, ([], []), replaced, ["--port", port])
        return
    lack = why_not()
    if lack is not None:
        pytest.skip(f"no two hosts here: {lack}")
    with Hosts() as hosts, Children() as children:
        there = [hosts.on(each) for each in (hosts.near, hosts.far)]
        yield Studio(
            children, tmp_path, there, {ADDRESS: NEAR_ADDRESS, SECOND_ADDRESS: FAR_ADDRESS}, []
        )


def test_two_people_need_four_commands_and_one_scp():
    typed = [text for block in BLOCKS[:2] for _, text in pages.commands(block)]

    assert [each.split()[0] for each in typed] == ["cosmo"] * 2 + [
        "scp",
        "cosmo",
        "export",
        "cosmo",
    ]
    assert typed[-1] == "cosmo registry"  # the use of it, not a part of the set-up


def test_the_page_works_as_it_is_printed(studio):
    people = studio.people
    studio.type_block(0)
    said = studio.type_block(1)
    assert "no Axon is in namespace default" in said["cosmo registry"]
    people["cas"].run(people["cas"].cosmo("cosmo registry --url cosmo://192.168.1.10:7070"), code=5)

    typed, sent = next((each, text) for each, text in studio.type_block(2).items() if "cas" in each)
    line = re.search(r"^  cosmo keys allow cas (cpk_\w+)$", sent, re.M)
    assert "--own" in typed
    (allow,) = [text for _, text in pages.commands(BLOCKS[3])]
    answer = people["ada"].type(allow.replace("cpk_...", line[1]))
    with (people["cas"].home / "cas.key").open("a") as file:
        file.write(re.search(r"^  (synapse = .*)$", answer, re.M)[1] + "\n")
    assert "no Axon" in people["cas"].let_in("cosmo registry --key cas.key -n billing")
    people["cas"].run(people["cas"].cosmo("cosmo registry --key cas.key"), code=5)

    studio.type_block(4)
    folder = people["ada"].home / ".config" / "cosmonapse" / "keys"
    assert KeyRing.read(folder).members["dora"].namespaces == ("billing",)
    studio.type_block(5)
    assert set(KeyRing.read(folder).members) == {"ada", "ben", "cas"}

    studio.type_block(6)
    ben, ben2 = (Key.read(people["ada"].home / name) for name in ("ben.key", "ben-2.key"))
    assert KeyRing.read(folder).members["ben"].publics == (ben.public, ben2.public)

    assert "csk_" not in studio.stop() + "".join(studio.said.values())

    studio.type_block(7)
    socket = people["ada"].home / "cosmo.sock"
    assert socket.stat().st_mode & 0o777 == 0o660
    assert "no Axon" in people["ada"].type(f"cosmo registry --url cosmo+ipc://{socket}")
    studio.stop()
    studio.type_block(8)
    assert "INSECURE" in studio.synapse.said
    studio.stop()


@pytest.mark.parametrize("studio", ["two hosts"], indirect=True)
def test_two_synapses_are_started_as_the_page_says(studio):
    ada, eve = studio.people["ada"], studio.people["eve"]
    ada.type("cosmo keys new ada --url cosmo://192.168.1.10:7070,192.168.1.11:7070")
    eve.type("cosmo keys new eve")
    for number in range(9, 11):
        studio.type_block(number)
    line = re.search(r"^  (synapse = .*)$", studio.said["cosmo keys peer second cpk_..."], re.M)[1]
    key = ada.home / "ada.key"
    key.write_text(re.sub(r"^synapse = .*$", line, key.read_text(), flags=re.M))
    shutil.copytree(ada.home / KEYS / "allowed", eve.home / KEYS / "allowed", dirs_exist_ok=True)

    studio.type_block(11)
    first = studio.synapse
    studio.type_block(12)
    assert "no Axon" in ada.type("cosmo registry --key ada.key")
    first.kill()

    assert "no Axon" in ada.type_while("cosmo registry --key ada.key", "no Synapse at")
    assert studio.stop()


def test_every_block_of_the_page_is_typed_by_somebody():
    assert len(TYPED_BY) == len(BLOCKS)


def test_the_program_of_the_page_joins_with_the_key(studio):
    studio.type_block(0)
    ben = studio.people["ben"]
    (ben.home / "program.py").write_text(PYTHON[0] + "\n\nimport asyncio\nasyncio.run(main())\n")

    assert ben.run(ben.command("program.py")) == "[]\n"


def test_the_synapse_of_the_page_listens_beyond_loopback_with_its_keys(tmp_path):
    home = tmp_path / "home"
    ada = Person(home, [], {})
    ada.type("cosmo keys new ada --dir keys")
    names = {}
    exec(compile(PYTHON[1], "block", "exec"), names)

    with names["server_of"](home / "keys") as server:
        url = server.url.replace("0.0.0.0", "127.0.0.1")
        assert "no Axon" in ada.type(f"cosmo registry --url {url} --key ada.key")
        ada.run(ada.cosmo(f"cosmo registry --url {url}"), code=5)
