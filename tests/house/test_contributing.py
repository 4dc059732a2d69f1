"""The pages for contributors are true: their paths exist, and what they ask for was done."""

import re

import pytest

from cosmonapse import __version__, neurons
from cosmonapse.cli import _VERBS
from cosmonapse.signals import Signal
from house import source
from zmq_transport.wire import heads

CONTRIBUTING = (source.ROOT / "CONTRIBUTING.md").read_text()
VERSIONS = (source.ROOT / "docs" / "versions.md").read_text()
REFERENCE = (source.ROOT / "docs" / "reference.md").read_text()
MAKEFILE = (source.ROOT / "Makefile").read_text()
TOP = "cosmonapse|zmq_transport|docs|tests|tools"
PATH = re.compile(rf"`((?:{TOP})(?:/[\w.-]+)+/?)`")
RECIPES = ["A Signal type", "A counter", "A provider", "A verb of `cosmo`", "A transport"]


def paths_in(text):
    """Return the paths of the checkout that the code in a text names."""
    return PATH.findall(text)


def gone(paths):
    return [path for path in paths if not (source.ROOT / path).exists()]


def recipe(heading):
    return CONTRIBUTING.partition(f"\n### {heading}\n")[2].partition("\n### ")[0]


def test_every_path_of_the_page_exists():
    assert not gone(paths_in(CONTRIBUTING))


@pytest.mark.parametrize("heading", RECIPES)
def test_every_recipe_names_its_files(heading):
    assert len(paths_in(recipe(heading))) >= 3


def test_every_make_command_of_the_page_exists():
    named = set(re.findall(r"`make ([a-z-]+)", CONTRIBUTING))

    assert len(named) >= 5
    assert not [each for each in named if not re.search(rf"^{each}:", MAKEFILE, re.MULTILINE)]


def test_every_provider_is_in_the_reference():
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| .* \|$", REFERENCE, flags=re.MULTILINE)
    named = {name for row in rows for name in re.findall(r"\w+", row)}

    assert not neurons._MODULE_OF_SOURCE.keys() - named
    assert not [n for n in neurons._MODULE_OF_SOURCE if f"`{n}`" not in neurons.Neuron.__doc__]


def test_every_verb_of_the_command_is_in_the_reference():
    section = REFERENCE.partition("\n## The command `cosmo`\n")[2].partition("\n## ")[0]

    assert not [verb for verb in _VERBS if f"`cosmo {verb}" not in section]


def test_the_page_of_versions_names_those_in_force():
    rows = dict(re.findall(r"^\| (\w+) \| [^|]+ \| `?\"?([\w.]+)", VERSIONS, flags=re.MULTILINE))

    assert rows["package"] == __version__
    assert rows["wire"] == str(heads.VERSION)
    assert rows["envelope"] == Signal(type="TASK").v


def test_a_path_that_is_gone_is_found():
    text = "`cosmonapse/nowhere.py` and `docs/spec/07-signals.md`, `a/b.py` and `tests/unit`"

    assert paths_in(text) == ["cosmonapse/nowhere.py", "docs/spec/07-signals.md", "tests/unit"]
    assert gone(paths_in(text)) == ["cosmonapse/nowhere.py"]
