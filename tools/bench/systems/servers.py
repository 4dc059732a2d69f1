"""Servers of others, on free ports of the loopback device, for as long as they are needed."""

from __future__ import annotations

import importlib.util
import shutil
import socket
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from cosmonapse.bench.children import BenchError

from .. import orphans

_ENDS_S = 5.0


def absent(program: str, module: str, client: str) -> str | None:
    """Return the packages to install for a server and its client; None when both are present.

    Args:
        program: The server; its Debian package has the same name.
        module: Of the client.
        client: Its name for pip.
    """
    wanted = [] if shutil.which(program) else [f"apt-get install {program}"]
    if importlib.util.find_spec(module) is None:
        wanted.append(f"pip install {client}")
    return " and ".join(wanted) or None


def free_port() -> int:
    """Return a port of the loopback device that was free a moment ago."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port


@contextmanager
def running(command: Sequence[str], ready: str) -> Iterator[int]:
    """Run a server and give its pid once a line of it says that it is ready; end it afterwards.

    Raises:
        BenchError: It ended before.
    """
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=orphans.end_with_parent,
    ) as process:
        said = []
        try:
            lines = process.stdout or ()
            for line in lines:
                said.append(line)
                if ready in line:
                    break
            else:
                raise BenchError(f"{command[0]} did not start:\n{''.join(said)}")
            threading.Thread(target=lambda: list(lines), daemon=True).start()
            yield process.pid
        finally:
            process.terminate()
            try:
                process.wait(_ENDS_S)
            except subprocess.TimeoutExpired:
                process.kill()
