"""Each finding has the form that makes it worth reading and safe to run; none runs here."""

import os
import re
import subprocess

import pytest

from house import source

FOLDER = source.ROOT / "findings"
SCRIPTS = sorted(FOLDER.glob("*.sh"))
HEADS = ("Guess:", "Truth:", "Matters:", "Seen:")


def test_there_are_findings_and_the_list_names_each_of_them():
    listed = re.findall(r"^\| `([^`]+\.sh)` \|", (FOLDER / "README.md").read_text(), re.MULTILINE)

    assert SCRIPTS
    assert listed == [script.name for script in SCRIPTS]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_finding_tells_guess_truth_reason_and_what_was_seen(script):
    comment = script.read_text().partition("set -euo pipefail")[0]

    places = [comment.find(f"\n# {head}") for head in HEADS]
    assert places == sorted(places)
    assert min(places) > 0


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_a_finding_is_a_script_of_its_own_with_pinned_packages(script):
    text = script.read_text()
    installs = re.findall(r"(?:pip\" install|npm install)(.*)", text)

    assert os.access(script, os.X_OK)
    assert "mktemp -d" in text
    assert "trap 'rm -rf" in text
    assert all("==" in line or "@" in line for line in installs)
    assert not re.search(r"cosmonapse|zmq_transport", text)
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0
