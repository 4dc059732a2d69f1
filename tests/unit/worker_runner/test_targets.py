"""What `module:name` means, and what a mistake is told."""

import itertools

import pytest

from cosmonapse.worker_runner.targets import BadTarget, axons_of

APP = """
from cosmonapse import Axon, neuron

async def echo(input, context):
    return input

one = Axon(neuron_id="one", neuron_fn=echo)
again = one
both = [one, Axon(neuron_id="two", neuron_fn=echo)]
other_one = Axon(neuron_id="one", neuron_fn=echo)
mixed = (one, 7)
nothing = []
number = 7

@neuron
async def shout(input, context):
    return input

class Box:
    inside = shout
"""
_numbers = itertools.count()


@pytest.fixture
def module(tmp_path, monkeypatch):
    """Write a module and return its name."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)

    def written(text=APP):
        name = f"targets_app_{next(_numbers)}"
        (tmp_path / f"{name}.py").write_text(text)
        return name

    return written


def ids(*targets):
    return [axon.neuron_id for axon in axons_of(targets)]


def test_a_name_is_an_axon_or_a_decorated_function_or_a_list(module):
    name = module()

    assert ids(f"{name}:one") == ["one"]
    assert ids(f"{name}:shout") == ["shout"]
    assert ids(f"{name}:both") == ["one", "two"]
    assert ids(f"{name}:Box.inside") == ["shout"]
    assert ids(f"{name}:one", f"{name}:again", f"{name}:shout", f"{name}:shout") == ["one", "shout"]


def test_a_module_alone_means_all_that_it_has(module):
    name = module(APP.replace("other_one = Axon", "_ = len or Axon"))

    assert ids(name) == ["one", "shout"]
    assert ids(name, f"{name}:both") == ["one", "shout", "two"]


@pytest.mark.parametrize(
    ("target", "text"),
    [
        ("{}:on", "{} has no 'on': did you mean {}:one?"),
        ("{}:one.two", "{} has no 'one.two'"),
        ("{}:echo", "{}:echo is a function without @neuron: decorate it"),
        ("{}:number", "{}:number is of type int: name an Axon"),
        ("{}:mixed", r"{}:mixed\[1\] is of type int"),
        ("{}:nothing", "{}:nothing is empty: name"),
        ("{}", r"{}:one and {}:other_one are two Axons with the id 'one'"),
        ("{}:", "is not MODULE or MODULE:NAME"),
        (":one", "is not MODULE or MODULE:NAME"),
        ("{}.py", r"there is no module '{}.py': write {}, without .py"),
        ("./pkg/{}.py", r"write pkg.{}, without .py"),
        ("/srv/{}.py", r"there is no module '/srv/{}.py': start cosmo in /srv and write {}$"),
        ("/srv/{}", r"start cosmo in /srv and write {}$"),
        (".{}", "begins with a dot"),
    ],
)
def test_a_mistake_is_told_with_what_to_do(module, target, text):
    name = module()

    with pytest.raises(BadTarget, match=text.replace("{}", name)):
        axons_of([target.replace("{}", name)])


def test_a_path_is_told_as_a_module_of_the_folder_that_has_it(tmp_path, monkeypatch):
    (tmp_path / "deep").mkdir()
    monkeypatch.chdir(tmp_path / "deep")
    told = {}
    for path in ("../app", f"{tmp_path}/deep/pkg/app.py"):
        with pytest.raises(BadTarget) as error:
            axons_of([path])
        told[path] = str(error.value).partition(": ")[2]

    assert list(told.values()) == [
        f"start cosmo in {tmp_path} and write app",
        "write pkg.app, without .py and with dots for folders",
    ]


PROXIES = """
class Absent:
    def __getattr__(self, name):
        raise RuntimeError("nothing is there yet")

class Classless:
    @property
    def __class__(self):
        raise RuntimeError("nothing is there yet")

absent, classless = Absent(), Classless()
"""


def test_what_cannot_be_looked_at_yet_is_no_axon(module):
    name = module(PROXIES + APP.replace("other_one = Axon", "_ = len or Axon"))

    assert ids(name) == ["one", "shout"]
    with pytest.raises(BadTarget, match="of type Absent: name an Axon"):
        axons_of([f"{name}:absent"])


def test_a_module_that_is_not_there_is_told_with_the_folder_and_the_nearest(module, tmp_path):
    name = module()

    with pytest.raises(BadTarget, match=f"no module '{name}x' in .*: did you mean {name}") as told:
        axons_of([f"{name}x"])

    assert str(tmp_path) in str(told.value)
    assert told.value.module == f"{name}x"


def test_a_module_that_lacks_another_one_is_not_called_missing(module):
    name = module("import nowhere_to_be_found")

    with pytest.raises(ModuleNotFoundError, match="nowhere_to_be_found"):
        axons_of([name])


def test_a_module_without_an_axon_is_told_what_to_add(module):
    name = module("x = 1")

    with pytest.raises(BadTarget, match=f"{name} has no Axon and no function with @neuron"):
        axons_of([name])


def test_a_module_whose_axons_are_in_a_list_is_told_how_to_name_it(module):
    name = module(APP.split("one = Axon")[0] + "axons = [Axon(neuron_id='a', neuron_fn=echo)]\n")

    assert ids(f"{name}:axons") == ["a"]
    with pytest.raises(BadTarget, match=rf"or name its list as {name}:axons$"):
        axons_of([name])
