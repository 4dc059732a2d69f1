"""This version and the one before it on one fabric: docs/versions.md, "A rolling upgrade".

Some pairs take long: `make test-upgrades` has all of them.
"""

import json
import os

import pytest

from support.before import NOW, before_or_skip
from support.mixed_peer import PIECES
from support.node import CLIENT, node_or_skip
from support.processes import WORKER, axon, free_ports
from support.rolling import Fleet, judged, roll

PEER = WORKER.with_name("mixed_peer.py")
JS_PEER = CLIENT / "subject" / "mixed-peer.js"
NAMESPACE = "mixed"
ALL = os.environ.get("COSMO_TEST_UPGRADES") == "all"
needs_all = pytest.mark.skipif(not ALL, reason="`make test-upgrades` runs all pairs of versions")
LANGUAGES = ["python", "js"]


@pytest.fixture(scope="module")
def versions():
    return before_or_skip(), NOW


def url_of(*ports):
    return "cosmo://" + ",".join(f"127.0.0.1:{port}" for port in ports)


def start_peers(children, versions, urls, env):
    """Start a peer of each version and language; return them by name once all are ready."""
    started = {}
    for version in versions:
        name = f"python-{version.name}"
        started[name] = version.start(children, PEER, name, NAMESPACE, *urls, env=env)
        name = f"js-{version.name}"
        command = (JS_PEER, version.client, name, NAMESPACE, *urls)
        program = node_or_skip()
        started[name] = children.start(*command, program=program, cwd=version.client, env=env)
    for child in started.values():
        child.line("ready")
    return started


def expected(own, names):
    """Return what a peer tells after it has asked all others for everything."""

    def of(other):
        others = [each for each in names if each != other]
        answers = [f"{own} knows", f"{others[-1]} knows"]
        return {
            "call": [other, True, True],
            "stream": [*PIECES, other],
            "cancel": other,
            "question": [[other, answer] for answer in answers],
            "chain": [other, *others],
            "error": ["NO_GOOD", f"{other} cannot", False],
        }

    return {"roster": sorted(names), "of": {other: of(other) for other in names}}


def check_all(children, versions, urls, env=None):
    """Let peers of both versions ask each other for everything, at each of some Synapses."""
    peers = start_peers(children, versions, urls, env)
    names = list(peers)
    for child in peers.values():
        child.tell(" ".join(names))
    for name, child in peers.items():
        for number in range(len(urls)):
            assert json.loads(child.line(f"told {number} ").text) == expected(name, names)
    for child in peers.values():
        child.hang_up()
    assert [child.wait() for child in peers.values()] == [0] * len(peers)


def test_the_two_versions_are_two(children, versions):
    script = "import cosmonapse, zmq_transport; print(cosmonapse.__file__, zmq_transport.__file__)"
    found = [each.start(children, "-c", script) for each in versions]

    for version, child in zip(versions, found, strict=True):
        child.wait()
        assert child.out[0].text.split() == [
            str(version.folder / package / "__init__.py")
            for package in ("cosmonapse", "zmq_transport")
        ]


@pytest.mark.parametrize(
    "carrier", ["zmtp", pytest.param("libzmq", marks=needs_all)], ids=lambda each: each
)
def test_both_versions_work_with_each_other_at_a_synapse_of_either(children, versions, carrier):
    node_or_skip()
    ports = [free_ports(), free_ports()]
    for version, port in zip(versions, ports, strict=True):
        version.synapse(children, port, env={"COSMO_CARRIER": carrier})

    check_all(children, versions, [url_of(port) for port in ports], {"COSMO_CARRIER": carrier})


@needs_all
def test_both_versions_work_with_each_other_with_keys(children, versions, tmp_path):
    node_or_skip()
    keys, ports = str(tmp_path / "keys"), [free_ports(), free_ports()]
    path = tmp_path / "ada.key"
    before, _ = versions
    made = before.cosmo(children, "keys", "new", "ada", "--dir", keys, "--out", path)
    assert made.wait() == 0
    for version, port in zip(versions, ports, strict=True):
        version.synapse(children, port, "--keys", keys)

    check_all(children, versions, [url_of(port) for port in ports], {"COSMO_KEY": str(path)})


@needs_all
@pytest.mark.parametrize("at", [0, 1], ids=["before", "now"])
def test_the_tools_of_either_version_show_a_fabric_of_the_other(children, versions, at):
    port = free_ports()
    versions[at].synapse(children, port)
    other = versions[1 - at]
    spec = {"namespace": NAMESPACE, "axons": [axon(does="echo", neuron_id="echo")]}
    worker = versions[at].start(children, WORKER, url_of(port), json.dumps(spec))
    worker.line("ready")

    for verb in (["check"], ["registry", "--json"], ["ps", "--json"], ["dispatch", "echo", "{}"]):
        where = ("--url", url_of(port), "-n", NAMESPACE)
        tool = other.cosmo(children, *verb, *where)
        assert tool.wait() == 0, tool.said
        assert verb == ["ps", "--json"] or "echo" in tool.said


@pytest.mark.parametrize(
    ("standby", "back"),
    [
        pytest.param(True, False, id="standby-up"),
        pytest.param(True, True, id="standby-down", marks=needs_all),
        pytest.param(False, False, id="alone-up", marks=needs_all),
        pytest.param(False, True, id="alone-down", marks=needs_all),
    ],
)
def test_a_rolling_upgrade_under_load_loses_nothing(children, versions, tmp_path, standby, back):
    node_or_skip()
    fleet = Fleet(children, tmp_path, LANGUAGES, standby=standby)
    first, second = reversed(versions) if back else versions
    answered, wrong = judged(roll(fleet, first, second))

    assert wrong == []
    assert answered > 200
