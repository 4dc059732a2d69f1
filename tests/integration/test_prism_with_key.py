"""Prism at a Synapse with keys: the right to watch is all that it needs."""

import json

import attrs
import pytest

from cosmonapse.key_ring import KeyRing, Member, make_folder, write_member
from cosmonapse.keys import Key
from cosmonapse.rights import Rights
from cosmonapse.synapse.access import new_pair
from support.prism import Tab, prism
from support.processes import WORKER, axon


def allow(folder, name, *may):
    """Make a key, allow it, and return the path of its file."""
    ring = str(folder / "keys")
    public, secret = new_pair()
    path = folder / f"{name}.key"
    Key(name, public, secret, KeyRing.read(ring).publics).write(path)
    write_member(ring, Member(name, (public,), None, Rights.of(may)))
    return path


@pytest.fixture
def keyed(children, tmp_path):
    """A Synapse with keys: its folder, its URL, and key files by the name of what they may."""
    folder = tmp_path / "own"
    folder.mkdir(0o700)
    make_folder(str(folder / "keys"), *new_pair())
    files = {name: allow(folder, name, name) for name in ("watch", "serve", "dispatch")}
    _, url = children.synapse("--keys", str(folder / "keys"))
    return url, files


def test_prism_shows_everything_with_a_key_that_may_watch_and_nothing_else(
    children, keyed, namespace
):
    url, files = keyed
    child, address = prism(children, url, namespace, "--key", files["watch"])
    child.line("watching")
    spec = {"namespace": namespace, "axons": [axon()], "id": "host"}
    variables = {"COSMO_KEY": str(files["serve"])}
    children.start(WORKER, url, json.dumps(spec), env=variables).line("ready")
    asked = ("dispatch", "--url", url, "-n", namespace, "--neuron", "worker", "--input", "{}")

    with Tab(address) as tab:
        assert children.cosmo(*asked, "--key", files["dispatch"]).wait() == 0
        tab.until(lambda: "AGENT_OUTPUT" in tab.types())
        state = tab.newest("state", lambda state: state["dendrites"])

    assert state["synapse"]["connected"]
    (neuron,) = next(d for d in state["dendrites"] if d["dendrite_id"] == "host")["neurons"]
    assert neuron["neuron_id"] == "worker"


def test_a_key_that_may_not_watch_ends_prism_with_one_line(children, keyed, namespace):
    url, files = keyed
    prism_ = ("prism", "--url", url, "-n", namespace, "--port", "0", "--no-browser")

    child = children.cosmo(*prism_, "--key", files["serve"])

    assert child.wait() == 5
    assert "watch" in child.err[-1].text
    assert "Traceback" not in child.said


def test_a_key_that_loses_the_right_to_watch_is_shown_as_away(children, keyed, namespace):
    url, files = keyed
    child, address = prism(children, url, namespace, "--key", files["watch"])
    child.line("watching")
    ring = KeyRing.read(files["watch"].parent / "keys")

    with Tab(address) as tab:
        tab.newest("state", lambda state: state["synapse"]["connected"])
        write_member(ring.folder, attrs.evolve(ring.member("watch"), rights=Rights.of(["serve"])))
        deaf = tab.newest("state", lambda s: "listen" in (s["synapse"]["reason"] or ""))

    assert not deaf["synapse"]["connected"]
