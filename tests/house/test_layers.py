"""The house rule: a module imports from lower floors only. The floors stand in `floors.py`."""

import ast
import graphlib
from collections.abc import Iterable, Iterator

import pytest

from house import source
from house.floors import CLOCK, FLOORS, IMPURE_CALLS, IMPURE_IMPORTS, KERNELS, TRANSPORT_DOORS

MODULES = source.module_paths()
PURE = {name for name, path in MODULES.items() if source.says_pure(path.read_text())}


def place_of(module: str) -> tuple[int, str] | None:
    """Return the floor of `module` and the entry that puts it there."""
    for floor, entries in enumerate(FLOORS):
        for entry in entries:
            if source.matches(module, entry):
                return floor, entry
    return None


def read_imports(module: str) -> list[str]:
    path = MODULES[module]
    is_package = path.name == "__init__.py"
    return list(source.imports_of(path.read_text(), module, MODULES, is_package=is_package))


def imports_upwards(module: str, imported: Iterable[str]) -> Iterator[str]:
    """Yield a line for each import that breaks the order of the floors."""
    place = place_of(module)
    assert place, f"{module} has no floor: give it one in tests/house/floors.py"
    for name in imported:
        if name.split(".")[0] not in source.PACKAGES:
            continue
        target = place_of(name)
        if target is None:
            yield f"{module} imports {name}, which has no floor"
        elif target[0] >= place[0] and target[1] != place[1]:
            yield f"{module} (floor {place[0]}) imports {name} (floor {target[0]})"


def imports_past_the_door(module: str, imported: Iterable[str]) -> Iterator[str]:
    """Yield a line for each import between the packages that is not through a door."""
    is_door = any(source.matches(module, door) for door in TRANSPORT_DOORS)
    for name in imported:
        ours, theirs = module.split(".")[0], name.split(".")[0]
        if ours == "zmq_transport" and theirs == "cosmonapse":
            yield f"{module} imports {name}"
        if ours == "cosmonapse" and theirs == "zmq_transport" and not is_door:
            yield f"{module} imports {name} and is none of {TRANSPORT_DOORS}"


def touches_of_the_outside(module: str, imported: Iterable[str], text: str) -> Iterator[str]:
    """Yield a line for each thing in a pure module that is not pure."""
    for name in imported:
        above = {name.rsplit(".", dots)[0] for dots in range(name.count(".") + 1)}
        if above & IMPURE_IMPORTS:
            yield f"{module} is pure and imports {name}"
        is_ours = name.split(".")[0] in source.PACKAGES
        if is_ours and name not in PURE | KERNELS | {CLOCK}:
            yield f"{module} is pure and imports {name}, which is not"
    for node in source.nodes_of(text):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in IMPURE_CALLS:
                yield f"{module}:{node.lineno} is pure and calls {name}()"


def circle_in(graph: dict[str, set[str]]) -> list[str] | None:
    """Return the modules of one import circle, or None."""
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return error.args[1]
    return None


def test_every_module_has_a_floor():
    homeless = [module for module in MODULES if place_of(module) is None]

    assert not homeless, "give them a floor in tests/house/floors.py"


def test_every_entry_of_the_table_is_a_module():
    entries = [entry for floor in FLOORS for entry in floor]

    assert not [
        each for each in entries if not any(source.matches(module, each) for module in MODULES)
    ]


def test_no_module_stands_on_two_floors():
    entries = [entry for floor in FLOORS for entry in floor]

    places = {m: [entry for entry in entries if source.matches(m, entry)] for m in MODULES}

    assert not {module: found for module, found in places.items() if len(found) > 1}


def test_imports_point_down():
    upward = [line for each in MODULES for line in imports_upwards(each, read_imports(each))]

    assert not upward


def test_imports_run_in_no_circle():
    graph = {module: set(read_imports(module)) & MODULES.keys() - {module} for module in MODULES}

    assert circle_in(graph) is None


def test_the_transport_is_known_behind_its_doors_only():
    past = [line for each in MODULES for line in imports_past_the_door(each, read_imports(each))]

    assert not past


def test_modules_that_say_that_they_are_pure_touch_no_world():
    touches = [
        touch
        for module in sorted(PURE)
        for touch in touches_of_the_outside(
            module, read_imports(module), MODULES[module].read_text()
        )
    ]

    assert len(PURE) > 80
    assert not touches


@pytest.mark.parametrize(
    "text",
    [
        "import zmq_transport.client.client",
        "def f():\n    from zmq_transport.client.client import Client",
        "from ..client import client",
        "from ..client.client import Client",
        "from zmq_transport import something",
        "import importlib\nimportlib.import_module('zmq_transport.client', __package__)",
        "from ..nowhere import thing",
    ],
)
def test_an_import_that_points_up_is_found(text):
    module = "zmq_transport.proxy.engine"
    imported = list(source.imports_of(text, module, {"zmq_transport.client.client"}))

    assert len(list(imports_upwards(module, imported))) == 1


def test_an_import_on_the_same_floor_is_found_and_in_the_same_room_is_not():
    same_floor = imports_upwards("zmq_transport.proxy.liveness", ["zmq_transport.client.session"])
    same_room = imports_upwards("cosmonapse.cli.demo", ["cosmonapse.cli.answer"])

    assert len(list(same_floor)) == 1
    assert not list(same_room)


def test_a_package_resolves_its_own_dots_one_level_lower_than_a_module():
    known = {"cosmonapse.errors", "cosmonapse.synapse.errors"}
    text = "from . import errors"

    as_package = source.imports_of(text, "cosmonapse.synapse", known, is_package=True)
    as_module = source.imports_of(text, "cosmonapse.synapse", known)

    assert list(as_package) == ["cosmonapse.synapse.errors"]
    assert list(as_module) == ["cosmonapse.errors"]


@pytest.mark.parametrize(
    ("module", "imported"),
    [
        ("zmq_transport.wire.heads", "cosmonapse.errors"),
        ("cosmonapse.dendrite.worker.inbox", "zmq_transport.errors"),
        ("cosmonapse.cli", "zmq_transport"),
    ],
)
def test_an_import_past_the_door_is_found(module, imported):
    assert len(list(imports_past_the_door(module, [imported]))) == 1


def test_an_import_through_a_door_is_allowed():
    assert not list(
        imports_past_the_door("cosmonapse.synapse.server", ["zmq_transport.proxy.proxy"])
    )
    assert not list(imports_past_the_door("cosmonapse.synapse.zmq", ["zmq_transport"]))


@pytest.mark.parametrize(
    "text",
    [
        "import os.path",
        "def f():\n    import time",
        "from zmq.backend import Socket",
        "from urllib.request import urlopen",
        "from zmq_transport.client.client import Client",
        "print('here')",
    ],
)
def test_a_pure_module_that_touches_the_world_is_found(text):
    module = "zmq_transport.wire.heads"
    imported = list(source.imports_of(text, module, MODULES))

    assert len(list(touches_of_the_outside(module, imported, text))) == 1


def test_a_pure_module_may_use_the_door_to_clock_and_dice():
    assert not list(touches_of_the_outside("cosmonapse.ids", [CLOCK, "cosmonapse.errors"], ""))


def test_a_pure_module_may_call_the_kernels():
    assert not list(
        touches_of_the_outside("zmq_transport.wire.heads", ["zmq_transport.kernel"], "")
    )


def test_a_circle_is_found():
    assert circle_in({"a": {"b"}, "b": {"c"}, "c": {"a"}})
    assert circle_in({"a": {"b", "c"}, "b": {"c"}, "c": set()}) is None
