"""The tools that measure keys and abuses run; what they find is their business."""

import subprocess
import sys

import pytest

from house import source
from tools import abuse, access


def run(tool, *arguments):
    ended = subprocess.run(
        [sys.executable, "-m", f"tools.{tool}", *arguments],
        cwd=source.ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.mark.parametrize("part", list(access.PARTS))
def test_each_part_of_the_tool_for_keys_prints_its_tables(part):
    said = run("access", part, "--quick")

    assert said.startswith(f"**{part}: ")
    assert "-" not in [cell.strip() for cell in said.replace("\n", "|").split("|")]


@pytest.mark.parametrize("name", ["ahead", "registrations"])
def test_an_abuse_is_a_row_with_the_memory_of_the_synapse(name):
    (row,) = run("abuse", name, "--mib", "3", "--quick").splitlines()[2:]

    cells = [cell.strip() for cell in row.strip("|").split("|")]
    before, most, _ = map(float, cells[1].split(" / "))
    assert cells[0] == name
    assert 0 < before <= most


@pytest.mark.parametrize("tool", [abuse, access])
def test_a_name_that_does_not_exist_is_told_with_those_that_do(tool, capsys):
    with pytest.raises(SystemExit):
        tool.main(["nonsense"])

    assert "no such" in capsys.readouterr().err
