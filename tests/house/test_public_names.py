"""What is public is in `__all__`, can be imported, and is in the reference. Nothing else is."""

import importlib
import re

from house import source

REFERENCE = source.ROOT / "docs" / "reference.md"


def documented_names(text: str) -> list[str]:
    """Return what the headings "### `Name`" name, in order."""
    return re.findall(r"^### `([^`]+)`\s*$", text, flags=re.MULTILINE)


def shelf_order(name: str) -> tuple[int, str]:
    """Sort constants before classes before the rest, as ruff's RUF022 does."""
    if len(name) > 1 and name.isupper():
        return 0, name
    return (1 if name[0].isupper() else 2), name


def public_names() -> list[str]:
    package = importlib.import_module("cosmonapse")
    return list(getattr(package, "__all__", ()))


def test_something_is_public():
    assert public_names(), "cosmonapse has no __all__"


def test_every_public_name_can_be_imported():
    package = importlib.import_module("cosmonapse")

    missing = [name for name in public_names() if not hasattr(package, name)]

    assert not missing


def test_public_names_are_sorted_and_listed_once():
    names = public_names()

    assert names == sorted(set(names), key=shelf_order)


def test_every_public_name_is_in_the_reference():
    undocumented = set(public_names()) - set(documented_names(REFERENCE.read_text()))

    assert not undocumented, "give them a heading ### `Name` in docs/reference.md"


def test_the_reference_names_nothing_that_is_not_public():
    unknown = set(documented_names(REFERENCE.read_text())) - set(public_names())

    assert not unknown, "docs/reference.md has a heading for something outside __all__"


def test_the_reference_names_nothing_twice():
    names = documented_names(REFERENCE.read_text())

    assert len(names) == len(set(names))


def test_headings_are_read_as_written():
    text = "### `Axon`\n\ntext with ### `Not`\n#### `deeper`\n### plain\n### `ask`  \n"

    assert documented_names(text) == ["Axon", "ask"]


def test_the_order_is_constants_classes_functions():
    shuffled = ["ask", "Axon", "DEFAULT_URL", "__version__", "Signal"]

    order = sorted(shuffled, key=shelf_order)

    assert order == ["DEFAULT_URL", "Axon", "Signal", "__version__", "ask"]
