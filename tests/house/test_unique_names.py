"""A name says where one is: no file name and no class name stands twice within a package.

Rooms whose files are one of a kind each (a verb, a framework, a vendor) are left out; `floors.py`
lists them.
"""

import ast
from collections import defaultdict

from house import source
from house.floors import ROOMS_OF_A_KIND

MODULES = {name: path for name, path in source.module_paths().items() if path.name != "__init__.py"}


def is_of_a_kind(module: str) -> bool:
    """Tell whether a module is in a room whose files are one of a kind."""
    return any(source.matches(module, f"{room}.*") for room in ROOMS_OF_A_KIND)


def repeated(named: list[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the names that stand for several places, with the places, of (name, place) pairs."""
    places = defaultdict(list)
    for name, place in named:
        places[name].append(place)
    return {name: where for name, where in places.items() if len(where) > 1}


def files_of(package: str) -> list[tuple[str, str]]:
    modules = [each for each in MODULES if each.startswith(f"{package}.")]
    return [(each.rsplit(".")[-1], each) for each in modules if not is_of_a_kind(each)]


def classes_of(package: str) -> list[tuple[str, str]]:
    return [
        (node.name, module)
        for module, path in MODULES.items()
        if module.startswith(f"{package}.") and not is_of_a_kind(module)
        for node in source.parse(path.read_text()).body
        if isinstance(node, ast.ClassDef)
    ]


def test_no_file_name_stands_twice_in_a_package():
    assert not {
        package: repeated(files_of(package))
        for package in source.PACKAGES
        if repeated(files_of(package))
    }


def test_no_class_name_stands_twice_in_a_package():
    assert not {
        package: repeated(classes_of(package))
        for package in source.PACKAGES
        if repeated(classes_of(package))
    }


def test_every_room_of_a_kind_exists():
    assert not [
        room for room in ROOMS_OF_A_KIND if not any(source.matches(m, f"{room}.*") for m in MODULES)
    ]


def test_a_name_that_stands_twice_is_found():
    assert repeated([("tasks", "a.tasks"), ("tasks", "b.tasks"), ("peers", "a.peers")]) == {
        "tasks": ["a.tasks", "b.tasks"]
    }
