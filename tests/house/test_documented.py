"""Everything public says what it is: to `help()`, and in the reference."""

import importlib
import inspect
import pydoc
import re
from types import FunctionType

import pytest

from cosmonapse import Axon, BlockingDendrite, Dendrite, Pathway, TaskContext
from house import source

PACKAGE = importlib.import_module("cosmonapse")
CLASSES = [value for name in PACKAGE.__all__ if isinstance(value := getattr(PACKAGE, name), type)]
REFERENCE = (source.ROOT / "docs" / "reference.md").read_text()
SLOT = type(Axon.version)
# For whoever feeds a Pathway, and for the reader of an edge, not for its readers.
FED = frozenset(
    {
        "answered",
        "cursor",
        "end",
        "lose",
        "next_of",
        "sleepers",
        "take",
        "take_thoughts",
        "unanswered",
    }
)


def behaviour(cls):
    """Return name and value of what a class of ours defines or inherits from one, but fields."""
    ours = [base for base in cls.__mro__ if base.__module__.split(".")[0] in source.PACKAGES]
    found = {name: value for base in reversed(ours) for name, value in vars(base).items()}
    return {
        name: value
        for name, value in sorted(found.items())
        if not name.startswith("_") and not isinstance(value, SLOT | str | int)
    }


def methods(cls):
    """Return the names of what can be called without a descriptor of ours in between."""
    kinds = FunctionType | staticmethod | classmethod
    return [name for name, value in behaviour(cls).items() if isinstance(value, kinds)]


def undocumented(cls):
    """Return the members without a docstring of their own."""
    return [name for name, value in behaviour(cls).items() if not _own_doc(value)]


def _own_doc(value):
    """Return what was written for this one; an object has its class's docstring by default."""
    inner = getattr(value, "__func__", value)
    inherited = getattr(type(inner), "__doc__", None)
    return inner.__doc__ if inner.__doc__ != inherited else None


def section(name, text=REFERENCE):
    """Return what the reference says under the heading of a name."""
    found = re.search(rf"^### `{name}`$(.*?)(?=^##)", text, flags=re.MULTILINE | re.DOTALL)
    return found[1] if found else ""


def unnamed(names, text):
    """Return those names that no code in a text names."""
    code = " ".join(re.findall(r"`([^`]+)`", text))
    return [name for name in names if not re.search(rf"\b{name}\b", code)]


def test_every_class_and_method_has_a_docstring():
    assert not [cls for cls in CLASSES if not vars(cls)["__doc__"]]
    assert not {cls: names for cls in CLASSES if (names := undocumented(cls))}


def test_every_method_has_a_signature_and_help_shows_it():
    helps = {cls: pydoc.plain(pydoc.render_doc(cls)) for cls in CLASSES}

    assert all(inspect.signature(getattr(cls, name)) for cls in CLASSES for name in methods(cls))
    assert not [
        f"{cls.__name__}.{name}"
        for cls, shown in helps.items()
        for name in behaviour(cls)
        if name not in shown
    ]


def test_every_function_has_a_docstring_and_a_signature():
    functions = [
        each for name in PACKAGE.__all__ if inspect.isroutine(each := getattr(PACKAGE, name))
    ]

    assert functions
    for each in functions:
        assert each.__doc__
        assert inspect.signature(each)


@pytest.mark.parametrize("cls", [Dendrite, BlockingDendrite])
def test_help_tells_what_each_decorator_calls_a_function_for(cls):
    shown = pydoc.plain(pydoc.render_doc(cls))

    assert "Call the function for every AGENT_OUTPUT" in shown
    assert "Call the function for every MEMORY_APPEND" in shown


@pytest.mark.parametrize("cls", [Dendrite, Pathway, TaskContext])
def test_the_reference_names_every_public_method(cls):
    names = set(behaviour(cls)) - FED

    assert not unnamed(sorted(names), section(cls.__name__))


@pytest.mark.parametrize("cls", [Axon, Dendrite, Pathway, TaskContext])
def test_the_reference_names_every_argument_and_attribute(cls):
    given = set() if cls in (Pathway, TaskContext) else set(inspect.signature(cls).parameters)
    told = re.findall(r"^ {4,8}(\w+): ", cls.__doc__ or "", flags=re.MULTILINE)

    assert given | set(told)
    assert not unnamed(sorted((given | set(told)) - FED), section(cls.__name__))


def test_a_missing_docstring_is_found():
    class Bad:
        def told(self):
            """Do something."""

        def untold(self):
            pass

        @property
        def secret(self):
            return 1

    Bad.__module__ = "cosmonapse.bad"

    assert undocumented(Bad) == ["secret", "untold"]


def test_a_name_counts_in_code_only_and_only_as_a_whole():
    text = "`await ask(...)` and dispatch, `dispatch_task` and `x.wait`"

    assert unnamed(["ask", "dispatch", "wait"], text) == ["dispatch"]
    assert section("Axon", "### `Axon`\nhere\n### `Other`\nthere\n## End\n") == "\nhere\n"
