"""Which value of a setting counts is decided in one place: nothing else reads its variable."""

import ast
from collections.abc import Iterator

import pytest

from cosmonapse.cli.local_checks import KNOWN_VARIABLES
from cosmonapse.configuration import PROCESS_VARIABLES, VARIABLES
from house import source

NAMES = frozenset({*VARIABLES.values(), *PROCESS_VARIABLES.values(), "COSMO_CONTEXT"})
NAMED_IN = "cosmonapse.runtime.environment"
READ_BY = {"cosmonapse.configuration"}
CLIENT = source.ROOT / "clients" / "javascript" / "src"
JAVASCRIPT = "configuration/configuration.js"


def names_written(text: str) -> Iterator[int]:
    """Yield the lines on which the name of such a variable stands as a value, not in a text."""
    for node in source.nodes_of(text):
        if isinstance(node, ast.Constant) and node.value in NAMES:
            yield node.lineno


def variables_read(text: str) -> Iterator[int]:
    """Yield the lines that read a variable of the environment by one of our constants."""
    for node in source.nodes_of(text):
        match node:
            case ast.Call(args=[ast.Name(id=name), *_], func=ast.Attribute(attr="get" | "getenv")):
                pass
            case ast.Subscript(slice=ast.Name(id=name), ctx=ast.Load()):
                pass
            case ast.Call(args=[ast.Name(id=name), *_], func=ast.Name(id="getenv" | "value_of")):
                pass
            case _:
                continue
        if name.endswith("_VARIABLE") and name != "TRACEBACK_VARIABLE":  # which is no setting
            yield node.lineno


def read_in_javascript(text: str) -> bool:
    """Tell whether a module of the client takes such a variable from the environment."""
    return "process.env" in text and any(each in text for each in NAMES)


MODULES = {
    **source.module_paths(),
    **{str(path.relative_to(source.ROOT)): path for path in (source.ROOT / "tools").rglob("*.py")},
}


def test_the_names_of_the_variables_stand_in_one_module():
    found = {name for name, path in MODULES.items() if [*names_written(path.read_text())]}

    assert found == {NAMED_IN}


def test_the_doctor_knows_each_of_them():
    assert NAMES <= KNOWN_VARIABLES


def test_nothing_else_reads_them():
    found = {name for name, path in MODULES.items() if [*variables_read(path.read_text())]}

    assert found == READ_BY


def test_the_javascript_client_reads_them_in_one_module():
    found = {
        path.relative_to(CLIENT).as_posix()
        for path in CLIENT.rglob("*.js")
        if read_in_javascript(path.read_text())
    }

    assert found == {JAVASCRIPT}


@pytest.mark.parametrize(
    "text",
    [
        "import os\nurl = os.environ.get(URL_VARIABLE)",
        "import os\nurl = os.environ[URL_VARIABLE]",
        "import os\nurl = os.getenv(URL_VARIABLE, 'x')",
        "url = value_of(URL_VARIABLE)",
    ],
)
def test_a_variable_that_is_read_is_found(text):
    assert [*variables_read(text)]
    assert not [*variables_read(text.replace("URL_VARIABLE", "name"))]


def test_a_name_as_a_value_is_found_and_one_in_a_text_is_not():
    assert [*names_written("import os\nos.environ['COSMO_URL'] = ''")] == [2]
    assert not [*names_written('"""Set COSMO_URL."""\nprint("or COSMO_URL")')]
    assert read_in_javascript("const url = process.env.COSMO_URL")
    assert not read_in_javascript(
        "// COSMO_URL\nconst env = process.env.HOME".replace("COSMO_", "")
    )
