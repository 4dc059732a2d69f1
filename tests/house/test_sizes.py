"""The walls: how long a module, a function, a class, a verb and a test may grow."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from house import source

PURE_MODULE_LINES = 400
SHELL_MODULE_LINES = 500
FUNCTION_LINES = 60
TEST_LINES = 40
VERB_LINES = 80
PUBLIC_METHODS = 20

# The facade has a method per verb of the product; each hands on to a part, so each stays short.
FACADES = {"Dendrite"}
FACADE_BODY_LINES = 15

PYTHON_FILES = [path for path in source.checkout_files() if path.suffix == ".py"]
SHIPPED_FILES = [path for path in PYTHON_FILES if path.parts[0] in {*source.PACKAGES, "tools"}]


def read(path: Path) -> str:
    return (source.ROOT / path).read_text()


def long_functions(text: str, *, is_cli: bool = False) -> Iterator[str]:
    """Yield a line for each function over its wall; decorators count for a verb only."""
    code = source.code_lines(text)
    for function in source.functions_of(text):
        wall = TEST_LINES if function.name.startswith("test_") else FUNCTION_LINES
        first = function.lineno
        if is_cli and is_verb(function):
            wall = VERB_LINES
            first = min(decorator.lineno for decorator in function.decorator_list)
        size = len(code & set(range(first, function.end_lineno + 1)))
        if size > wall:
            yield f"line {function.lineno}: {function.name} has {size} code lines of {wall}"


def is_verb(function: source.Function) -> bool:
    """Tell whether `function` is a command of the CLI, its options being its decorators."""
    called = (node for node in function.decorator_list if isinstance(node, ast.Call))
    names = {source.called_name(call) for call in called}
    return bool(names & {"command", "group"})


def wide_classes(text: str) -> Iterator[str]:
    """Yield a line for each class with too many public methods."""
    code = source.code_lines(text)
    for node in source.nodes_of(text):
        if not isinstance(node, ast.ClassDef):
            continue
        own = [child for child in node.body if isinstance(child, source.Function)]
        names = {method.name for method in own if not method.name.startswith("_")}
        if node.name in FACADES:
            yield from long_facade_methods(node.name, own, code)
        elif len(names) > PUBLIC_METHODS:
            yield f"line {node.lineno}: {node.name} has {len(names)} public methods"


def long_facade_methods(name: str, methods: list[source.Function], code: set[int]) -> Iterator[str]:
    for method in methods:
        if method.name.startswith("__"):
            continue
        size = len(code & set(range(method.body[0].lineno, method.end_lineno + 1)))
        if size > FACADE_BODY_LINES:
            yield f"line {method.lineno}: {name}.{method.name} has a body of {size} code lines"


def module_wall(text: str) -> int:
    """Return the wall of a module: a pure one has the nearer one."""
    return PURE_MODULE_LINES if source.says_pure(text) else SHELL_MODULE_LINES


def is_in_the_cli(path: Path) -> bool:
    return path.parts[:2] == ("cosmonapse", "cli")


def test_no_module_is_longer_than_its_wall():
    texts = {path: (source.ROOT / path).read_text() for path in SHIPPED_FILES}
    lines = {path: len(text.splitlines()) for path, text in texts.items()}

    assert not {
        str(path): f"{lines[path]} lines of {module_wall(text)}"
        for path, text in texts.items()
        if lines[path] > module_wall(text)
    }


def test_no_function_is_longer_than_its_wall():
    found = {
        str(path): list(long_functions(read(path), is_cli=is_in_the_cli(path)))
        for path in PYTHON_FILES
    }

    assert not {path: functions for path, functions in found.items() if functions}


def test_no_class_has_too_many_public_methods():
    found = {str(path): list(wide_classes(read(path))) for path in SHIPPED_FILES}

    assert not {path: classes for path, classes in found.items() if classes}


def made_up_function(name: str, lines: int) -> str:
    """Return a function of `lines` code lines, with padding that must not count."""
    body = "\n    # why\n\n".join("    x = 1" for _ in range(lines - 1))
    return f'def {name}():\n    """Do it.\n\n    At length.\n    """\n{body}\n'


@pytest.mark.parametrize(("name", "wall"), [("f", FUNCTION_LINES), ("test_f", TEST_LINES)])
def test_a_function_over_its_wall_is_found_and_one_at_it_is_not(name, wall):
    assert len(list(long_functions(made_up_function(name, wall + 1)))) == 1
    assert not list(long_functions(made_up_function(name, wall)))


def test_a_verb_is_measured_with_its_options():
    options = "".join(f"@click.option('--o{n}')\n" for n in range(30))
    verb = "@click.command()\n" + options + made_up_function("verb", 50)

    assert len(list(long_functions(verb, is_cli=True))) == 1
    assert not list(long_functions(verb.replace(options, ""), is_cli=True))


def test_a_text_of_many_lines_counts_and_a_docstring_does_not():
    text = 'def f():\n    """Say it."""\n    return """a\n\nb"""\n'

    assert source.code_lines(text) == {1, 3, 4, 5}


def made_up_class(name: str, methods: int) -> str:
    return f"class {name}:\n" + "".join(f"    def m{n}(self): ...\n" for n in range(methods))


def test_a_class_over_its_wall_is_found_and_one_at_it_is_not():
    assert len(list(wide_classes(made_up_class("Wide", PUBLIC_METHODS + 1)))) == 1
    assert not list(wide_classes(made_up_class("Wide", PUBLIC_METHODS)))


def test_the_facade_may_be_wide_and_not_deep():
    deep = "    def deep(self):\n" + "        x = 1\n" * (FACADE_BODY_LINES + 1)

    assert not list(wide_classes(made_up_class("Dendrite", PUBLIC_METHODS + 1)))
    assert len(list(wide_classes(made_up_class("Dendrite", 2) + deep))) == 1


def test_a_pure_module_has_the_nearer_wall():
    assert module_wall('"""A table. Pure."""') == PURE_MODULE_LINES
    assert module_wall('"""A thread."""') == SHELL_MODULE_LINES
