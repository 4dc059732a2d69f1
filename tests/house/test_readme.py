"""What the README and the pages promise exists: targets, links, names."""

import ast
import importlib
import re
from pathlib import Path

import pytest

from house import source

README = source.ROOT / "README.md"
MAKEFILE = source.ROOT / "Makefile"
PAGES = [README, *sorted((source.ROOT / "docs").rglob("*.md"))]
CODE_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
ELSEWHERE = ("http://", "https://", "mailto:", "#")


def dead_links(text: str, folder: Path) -> list[str]:
    """Return the relative links in `text` that lead from `folder` to nothing."""
    targets = LINK.findall(CODE_BLOCK.sub("", text))
    local = [target for target in targets if not target.startswith(ELSEWHERE)]
    return [target for target in local if not (folder / target.split("#")[0]).exists()]


def make_targets(text: str) -> set[str]:
    return set(re.findall(r"^([a-z-]+):", text, flags=re.MULTILINE))


def python_blocks(text: str) -> list[str]:
    return [code for language, code in CODE_BLOCK.findall(text) if language == "python"]


def names_taken_from_us(code: str) -> set[str]:
    """Return what `code` imports from `cosmonapse` itself."""
    return {
        alias.name
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.ImportFrom) and node.module == "cosmonapse"
        for alias in node.names
    }


@pytest.mark.parametrize("command", ["make demo", "make test"])
def test_the_readme_names_the_two_commands_and_the_makefile_has_them(command):
    assert command in README.read_text()
    assert command.removeprefix("make ") in make_targets(MAKEFILE.read_text())


def test_every_make_command_of_the_readme_exists():
    named = set(re.findall(r"\bmake ([a-z-]+)`", README.read_text()))

    assert named <= make_targets(MAKEFILE.read_text())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(source.ROOT)))
def test_every_relative_link_leads_to_a_file(page):
    assert not dead_links(page.read_text(), page.parent)


def test_the_code_of_the_readme_imports_public_names_only():
    public = set(importlib.import_module("cosmonapse").__all__)
    blocks = python_blocks(README.read_text())

    used = set().union(*map(names_taken_from_us, blocks))

    assert {"Axon", "Dendrite", "connect_synapse"} <= used <= public


def test_a_dead_link_is_found_and_a_living_one_is_not(tmp_path):
    (tmp_path / "there.md").touch()
    text = "[a](there.md#part) [b](gone.md) [c](https://example.org) [d](#here)\n```\n[e](f)\n```\n"

    assert dead_links(text, tmp_path) == ["gone.md"]


def test_make_targets_are_read_as_written():
    assert make_targets("demo: x ## say\n\t@echo no: thing\nPYTHON ?= python3\n") == {"demo"}
