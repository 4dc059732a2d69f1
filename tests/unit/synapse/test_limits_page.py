import re
from pathlib import Path

import attrs
import pytest

from cosmonapse.synapse.limits import Limits, settings_of
from zmq_transport import Settings

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "limits.md").read_text()
ROWS = [[cell.strip() for cell in line.split("|")[1:-1]] for line in PAGE.splitlines()]
ROWS = [row for row in ROWS if len(row) == 6 and row[0] not in ("what", "---")]
SHOWN = {
    "max_signal_bytes": "16 MiB",
    "max_connections": "60,000",
    "max_axons": "1,024",
    "max_subscriptions": "1,000,000",
    "max_subscriptions_per_host": "100,000",
    "handshake_s": "3 s",
    "high_water": "10,000",
    "copy_bytes_per_s": "64 MiB",
}
UNITS = {"MiB": 1024 * 1024, "s": 1}


def row_of(name):
    (row,) = [row for row in ROWS if f"`{name}=`" in row[2]]
    return row


@pytest.mark.parametrize("name", Limits.__annotations__)
def test_each_limit_that_can_be_set_is_on_the_page_with_its_default(name):
    number, *unit = SHOWN[name].split()
    value = int(number.replace(",", "")) * (UNITS[unit[0]] if unit else 1)

    assert row_of(name)[1].startswith(SHOWN[name])
    assert settings_of((), {name: value}) == Settings()


def test_the_page_names_no_setting_that_does_not_exist():
    named = set(re.findall(r"`Settings\.(\w+)`", PAGE))

    assert named <= {field.name for field in attrs.fields(Settings)}
    assert len(named) >= 7


def test_each_test_that_the_page_names_exists():
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    files = [path.read_text() for path in (ROOT / "tests").rglob("test_*.py")]
    there = {name for text in files for name in re.findall(r"def (test_\w+)\(", text)}

    assert named <= there
    assert len(named) >= 25
