"""The walls of the JavaScript client that eslint does not hold: floors, no dependency, reasons."""

import json
import re

import pytest

from cosmonapse import __version__
from house import source

CLIENT = source.ROOT / "clients" / "javascript"
# The ground floor first; a room or a module imports from lower floors, and from its own room.
FLOORS = (
    ("error-codes",),
    ("errors",),
    ("runtime",),
    ("signals",),
    ("wire",),
    ("access", "defaults"),
    ("names", "options", "tracing"),
    ("configuration",),
    ("carriers",),
    ("client", "probe", "synapse-url"),
    ("synapse",),
    ("dendrite",),
    ("index", "edge"),
    ("express",),
)
FLOOR_OF = {name: floor for floor, names in enumerate(FLOORS) for name in names}
IMPORT = re.compile(r"^(?:import|export)\b[^'\n]*?from '([^']+)'|^\} from '([^']+)'", re.MULTILINE)
WITH_REASON = re.compile(r"eslint-disable[a-z-]* [a-z-]+(, [a-z-]+)* -- \S")


def sources():
    """Map the path of each module of the client, without its ending, to its text."""
    found = (CLIENT / "src").rglob("*.js")
    return {
        path.relative_to(CLIENT / "src").with_suffix(""): path.read_text() for path in sorted(found)
    }


def imported(path, text):
    """Return the modules of the client that one imports, and what else it imports."""
    names = [first or second for first, second in IMPORT.findall(text)]
    here = CLIENT / "src" / path.parent
    own = [(here / name).resolve().relative_to(CLIENT / "src") for name in names if name[0] == "."]
    return [each.with_suffix("") for each in own], [name for name in names if name[0] != "."]


def upward(path, text):
    """Return the imports of a module from its own floor or a higher one, but for its own room."""
    room = path.parts[0]
    return [
        f"{path} -> {each}"
        for each in imported(path, text)[0]
        if each.parts[0] != room and FLOOR_OF[each.parts[0]] >= FLOOR_OF[room]
    ]


def test_every_room_of_the_client_has_a_floor():
    assert {path.parts[0] for path in sources()} == set(FLOOR_OF)


def test_imports_of_the_client_point_down():
    assert not [each for path, text in sources().items() for each in upward(path, text)]


def test_the_client_imports_nothing_but_node_and_itself():
    foreign = {each for path, text in sources().items() for each in imported(path, text)[1]}

    assert len(foreign) > 5
    assert not {each for each in foreign if not each.startswith("node:")}


def test_an_import_that_points_up_or_outside_is_found():
    path = source.Path("wire/heads")
    text = "import { a } from '../client/client.js'\nimport {\n  b,\n} from 'left-pad'\n"

    assert upward(path, text) == ["wire/heads -> client/client"]
    assert imported(path, text)[1] == ["left-pad"]


def test_the_package_needs_no_other_and_its_tools_are_pinned():
    package = json.loads((CLIENT / "package.json").read_text())

    assert package["version"] == __version__
    assert "dependencies" not in package
    assert package["peerDependenciesMeta"] == {"zeromq": {"optional": True}}
    pinned = re.compile(r"(npm:[a-z]+@)?\d+\.\d+\.\d+")
    assert not [each for each in package["devDependencies"].values() if not pinned.fullmatch(each)]


@pytest.mark.parametrize("folder", ["src", "test", "subject"])
def test_every_exception_from_a_rule_says_why(folder):
    lines = [
        line
        for path in (CLIENT / folder).rglob("*.js")
        for line in path.read_text().splitlines()
        if "eslint-disable" in line
    ]

    assert not [line.strip() for line in lines if not WITH_REASON.search(line)]
