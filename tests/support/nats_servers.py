"""Real nats-servers on loopback, alone or three in a cluster; they end with the test run."""

import contextlib
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request
from pathlib import Path

import pytest

from support.processes import TIMEOUT_S, free_ports
from support.relay import HOST, Relay

PROGRAM = "nats-server"
_PATH = f"{os.environ.get('PATH', os.defpath)}:/usr/local/sbin:/usr/sbin"
"""Debian has it where only root looks."""
_LOOK_S = 0.01
_NAME_OF_ROUTE = r'"server_name":"(\w+)"'


def need_nats_server():
    """Skip the test, or the module, where nats-server or its end with the test run is missing."""
    if _program() is None:
        pytest.skip("no nats-server: apt-get install nats-server", allow_module_level=True)
    if shutil.which("setpriv") is None:
        pytest.skip("no setpriv: apt-get install util-linux", allow_module_level=True)


def _program():
    return shutil.which(PROGRAM, path=_PATH)


class NatsServer:
    """One nats-server, started when it is made.

    It dies with the thread that starts it, also when that is killed: start it on the main thread.

    Args:
        port: Where clients connect; a free one by default.
        extra_conf: More lines of its configuration.
        name: Its name; the port by default.
        conf: The whole configuration, which names the port, in place of one with more lines.
    """

    def __init__(self, port=None, extra_conf="", name="", *, conf=None):
        self.port = free_ports() if port is None else port
        self.name = name or f"nats-{self.port}"
        self.monitor = self.port + 3
        self._extra_conf = extra_conf
        self._whole_conf = conf
        self._process = None
        self.start()

    @property
    def url(self):
        return f"nats://{HOST}:{self.port}"

    @property
    def pid(self):
        return self._process.pid

    def start(self):
        """Start it, also again; return when it listens."""
        assert self._process is None, f"{self.name} runs"
        with tempfile.NamedTemporaryFile("w", prefix="nats-", suffix=".conf") as conf:
            conf.write(self._conf())
            conf.flush()
            self._log = tempfile.TemporaryFile()  # noqa: SIM115  # closed in `_wait`
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", _program(), "-c", conf.name],
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            self._until_it_listens()

    def kill(self):
        """Kill it with SIGKILL."""
        self._end(signal.SIGKILL)

    def stop(self):
        """End it in order, if it runs."""
        self._end(signal.SIGTERM)

    def freeze(self):
        """Stop it in its work; return when it stands still."""
        freeze(self.pid)

    def thaw(self):
        """Let it go on."""
        self._process.send_signal(signal.SIGCONT)

    def asked(self, page):
        """Return a page of its monitoring, such as `connz`, as a dict."""
        with urllib.request.urlopen(f"http://{HOST}:{self.monitor}/{page}", timeout=5.0) as answer:
            return json.load(answer)

    def _conf(self):
        if self._whole_conf is not None:
            return self._whole_conf
        return (
            f'server_name: "{self.name}"\n'
            f'listen: "{HOST}:{self.port}"\n'
            f'http: "{HOST}:{self.monitor}"\n'
            f"{self._extra_conf}\n"
        )

    def _until_it_listens(self):
        until_s = time.monotonic() + TIMEOUT_S
        while not self._listens():
            if self._process.poll() is not None or time.monotonic() > until_s:
                said = self._said()
                self._end(signal.SIGKILL)
                raise AssertionError(f"{self.name} does not listen; it said:\n{said}")
            time.sleep(_LOOK_S)

    def _listens(self):
        with contextlib.suppress(OSError), socket.create_connection((HOST, self.port), 1.0) as made:
            made.settimeout(1.0)
            return made.recv(5) == b"INFO "
        return False

    def _said(self):
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def _end(self, number):
        if self._process is None:
            return
        self._process.send_signal(number)
        if number != signal.SIGKILL:
            self.thaw()
        self._process.wait(TIMEOUT_S)
        self._process = None
        self._log.close()


@contextlib.contextmanager
def nats_server_with(extra_conf="", **options):
    """Run a nats-server inside the block; give its `host:port`. See `NatsServer`."""
    server = NatsServer(extra_conf=extra_conf, **options)
    try:
        yield f"{HOST}:{server.port}"
    finally:
        server.stop()


class NatsCluster:
    """Three nats-servers, `a`, `b` and `c`; every route between them is through a relay.

    A client hears of no server but its own, so that each side of a partition keeps its clients.
    """

    def __init__(self):
        ports = {name: free_ports() for name in "abc"}
        self._relays = {name: Relay(port + 2, _NAME_OF_ROUTE) for name, port in ports.items()}
        self.servers = {}
        for name, port in ports.items():
            self.servers[name] = NatsServer(port, self._conf_of(name, port + 2), name)
        self.until_routes(dict.fromkeys(ports, 2))

    def __getitem__(self, name):
        return self.servers[name]

    def part(self, ones, others):
        """Cut every route between some servers and some others."""
        for one, other in itertools.product(ones, others):
            self._relays[one].cut(other)
            self._relays[other].cut(one)

    def mend(self):
        """Let the routes be made again; return when they are."""
        for one, other in itertools.permutations(self._relays, 2):
            self._relays[one].mend(other)
        self.until_routes(dict.fromkeys(self.servers, 2))

    def until_routes(self, wanted):
        """Wait until each of some servers has so many others."""
        until_s = time.monotonic() + TIMEOUT_S
        while (found := {each: self._others(each) for each in wanted}) != wanted:
            assert time.monotonic() < until_s, f"routes: {found}, not {wanted}"
            time.sleep(_LOOK_S)

    def stop(self):
        """End all of it."""
        for each in (*self.servers.values(), *self._relays.values()):
            each.stop() if isinstance(each, NatsServer) else each.close()

    def _others(self, name):
        routes = self.servers[name].asked("routez")["routes"] or []
        return len({each["remote_id"] for each in routes})

    def _conf_of(self, name, port):
        others = [f'"nats://{HOST}:{self._relays[each].port}"' for each in self._relays]
        return (
            f'cluster {{ name: "tests", listen: "{HOST}:{port}", no_advertise: true\n'
            f'  advertise: "{HOST}:{self._relays[name].port}"\n'
            f"  routes: [{', '.join(others)}] }}"
        )


def freeze(pid):
    """Stop a process with SIGSTOP; return when each of its threads stands still."""
    os.kill(pid, signal.SIGSTOP)
    until_s = time.monotonic() + TIMEOUT_S
    while not _stands_still(pid):
        assert time.monotonic() < until_s, f"{pid} does not stand still"
        time.sleep(_LOOK_S)


def _stands_still(pid):
    stats = [each.read_text() for each in Path(f"/proc/{pid}/task").glob("*/stat")]
    return all(each.rpartition(")")[2].split()[0] == "T" for each in stats)


@contextlib.contextmanager
def frozen(pid):
    """Stop a process inside the block."""
    freeze(pid)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def certificate(folder):
    """Write a throwaway certificate for 127.0.0.1 with its key, and return the paths of both."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    subject = ["-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1"]
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    files = ["-nodes", "-days", "2", "-keyout", key, "-out", cert]
    subprocess.run([*made, *files, *subject], check=True, capture_output=True, timeout=30)
    return cert, key
