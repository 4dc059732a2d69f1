"""Every block of code on a page is known to a test, and every command on a page can be typed.

What takes processes is in `tests/integration/test_page_blocks.py`.
"""

import argparse
import contextlib
import importlib.util
import io
import json
import re
import runpy
import sys
import tomllib
import types
from configparser import ConfigParser
from pathlib import Path
from unittest import mock

import click
import pytest

from cosmonapse.cli import cosmo
from house import pages, source

# Pages whose blocks of Python a test runs, and which.
PYTHON_RUN_BY = {
    "README.md": "tests/integration/test_readme_in_order.py",
    "docs/concepts.md": "tests/integration/test_page_blocks.py",
    "docs/edge.md": "tests/integration/test_page_blocks.py",
    "docs/gateways.md": "tests/integration/test_mcp_gateway.py",
    "docs/keys.md": "tests/integration/test_keys_page.py",
    "docs/lan.md": "tests/integration/test_lan_page.py",
    "docs/limits.md": "tests/integration/test_page_blocks.py",
    "docs/logs.md": "tests/integration/test_log_format.py",
    "docs/mcp-tools.md": "tests/integration/test_mcp_tools.py",
    "docs/memory.md": "tests/integration/test_memory.py",
    "docs/metrics.md": "tests/integration/test_metrics.py",
    "docs/production.md": "tests/integration/test_production_page.py",
    "docs/spec/08-port.md": "tests/conformance/test_outsider.py",
    "docs/testing.md": "tests/integration/testing/test_testing_page.py",
    "docs/tutorial.md": "tests/integration/test_tutorial_in_order.py",
    "docs/tracing.md": "tests/integration/test_tracing.py",
    "docs/tools.md": "tests/integration/test_tools_page.py",
    "docs/workers.md": "tests/integration/test_workers_page.py",
}
JAVASCRIPT_RUN_BY = {
    "docs/edge.md": "tests/javascript/test_express_examples.py",
    "docs/gateways.md": "tests/integration/test_openai_node.py",
    "docs/tracing.md": "tests/javascript/test_tracing.py",
}
# Programs of others, whose options are not ours to check.
PROGRAMS_OF_OTHERS = {
    *(
        ".",
        "apt-get",
        "chmod",
        "openssl",
        "cd",
        "curl",
        "export",
        "jq",
        "loginctl",
        "pkill",
        "pytest",
        "python3",
        "scp",
    ),
    "systemctl",
}
# A block without a language is a drawing or a grammar; for users there are none.
DRAWN_IN = ("docs/spec/", "docs/design/")
DRAWN = {"", "text"}
DATA = {
    "json": json.loads,
    "toml": tomllib.loads,
    "ini": lambda code: ConfigParser(strict=False, interpolation=None).read_string(code),
}
MAKEFILE = (source.ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z-]+):", MAKEFILE, flags=re.MULTILINE))
EXTRAS = ConfigParser()
EXTRAS.read(source.ROOT / "setup.cfg")
# A synopsis, which leaves something open, is compared with the options elsewhere.
SYNOPSIS = re.compile(r"[\[|]|\.\.\.|\b[A-Z]{2,}\b(?!=)")
PARSE_ARGS = argparse.ArgumentParser.parse_args
BLOCKS = [block for page in pages.every() for block in pages.blocks(page)]
SPANS = [(pages.name_of(page), span) for page in pages.every() for span in pages.code_spans(page)]


class Parsed(Exception):
    """A command line was read without a complaint."""


def parse_and_end(self, given=None, namespace=None):
    """Stand in for `ArgumentParser.parse_args`: parse, and end the program."""
    PARSE_ARGS(self, given, namespace)
    raise Parsed


def check_cosmo(arguments):
    """Read a command line of `cosmo` as it does itself; call no verb."""
    command, rest = cosmo, list(arguments)
    context = click.Context(cosmo)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        command = command.get_command(context, name := rest.pop(0))
        assert command is not None, f"no such verb: {name}"
    with contextlib.suppress(click.exceptions.Exit), contextlib.redirect_stdout(io.StringIO()):
        command.make_context("cosmo", rest)


def check_module(name, arguments):
    """Read a command line of `python -m name` as the module does; run nothing."""
    module = importlib.util.find_spec(name)
    assert module is not None
    package = (
        importlib.util.find_spec(f"{name}.__main__") if module.submodule_search_locations else None
    )
    text = Path((package or module).origin).read_text(encoding="utf-8")
    if "ArgumentParser" not in text:  # it has no options, and would begin its work at once
        assert not arguments
        return
    argv = mock.patch.object(sys, "argv", [name, *arguments])
    parser = mock.patch.object(argparse.ArgumentParser, "parse_args", parse_and_end)
    quiet = contextlib.redirect_stdout(io.StringIO())
    # Only the module that runs is taken out, and put back: any other one that went would come
    # again as a second copy, with classes that are not those of the first.
    own = {each: sys.modules.pop(each, None) for each in (name, f"{name}.__main__")}
    try:
        with argv, parser, quiet, contextlib.suppress(Parsed):
            runpy.run_module(name, run_name="__main__")
    except SystemExit as end:
        if end.code:
            raise
    finally:
        sys.modules.update({each: was for each, was in own.items() if was is not None})


def check_make(arguments):
    """Look for the targets, and read what ARGS hands on to a tool."""
    targets = [each for each in arguments if "=" not in each]
    assert not set(targets) - TARGETS
    for given in arguments:
        if given.startswith("ARGS="):
            check_module(f"tools.{targets[0]}", given.removeprefix("ARGS=").split())


def check_pip(arguments):
    """Look for the extras that an installation of this checkout names."""
    named = re.findall(r"(?<!\w)\.\[([\w,-]+)\]", " ".join(arguments))
    extras = {extra for each in named for extra in each.split(",")}

    assert extras <= set(EXTRAS["options.extras_require"])


def check(command):
    """Fail if a command could not be typed as it stands; run nothing."""
    match pages.arguments_of(command):
        case ["cosmo", *rest]:
            check_cosmo(rest)
        case ["python", "-m", "pytest", *_] | ["pytest", *_]:
            pass  # its own suite is what runs here
        case ["python", "-m", name, *rest]:
            check_module(name, rest)
        case ["python", program, *_]:
            assert "/" not in program or (source.ROOT / program).is_file()
        case ["make", *rest]:
            check_make(rest)
        case ["pip", *rest]:
            check_pip(rest)
        case [program, *_]:
            assert program in PROGRAMS_OF_OTHERS


def offenders(commands):
    """Return the commands that `check` complains of, with the place and the complaint."""
    found = []
    for place, command in commands:
        try:
            check(command)
        except (AssertionError, click.ClickException, SystemExit) as error:
            found.append(f"{place}: {command}: {error}")
    return found


def test_every_block_is_of_a_language_that_a_test_runs_or_parses():
    known = {"python", "javascript", "console", *DATA, *DRAWN}

    assert not [str(block) for block in BLOCKS if block.language not in known]


def test_a_block_that_is_no_code_is_a_drawing_of_the_design():
    drawn = [block for block in BLOCKS if block.language in DRAWN]

    assert not [str(block) for block in drawn if not block.page.startswith(DRAWN_IN)]


@pytest.mark.parametrize(
    ("language", "tests"), [("python", PYTHON_RUN_BY), ("javascript", JAVASCRIPT_RUN_BY)]
)
def test_every_block_of_a_program_has_a_test_that_runs_it(language, tests):
    found = {block.page for block in BLOCKS if block.language == language}

    assert found == set(tests)
    for test in tests.values():
        assert (source.ROOT / test).is_file()


def test_every_block_of_data_can_be_read():
    for block in BLOCKS:
        if block.language in DATA:
            DATA[block.language](block.code)


def test_every_command_of_a_console_can_be_typed():
    console = [block for block in BLOCKS if block.language == "console"]
    commands = [(str(each), text) for each in console for _, text in pages.commands(each)]

    assert len(commands) > 25
    assert not offenders(commands)


def test_every_command_in_the_text_of_a_page_has_its_verb_and_options():
    first = ("cosmo ", "make ", "python -m tools")
    typed = [each for each in SPANS if each[1].startswith(first) and not SYNOPSIS.search(each[1])]

    assert len(typed) > 25
    missing = "Missing parameter"  # a text names a verb and leaves its arguments open
    assert not [each for each in offenders(typed) if missing not in each]


def options_of(command):
    """Return the long options of a verb and of its verbs below, without those of all verbs."""
    below = command.commands.values() if isinstance(command, click.Group) else []
    own = {each for option in command.params for each in (*option.opts, *option.secondary_opts)}
    own = {each for each in own if each.startswith("--")}
    return own.union(*map(options_of, below)) - {"--key", "--url", "--context", "--help"}


@pytest.mark.parametrize("verb", cosmo.list_commands(click.Context(cosmo)))
def test_the_reference_names_each_option_of_a_verb_and_no_other(verb):
    text = (pages.DOCS / "reference.md").read_text(encoding="utf-8")
    rows = re.findall(rf"^\| (`cosmo {verb}\b.*?) \|", text, flags=re.MULTILINE)
    rows += re.findall(rf"`cosmo {verb} \.\.\.`", text)
    named = set(re.findall(r"--[a-z0-9-]+", " ".join(rows))) - {"--prism"}
    meant = options_of(cosmo.get_command(click.Context(cosmo), verb)) - {"--prism"}

    if verb in ("doppler", "prism"):  # they have these options in common
        named |= {"--host", "--port", "--token", "--no-browser"}
    assert rows
    of_many = {"--creds", "--namespace", "--url"}
    assert named - of_many == meant - of_many


@pytest.mark.parametrize(
    "command",
    [
        "cosmo synapse start --nonsense",
        "cosmo nonsense",
        "make nonsense",
        "make bench ARGS=--nonsense",
        "python -m tools.memory --nonsense",
        "python examples/nonsense.py",
        "pip install '.[nonsense]'",
        "nonsense --help",
    ],
)
def test_a_command_that_cannot_be_typed_is_found(command, capsys):
    assert offenders([("p.md:1", command)])


def test_a_module_that_a_command_loads_stays_the_only_one_of_its_name():
    check("python -m tools.memory --dendrites 1")

    held = [
        (each.__name__, each)
        for name, module in list(sys.modules.items())
        if name.split(".")[0] in ("cosmonapse", "zmq_transport")
        for each in vars(module).values()
        if isinstance(each, types.ModuleType)
    ]
    assert len(held) > 10
    assert not [name for name, each in held if sys.modules.get(name) is not each]


def test_commands_are_read_as_written():
    code = "# terminal 2: a\n$ a --b \\\n  c\nsaid\n\n# terminal 3\n$ d 'e f' | g  # h\n"
    block = pages.Block("p.md", 1, "console", code)

    assert list(pages.commands(block)) == [(2, "a --b    c"), (3, "d 'e f' | g  # h")]
    assert pages.arguments_of("d 'e f' | g  # h") == ["d", "e f"]
