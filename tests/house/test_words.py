"""The words of the house: the transport knows no brand, and no file knows a machine."""

import re
from collections.abc import Iterator

import pytest

from house import source

BRANDS = ("neuron", "axon", "dendrite", "synapse", "signal", "pathway", "prism", "doppler")
# Not part of a longer word; `neuron_id` is two words.
BRAND = re.compile(rf"(?<![a-z])(?:{'|'.join(BRANDS)})s?(?![a-z])|cosmonapse", re.IGNORECASE)
# What the operating system sends is called a signal too.
OS_SIGNAL = re.compile(
    r"\bimport signal\b|\bfrom signal import\b|\bsignal\.\w+|\b(?:add|remove)_signal_handler\b"
    r"|\bOS signals?\b|\bsignal handlers?\b"
)
# One tree of loggers for whoever embeds both packages.
TREE = re.compile(r'^_TREE = "cosmonapse"', re.MULTILINE)
MACHINE_PATH = re.compile(r"(?<![\w.*~-])/(?:work|root|home|Users)/")
# The name on the package index belongs to another product; we install from the checkout.
FROM_INDEX = re.compile(r"\bpip3? install[^\n#]*[\s'\"]cosmonapse\b")


def texts() -> Iterator[tuple[str, str]]:
    """Yield name and text of every text file of the checkout."""
    for path in source.checkout_files():
        try:
            yield str(path), (source.ROOT / path).read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def lines_with(pattern: re.Pattern[str], name: str, text: str) -> list[str]:
    return [
        f"{name}:{number}: {line.strip()}"
        for number, line in enumerate(text.splitlines(), 1)
        if pattern.search(line)
    ]


def brand_lines(name: str, text: str) -> list[str]:
    return lines_with(BRAND, name, TREE.sub("", OS_SIGNAL.sub("", text)))


def test_the_transport_uses_no_brand_word():
    found = [
        line
        for name, text in texts()
        if name.startswith("zmq_transport/")
        for line in brand_lines(name, text)
    ]

    assert not found


def test_no_file_contains_a_path_of_some_machine():
    assert not [line for name, text in texts() for line in lines_with(MACHINE_PATH, name, text)]


def test_nothing_installs_the_product_of_the_same_name():
    assert not [line for name, text in texts() for line in lines_with(FROM_INDEX, name, text)]


@pytest.mark.parametrize(
    "text", ["the Neuron", "neuron_id = 1", "AXON", "class Signal:", "two dendrites", "xcosmonapse"]
)
def test_a_brand_word_is_found(text):
    assert brand_lines("f", text)


@pytest.mark.parametrize(
    "text",
    [
        "import signal",
        "loop.add_signal_handler(signal.SIGTERM, end)",
        "prismatic",
        "signalling",
        "an OS signal in a signal handler",
    ],
)
def test_another_word_is_left_alone(text):
    assert not brand_lines("f", text)


@pytest.mark.parametrize("folder", ["work", "root", "home", "Users"])
def test_a_path_of_some_machine_is_found(folder):
    assert lines_with(MACHINE_PATH, "f", f'open("/{folder}/x")')
    assert not lines_with(MACHINE_PATH, "f", f"../{folder}/x and a/{folder}/x")


def test_an_installation_from_an_index_is_found():
    command = "pip install"

    assert lines_with(FROM_INDEX, "f", f"$ {command} cosmonapse httpx")
    assert lines_with(FROM_INDEX, "f", f"{command} 'cosmonapse[llm]'")
    assert not lines_with(FROM_INDEX, "f", f"{command} '.[llm,flask]'  # cosmonapse")
    assert not lines_with(FROM_INDEX, "f", f"{command} -e ./cosmonapse")
