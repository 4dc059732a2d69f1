import inspect
import pkgutil
import re
from importlib import import_module
from pathlib import Path

import attrs
import pytest

import cosmonapse
import zmq_transport
from cosmonapse.synapse.limits import Limits, settings_of
from cosmonapse.worker_runner import supervisor
from zmq_transport import Settings

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "limits.md").read_text()
ROWS = [[cell.strip() for cell in line.split("|")[1:-1]] for line in PAGE.splitlines()]
ROWS = [row for row in ROWS if len(row) == 6 and row[0] not in ("what", "---")]
SHOWN = {
    "max_signal_bytes": "16 MiB",
    "max_connections": "20,000",
    "max_axons": "1,024",
    "max_facts_bytes": "1 MiB",
    "max_open_tasks": "500,000",
    "max_open_tasks_per_caller": "20,000",
    "max_open_bytes": "64 MiB",
    "max_ahead_bytes": "64 MiB",
    "max_subscriptions": "1,000,000",
    "max_subscriptions_per_host": "100,000",
    "max_subscriptions_per_connection": "2,000",
    "handshake_s": "3 s",
    "hello_s": "10 s",
    "unread_s": "60 s",
    "max_waiting_bytes": "64 MiB",
    "max_waiting_bytes_of_all": "512 MiB",
    "high_water": "10,000",
    "copy_bytes_per_s": "64 MiB",
}
UNITS = {"MiB": 1024 * 1024, "KiB": 1024, "min": 60, "s": 1}
ROOMS = (
    "cosmonapse.cli.shell_process",
    "cosmonapse.worker_runner.",
    "cosmonapse.lan.",
    "cosmonapse.doppler.",
    "cosmonapse.prism.",
    "cosmonapse.http_server.",
    "cosmonapse.recordings.",
    "cosmonapse.exposition.",
    "cosmonapse.telemetry.",
    "cosmonapse.tracing.",
    "cosmonapse.synapse.nats.",
    "cosmonapse.dendrite.",
    "cosmonapse.memory.",
    "cosmonapse.neurons.tool_",
    "cosmonapse.tool_definitions",
    "cosmonapse.memory_ops",
    "cosmonapse.stores.",
    "cosmonapse.serve.",
    "cosmonapse.mcp_tools.",
    "cosmonapse.synapse.nats.",
    "cosmonapse.cards",
    "cosmonapse.schemas.",
    "zmq_transport.",
)
MODULES = [
    found.name
    for room in ROOMS
    for package in (cosmonapse, zmq_transport)
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    if found.name.startswith(room)
]
CONSTANT = re.compile(r"`(\w+)\.([A-Z][A-Z_]+)`")
DEFAULTS = re.compile(r"`([A-Z]\w+)\(([a-z_, ]+)\)`")
NAMED = [row for row in ROWS if CONSTANT.search(row[1]) or DEFAULTS.search(row[1])]


def figures_in(cell):
    """Return every number of a cell, times its unit."""
    found = re.findall(r"(\d[\d,]*(?:\.\d+)?)(?: (MiB|KiB|min|s)\b)?", cell)
    return {float(number.replace(",", "")) * UNITS.get(unit, 1) for number, unit in found}


def classes_named(name):
    """Return the classes of that name in the modules of a Dendrite and of the transport."""
    modules = [import_module(each) for each in MODULES]
    return {vars(module)[name] for module in modules if name in vars(module)}


def constant_of(module, name):
    """Return a constant of a module; of several that have it, that of the last room is meant."""
    named = [import_module(each) for each in MODULES if each.endswith(f".{module}")]
    found = [getattr(each, name) for each in named if hasattr(each, name)]
    assert found, f"no module {module} has {name}"
    return found[-1]


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


@pytest.mark.parametrize("row", NAMED, ids=lambda row: row[0][:40])
def test_each_constant_stands_where_the_page_says_with_the_figure_of_the_page(row):
    figures = figures_in(row[1])
    values = [constant_of(*named) for named in CONSTANT.findall(row[1])]
    for name, arguments in DEFAULTS.findall(row[1]):
        (found,) = classes_named(name)
        parameters = inspect.signature(found).parameters
        values += [parameters[each].default for each in arguments.split(", ")]

    assert values
    assert set(values) <= figures


def test_each_constant_that_the_page_names_elsewhere_exists():
    for named in CONSTANT.findall(PAGE):
        constant_of(*named)


def test_the_constants_of_the_worker_runner_have_the_figures_of_the_page():
    section = PAGE.partition("## The worker runner")[2].partition("\n## ")[0]
    figures = {float(each) for each in re.findall(r"\d+(?:\.\d+)?", section)}

    values = {name: getattr(supervisor, name) for _, name in CONSTANT.findall(section)}
    assert len(values) == 5
    assert set(values.values()) <= figures


def test_a_figure_is_read_with_its_unit():
    assert figures_in("10 min, 200,000 (`A(b)`), 1 MiB or 64 keys") == {600, 200_000, 1_048_576, 64}
    assert figures_in("one in 0.05 s") == {0.05}


def test_each_test_that_the_page_names_exists():
    named = set(re.findall(r"`(test_\w+)`", PAGE))
    files = [path.read_text() for path in (ROOT / "tests").rglob("test_*.py")]
    there = {name for text in files for name in re.findall(r"def (test_\w+)\(", text)}

    assert named <= there
    assert len(named) >= 25
