"""Found on a LAN: two hosts with a cable between them, and what is announced there."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cosmonapse.key_ring import KeyRing
from cosmonapse.keys import fingerprint
from support.processes import ROOT, Children
from tools.soak.hosts import FAR_ADDRESS, NEAR_ADDRESS, Hosts, why_not

SUPPORT = Path(__file__).parents[1] / "support"
PORT = 7070
OTHER_ADDRESS = "10.77.0.9"
SECOND = {"near": "10.78.0.1", "far": "10.78.0.2"}
NOBODY_THERE, USAGE, REFUSED = 3, 2, 5
TIMEOUT_S = 30.0
SILENT_ADDRESSES = [f"10.77.0.{number}" for number in range(101, 109)]  # no host has one
# Less than three quarters of a second for each of those. In it is half a second for all to answer.
PASSED_OVER_S = 4.0
FOUND_AGAIN_S = 5.0


class Lan:
    """Two hosts, and what runs on them."""

    def __init__(self, hosts, children, home):
        self.hosts, self._children, self.home = hosts, children, home
        self._shells = {}
        self.names = {"near": hosts.near, "far": hosts.far}
        self.env = {"HOME": str(home), "XDG_CONFIG_HOME": str(home), "PYTHONPATH": str(ROOT)}

    def start(self, where, *command):
        """Start a Python program on one of the hosts."""
        _, *there = self.hosts.on(self.names[where])
        return self._children.start(
            *there, sys.executable, *command, program=shutil.which("ip"), env=self.env
        )

    def synapse(self, where, *options):
        """Start a Synapse that is announced; return it, and the name under which it is."""
        started = self.start(
            where, "-m", "cosmonapse.cli", "synapse", "start", "--lan", "--quiet", *options
        )
        name = started.line("  announced   as ").text.partition(";")[0]
        return started, name

    def cosmo(self, where, *command, code=0):
        """Run a command on one of the hosts; return what it printed, stderr too."""
        ended, said = self._run(where, *command)
        assert ended == code, (command, said)
        return said

    def find(self, where, count=0):
        """Return what `cosmo find` prints as JSON, once there is so much of it."""
        until_s = time.monotonic() + TIMEOUT_S
        while True:
            _, said = self._run(where, "find", "--json", "--timeout", "0.6")
            found = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
            if len(found) >= count or time.monotonic() > until_s:
                return found

    def _run(self, where, *command):
        """Return exit code and output of a command."""
        if where not in self._shells:
            self._shells[where] = self.start(where, SUPPORT / "cosmo_shell.py")
        shell = self._shells[where]
        count = sum(line.text.startswith("answer ") for line in shell.out)
        shell.tell(json.dumps(command))
        return json.loads(shell.lines("answer ", count + 1)[-1])

    def ip(self, where, *arguments):
        """Change the network of one of the hosts."""
        subprocess.run(["ip", "-n", self.names[where], *arguments], check=True, timeout=10)

    def move(self, where):
        """Give a host another address."""
        for verb, address in (("add", f"{OTHER_ADDRESS}/16"), ("delete", f"{NEAR_ADDRESS}/24")):
            self.ip(where, "address", verb, address, "dev", "cable")

    def connect_again(self):
        """Join the two hosts by a second cable."""
        self.ip(
            *("near", "link", "add", "second", "type", "veth", "peer", "name", "second"),
            *("netns", self.names["far"]),
        )
        for where, address in SECOND.items():
            self.ip(where, "address", "add", f"{address}/24", "dev", "second")
            self.ip(where, "link", "set", "second", "up")

    def announce(self, where, *records):
        """Announce what is not there."""
        own = NEAR_ADDRESS if where == "near" else FAR_ADDRESS
        started = self.start(where, SUPPORT / "announcing.py", own, json.dumps(records))
        started.line("announced")
        return started


@pytest.fixture(scope="module")
def machine():
    """Go on only where there can be two hosts."""
    lack = why_not()
    if lack is not None:
        pytest.skip(f"no two hosts here: {lack}")


@pytest.fixture
def lan(machine, tmp_path):
    """Two hosts with a cable between them."""
    with Hosts() as hosts, Children() as children:
        yield Lan(hosts, children, tmp_path)


def record(instance, *addresses, port=PORT, **texts):
    return {"instance": instance, "addresses": addresses, "port": port, "texts": texts}


def test_a_synapse_is_found_by_another_host_and_withdrawn_when_it_stops(lan):
    synapse, name = lan.synapse("near", "--insecure", "-n", "default", "-n", "billing")

    (found,) = lan.find("far", 1)
    table = lan.cosmo("far", "find", "--timeout", "0.6").splitlines()

    assert found["url"] == f"cosmo://{NEAR_ADDRESS}:{PORT}"
    assert found["namespaces"] == ["billing", "default"]
    assert (found["answers"], found["name"], found["fingerprint"]) == (True, name, None)
    assert found["version"]
    assert found["wire"] == 1
    assert table[0].split() == ["URL", "ANSWERS", "NAMESPACES", "VERSION", "KEY", "NAME"]
    assert table[1].split()[:4] == [found["url"], "yes", "billing,", "default"]
    assert "no Axon" in lan.cosmo("far", "registry", "--url", "cosmo://auto")
    assert "no Axon" in lan.cosmo("near", "registry", "--url", "cosmo://AUTO/billing")

    synapse.send(signal.SIGINT)
    assert synapse.wait() == 130
    assert lan.find("far") == []
    (line,) = lan.cosmo("far", "find", "--timeout", "0.6", code=NOBODY_THERE).splitlines()
    assert "no Synapse is announced on this network" in line
    assert "UDP port 5353" in line
    assert "cosmo://HOST:7070" in line


def test_what_is_stale_is_shown_as_such_and_passed_over_in_a_second(lan):
    _, name = lan.synapse("near", "--insecure")
    killed = record("killed-7070-aaaa", NEAR_ADDRESS, port=7999, id="a" * 16)
    gone = record("gone-7070-bbbb", *SILENT_ADDRESSES, id="b" * 16, ns="\x1b[31mred")
    lan.announce("near", killed, gone)

    found = {each["name"]: each["answers"] for each in lan.find("far", 3)}
    client = lan.start("far", SUPPORT / "lan_client.py", "cosmo://auto")
    took_s = float(client.line("joined").text)

    assert found == {name: True, "killed-7070-aaaa": False, "gone-7070-bbbb": False}
    assert took_s < PASSED_OVER_S
    assert "\x1b" not in lan.cosmo("far", "find", "--timeout", "0.6")


def test_a_dendrite_finds_a_synapse_that_was_killed_and_moved(lan):
    synapse, _ = lan.synapse("near", "--insecure")
    client = lan.start("far", SUPPORT / "lan_client.py", "cosmo://auto")
    client.line("joined")

    synapse.kill()
    lan.move("near")
    lan.synapse("near", "--insecure", "--port", "7090")
    client.tell("now")

    assert float(client.line("answered").text) < FOUND_AGAIN_S
    assert client.says(f"cosmo://auto is at tcp://{OTHER_ADDRESS}:7090 now")


def test_one_that_is_announced_on_two_networks_is_one(lan):
    lan.connect_again()
    _, name = lan.synapse("near", "--insecure")

    (found,) = lan.find("far", 1)
    lan.announce("far", record("other", NEAR_ADDRESS, id=found["id"]))
    (again,) = lan.find("far", 1)

    assert found["name"] == name
    assert set(found["addresses"]) == {NEAR_ADDRESS, SECOND["near"]}
    assert again["id"] == found["id"]


def test_an_announcement_follows_the_address_of_its_host(lan):
    lan.synapse("near", "--insecure")
    lan.find("far", 1)

    lan.move("near")
    found = lan.find("far", 1)
    while found[0]["url"] != f"cosmo://{OTHER_ADDRESS}:{PORT}":  # `find` takes its time
        found = lan.find("far", 1)

    assert "no Axon" in lan.cosmo("far", "registry", "--url", "cosmo://auto")


def test_two_are_an_error_that_lists_them_unless_something_tells_which(lan):
    key = str(lan.home / "ben.key")
    lan.cosmo("near", "keys", "new", "ben", "--out", key, "--url", "cosmo://auto")
    ring = KeyRing.read(lan.home / "cosmonapse" / "keys")
    lan.synapse("near", "--keys", "-n", "default")
    lan.synapse("far", "--insecure", "-n", "other")

    found = {each["fingerprint"] for each in lan.find("far", 2)}
    (line,) = lan.cosmo("far", "registry", "--url", "cosmo://auto", code=USAGE).splitlines()

    assert found == {None, fingerprint(ring.public)}
    assert "cosmo://auto stands for one Synapse, and 2 answer" in line
    assert f"cosmo://{NEAR_ADDRESS}:{PORT} (" in line
    assert f"cosmo://{FAR_ADDRESS}:{PORT} (" in line
    assert "no Axon" in lan.cosmo("far", "registry", "--key", key)  # its url is cosmo://auto
    assert "no Axon" in lan.cosmo("far", "registry", "--url", "cosmo://auto/other", "-n", "other")
    refused = lan.cosmo("far", "registry", "--url", "cosmo://auto/default", code=REFUSED)
    assert "it has keys, and this Dendrite has none" in refused


def test_without_a_network_one_line_says_to_use_a_url(machine, tmp_path):
    command = ["unshare", "--net", sys.executable, "-m", "cosmonapse.cli", "find"]

    ended = subprocess.run(
        command,
        env={**os.environ, "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )

    (line,) = ended.stderr.splitlines()
    assert ended.returncode == NOBODY_THERE
    assert "no network address besides loopback" in line
    assert "use the URL of the Synapse, cosmo://HOST:7070" in line
