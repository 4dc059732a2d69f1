"""A real nats-server with a configuration of one's own, for tests of who may do what."""

import contextlib
import os
import shutil
import socket
import subprocess
import time

import pytest

from support.processes import free_ports

_START_S = 10.0
_MOST_S = "120"  # it ends with the test, and if that is killed, by then
needs_nats_server = pytest.mark.skipif(
    shutil.which("nats-server") is None, reason="no nats-server: apt-get install nats-server"
)


@contextlib.contextmanager
def nats_server_with(folder, text="", *, port=None, env=None):
    """Run a nats-server with this configuration, and yield its `host:port` once it listens.

    Args:
        folder: Where its file is written.
        text: The configuration; without a `listen`, unless the port is given.
        port: The port that the text names; by default a free one, which is added.
        env: Added to its environment.
    """
    if port is None:
        port = free_ports()
        text = f'listen: "127.0.0.1:{port}"\n{text}'
    file, log = folder / "nats-server.conf", folder / "nats-server.log"
    file.write_text(text)
    command = ["timeout", "-s", "KILL", _MOST_S, "nats-server", "-c", file, "-l", log]
    process = subprocess.Popen(command, env={**os.environ, **(env or {})})
    try:
        _await_listener(process, port, log)
        yield f"127.0.0.1:{port}"
    finally:
        process.terminate()  # `timeout` hands it on
        process.wait(_START_S)


def _await_listener(process, port, log):
    until = time.monotonic() + _START_S
    while time.monotonic() < until:
        assert process.poll() is None, log.read_text() if log.exists() else "it did not start"
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1.0):
            return
        time.sleep(0.02)
    raise AssertionError(f"no nats-server listens at {port}: {log.read_text()}")


def certificate(folder):
    """Write a throwaway certificate for 127.0.0.1 with its key, and return the paths of both."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    subject = ["-subj", "/CN=test", "-addext", "subjectAltName=IP:127.0.0.1"]
    made = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    files = ["-nodes", "-days", "2", "-keyout", key, "-out", cert]
    subprocess.run([*made, *files, *subject], check=True, capture_output=True, timeout=30)
    return cert, key
