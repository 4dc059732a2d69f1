"""What is tested is this checkout, in this process and in every process that a test starts."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from house import source

WHERE = """
import importlib.util
for name in {names!r}:
    spec = importlib.util.find_spec(name)
    print(spec.origin if spec else "")
"""


@pytest.mark.parametrize("package", source.PACKAGES)
def test_this_process_imports_the_checkout(package):
    module = importlib.import_module(package)

    assert Path(module.__file__).parent == source.ROOT / package


def test_a_process_started_elsewhere_finds_the_checkout_or_nothing(tmp_path):
    command = [sys.executable, "-c", WHERE.format(names=source.PACKAGES)]

    printed = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)

    found = [Path(line).parent for line in printed.stdout.splitlines() if line]
    strangers = [path for path in found if path.parent != source.ROOT]
    assert not strangers, "an installed copy hides this checkout: run `make test`"
