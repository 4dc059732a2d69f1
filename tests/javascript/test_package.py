"""The package of the JavaScript client: what it holds, and that it runs where nothing else is."""

import json
import subprocess

import pytest

from support.node import CLIENT

PROGRAM = """
import { Dendrite, Axon, connectSynapse } from 'cosmonapse'
import { answer, stream, errors } from 'cosmonapse/express'
const all = [Dendrite, Axon, connectSynapse, answer, stream, errors]
console.log(all.map((each) => typeof each).join())
"""


@pytest.fixture(scope="module")
def npm(node):
    """Run npm in a folder, without an index; return what it prints."""

    def run(*arguments, cwd):
        command = [node.parent / "npm", *arguments, "--offline", "--no-audit", "--no-fund"]
        ran = subprocess.run(
            command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return ran.stdout

    return run


@pytest.fixture(scope="module")
def packed(npm, tmp_path_factory):
    """Pack it; return the file, and the paths in it."""
    folder = tmp_path_factory.mktemp("packed")
    said = npm("pack", "--json", "--pack-destination", folder, CLIENT, cwd=folder)
    (facts,) = json.loads(said)
    return folder / facts["filename"], {each["path"] for each in facts["files"]}


def test_it_holds_its_modules_and_its_types_and_nothing_else(packed):
    modules = {str(path.relative_to(CLIENT)) for path in (CLIENT / "src").rglob("*.js")}
    types = {"types/index.d.ts", "types/express.d.ts"}

    assert packed[1] == modules | types | {"package.json", "README.md", "LICENSE"}


def test_it_runs_installed_with_no_other_package(npm, node, packed, tmp_path):
    (tmp_path / "package.json").write_text('{"type": "module", "private": true}')
    npm("install", packed[0], cwd=tmp_path)
    (tmp_path / "program.js").write_text(PROGRAM)

    printed = subprocess.run(
        [node, "program.js"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )

    installed = {each.name for each in (tmp_path / "node_modules").iterdir()}
    assert installed - {".package-lock.json"} == {"cosmonapse"}
    assert printed.stdout.strip() == ",".join(["function"] * 6), printed.stderr
