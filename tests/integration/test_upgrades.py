"""This version and the one before it on one fabric: docs/versions.md, "A rolling upgrade".

Some pairs take long: `make test-upgrades` has all of them.
"""

import json
import os
import signal

import pytest

from support.before import NOW, Installed, before, skip_without_history
from support.mixed_peer import PIECES
from support.node import CLIENT, node_or_skip
from support.processes import WORKER, axon, free_ports
from support.rolling import Fleet, judged, roll

PEER = WORKER.with_name("mixed_peer.py")
JS_PEER = CLIENT / "subject" / "mixed-peer.js"
NAMESPACE = "mixed"
ALL = os.environ.get("COSMO_TEST_UPGRADES") == "all"
WAYS = ["zmtp"] + ["libzmq", "keys of before", "keys of now"] * ALL
TOOLS_OF = ["before", "now"] if ALL else ["before"]
ROLLS = ["up, standby"] + ["down, standby", "up, alone", "down, alone"] * ALL
TOOLS = [["check"], ["registry", "--json"], ["ps", "--json"], ["dispatch", "echo", "{}"]]
APP = """
from cosmonapse import neuron


@neuron
def shout(input, context):
    return {}
"""
skip_without_history()


def for_all(test):
    """Leave a test to `make test-upgrades`."""
    return test if ALL else None


@pytest.fixture(scope="module")
def versions():
    return before(), NOW


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


def expected(own, names, *, traced):
    """Return what a peer tells after it has asked all others for everything."""

    def of(other):
        others = [each for each in names if each != other]
        answers = [f"{own} knows", f"{others[-1]} knows"]
        return {
            "call": [other, True, []],
            "stream": [*PIECES, other],
            "cancel": other,
            "question": [[other, answer] for answer in answers],
            "chain": [other, *others],
            "error": ["NO_GOOD", f"{other} cannot", False],
        }

    shown = sorted(names) if traced else []
    return {"roster": sorted(names), "traced": shown, "of": {each: of(each) for each in names}}


def check_all(children, versions, urls, env=None):
    """Let peers of both versions ask each other for everything, at each of some Synapses."""
    peers = start_peers(children, versions, urls, env)
    names = list(peers)
    for child in peers.values():
        child.tell(" ".join(names))
    for name, child in peers.items():
        for number in range(len(urls)):
            traced = name.endswith("-now") and number == len(urls) - 1
            told = json.loads(child.line(f"told {number} ").text)
            assert told == expected(name, names, traced=traced)
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


@pytest.mark.parametrize("way", WAYS)
def test_both_versions_work_with_each_other_at_a_synapse_of_either(
    children, versions, tmp_path, way
):
    node_or_skip()
    ports, options, env = [free_ports(), free_ports()], [], {}
    if way.startswith("keys"):
        maker = versions[way.endswith("now")]
        options, env = make_keys(children, maker, tmp_path)
    elif way == "libzmq":
        env = {"COSMO_CARRIER": way}
    for version, port in zip(versions, ports, strict=True):
        version.synapse(children, port, *options, env=env)

    check_all(children, versions, [url_of(port) for port in ports], env)


def make_keys(children, version, folder):
    """Let a version make the keys; return the options of a Synapse, and what a client sets."""
    keys, path = str(folder / "keys"), str(folder / "ada.key")
    assert (
        version.cosmo(children, *("keys", "new", "ada", "--dir", keys, "--out", path)).wait() == 0
    )
    return ["--keys", keys], {"COSMO_KEY": path}


@pytest.mark.parametrize("tools_of", TOOLS_OF)
def test_the_tools_of_one_version_show_a_fabric_of_the_other(children, versions, tools_of):
    port = free_ports()
    here, there = versions if tools_of == "before" else reversed(versions)
    there.synapse(children, port)
    spec = {"namespace": NAMESPACE, "axons": [axon(does="echo", neuron_id="echo")]}
    there.start(children, WORKER, url_of(port), json.dumps(spec)).line("ready")

    where = ("--url", url_of(port), "-n", NAMESPACE)
    tools = [here.cosmo(children, *verb, *where) for verb in TOOLS]
    for verb, tool in zip(TOOLS, tools, strict=True):
        assert tool.wait() == 0, tool.said
        assert verb[0] == "ps" or "echo" in tool.said


@pytest.mark.parametrize("how", ROLLS)
def test_a_rolling_upgrade_under_load_loses_nothing(children, versions, tmp_path, how):
    node_or_skip()
    way, other = how.split(", ")
    fleet = Fleet(children, tmp_path, ["python", "js"], standby=other == "standby")
    first, second = versions if way == "up" else reversed(versions)
    answered, wrong = judged(roll(fleet, first, second))

    assert wrong == []
    assert answered > 200


@for_all
@pytest.mark.parametrize("way", ["up", "down"])
def test_an_installation_under_running_processes_does_them_no_harm(
    children, versions, tmp_path, way
):
    first, second = versions if way == "up" else reversed(versions)
    there, port = Installed(tmp_path / "venv", first), free_ports()
    (tmp_path / "app.py").write_text(APP)
    synapse = there.cosmo(children, "synapse", "start", "--port", port, cwd=tmp_path)
    synapse.line("Synapse listening on")
    options = ("app", "--url", url_of(port))
    runner = there.cosmo(children, "worker", *options, cwd=tmp_path, merge_stderr=True)
    runner.line("cosmo worker: serving shout")

    there.install(second)
    (process,) = set(runner.family()) - {runner.pid}
    os.kill(process, signal.SIGKILL)
    runner.line("cosmo worker: serving again")
    asked = there.cosmo(children, "dispatch", "shout", "{}", "--url", url_of(port), cwd=tmp_path)
    assert asked.wait() == 0, asked.said
    for each in (runner, synapse):
        each.send(signal.SIGTERM)
        assert each.wait() == 0, each.said
