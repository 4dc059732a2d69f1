"""URL schemes: built in, or added by a distribution that is really installed."""

import asyncio
import importlib
import subprocess
import sys

import pytest

from cosmonapse import Axon, Dendrite, InvalidUrl, MemorySynapse, synapse_from_url
from cosmonapse.synapse import schemes

GOOD = """
from cosmonapse import MemorySynapse

made = {}


def synapse(url):
    return made.setdefault(url, MemorySynapse(url.partition("://")[2]))


number = 7
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Install a distribution with a module of its name and one entry point for each scheme."""
    schemes._installed.cache_clear()
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def make(name, text, **values):
        folder = tmp_path / name
        info = folder / f"{name}-1.2.dist-info"
        info.mkdir(parents=True)
        (folder / f"{name}.py").write_text(text)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
        lines = [f"{scheme} = {value}" for scheme, value in values.items()]
        (info / "entry_points.txt").write_text("\n".join([f"[{schemes.GROUP}]", *lines, ""]))
        monkeypatch.syspath_prepend(folder)
        importlib.invalidate_caches()

    yield make
    schemes._installed.cache_clear()
    for name in ("acme", "other", "broken"):
        sys.modules.pop(name, None)


async def echo(input, context):
    return {"echo": input}


async def one_call(synapse):
    host, caller = Dendrite(synapse=synapse), Dendrite(synapse=synapse)
    host.attach_axon(Axon(neuron_id="worker", neuron_fn=echo))
    async with host, caller:
        return await caller.ask(neuron="worker", input=1)


def test_a_third_scheme_connects_once_its_distribution_is_installed(install):
    with pytest.raises(InvalidUrl, match="'acme' is unknown"):
        synapse_from_url("acme://here")

    install("acme", GOOD, acme="acme:synapse")

    assert asyncio.run(one_call(synapse_from_url("acme://here"))) == {"echo": 1}
    assert synapse_from_url("ACME://here").url == "memory://here"


def test_an_unknown_scheme_is_refused_with_the_known_ones_and_the_way_to_add_one(install):
    install("acme", GOOD, acme="acme:synapse")

    with pytest.raises(InvalidUrl) as caught:
        synapse_from_url("redis://user:s3cret@here")

    assert "known are acme, cosmo, cosmo+ipc, memory, nats, tls" in caught.value.reason
    assert schemes.GROUP in caught.value.reason
    assert "cosmo://127.0.0.1:7070" in caught.value.reason
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "value", "says"),
    [
        ("import nowhere_at_all", "broken:synapse", "No module named 'nowhere_at_all'"),
        ("1 / 0", "broken:synapse", "ZeroDivisionError"),
        (GOOD, "broken:missing", "missing"),
        (GOOD, "broken:number", "is not callable"),
    ],
)
def test_a_broken_entry_point_is_one_error_that_names_its_distribution(install, text, value, says):
    install("broken", text, broken=value)

    with pytest.raises(InvalidUrl) as caught:
        synapse_from_url("broken://here")

    assert "broken 1.2" in caught.value.reason
    assert says in caught.value.reason
    assert "update that package or uninstall it" in caught.value.reason


def test_a_scheme_of_two_distributions_is_refused_with_both_names(install):
    install("acme", GOOD, acme="acme:synapse")
    install("other", GOOD, acme="other:synapse")

    with pytest.raises(InvalidUrl) as caught:
        synapse_from_url("acme://here")

    assert "acme 1.2" in caught.value.reason
    assert "other 1.2" in caught.value.reason


def test_a_built_in_scheme_cannot_be_replaced(install):
    install("acme", "1 / 0", memory="acme:synapse", cosmo="acme:synapse")

    assert isinstance(synapse_from_url("MEMORY://here"), MemorySynapse)
    assert synapse_from_url("Cosmo://here").url == "cosmo://here:7070"


def test_a_built_in_scheme_reads_no_entry_points():
    program = (
        "import importlib.metadata as metadata; metadata.entry_points = None\n"
        "from cosmonapse import synapse_from_url\n"
        "print(synapse_from_url('cosmo://here').url, synapse_from_url('memory://here').url)"
    )

    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert printed.stdout.split() == ["cosmo://here:7070", "memory://here"], printed.stderr


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "no scheme"),
        ("here:7070", "'here' is unknown"),
        ("cosmo:here", "no host"),
        ("cosmo+ipc:/run/x", "// is missing"),
        ("memory:x", "'memory' is unknown"),
        (7070, "int"),
    ],
)
def test_a_text_that_is_no_url_is_refused_as_one_of_cosmo(url, says):
    with pytest.raises(InvalidUrl, match=says):
        synapse_from_url(url)
