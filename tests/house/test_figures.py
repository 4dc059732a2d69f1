"""The tool that prints the figures of the code."""

import os
import subprocess
import sys

from house import source
from tools import house

MANY_LINES = """
from tools import house
house.main = lambda: print("x" * 100_000)
raise SystemExit(house.run())
"""
MODULE = '''"""Say it.

At length.
"""
# why
import os  # not a line of its own


def first(pair, row):
    """Say it."""
    # why
    return pair[0] + pair[1] + row[2] + row[-3] + row[1:4]
'''


def test_a_module_is_counted():
    counts = house.counted(MODULE)

    assert counts == house.Counted(
        modules=(12,), functions=(2,), comments=2, docstrings=5, indexes=2
    )


def test_figures_of_several_modules_add_up():
    both = house.counted(MODULE) + house.counted("x = 1\n")

    assert (both.modules, both.functions, both.lines) == ((12, 1), (2,), 13)


def test_the_arrows_of_a_package_lie_between_its_own_rooms():
    imports = {
        "zmq_transport.errors": ["enum"],
        "zmq_transport.wire.heads": ["zmq_transport.errors", "zmq_transport.wire.topics"],
        "zmq_transport.wire.topics": ["zmq_transport.errors"],
        "cosmonapse.errors": [],
    }

    rooms = house.rooms_of("zmq_transport", imports)

    assert rooms == house.Rooms(
        rooms=frozenset({"zmq_transport.errors", "zmq_transport.wire.*"}),
        floors=2,
        arrows=frozenset({("zmq_transport.wire.*", "zmq_transport.errors")}),
    )


def test_it_prints_both_packages_with_their_floors(capsys):
    house.main()

    said = capsys.readouterr().out
    assert "| zmq_transport |" in said
    assert "| cosmonapse " in said
    assert "zmq_transport.sockets.* -> zmq_transport.access.*, zmq_transport.errors" in said


def test_it_ends_quietly_when_its_reader_is_gone():
    reader, writer = os.pipe()
    os.close(reader)

    command = [sys.executable, "-c", MANY_LINES]
    ended = subprocess.run(
        command, cwd=source.ROOT, stdout=writer, stderr=subprocess.PIPE, timeout=60, check=False
    )
    os.close(writer)

    assert (ended.returncode, ended.stderr) == (1, b"")
