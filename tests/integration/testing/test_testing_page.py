"""What docs/testing.md shows runs as it stands there, and names everything there is."""

import re

import pytest

from cosmonapse.testing import Fabric
from house import source

pytest_plugins = ["pytester"]

STRICT = ("-Werror", "-o", "asyncio_default_fixture_loop_scope=function")
PAGE = (source.ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)


def test_every_block_of_the_page_is_a_test_file_that_passes(pytester):
    pytester.makepyfile(**{f"test_{number}": block for number, block in enumerate(BLOCKS)})

    result = pytester.runpytest_subprocess(*STRICT)

    assert len(BLOCKS) == 5
    result.assert_outcomes(passed=8)


FAULTS = ["crash", "cut_off", "reconnect", "restart_synapse", "lose", "delay", "refuse_tasks"]


@pytest.mark.parametrize("name", [*FAULTS, "heal"])
def test_every_fault_stands_on_the_page(name):
    assert callable(getattr(Fabric, name))
    assert f"fabric.{name}(" in PAGE


def test_the_page_is_in_the_index():
    index = (source.ROOT / "docs" / "index.md").read_text(encoding="utf-8")

    assert "(testing.md)" in index
