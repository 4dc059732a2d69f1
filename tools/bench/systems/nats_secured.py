"""NATS with TLS and nkeys: a server that knows its users, over encrypted connections.

The certificate is made by `openssl` for the run, and the clients trust it alone. The user has an
nkey, a pair of Ed25519: the server sends a nonce, which the client signs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import util
from pathlib import Path

from cosmonapse.bench.children import BenchError

from . import nats
from .system import Asked, System

_PRIVATE = "server.key"
_CONFIGURATION = """tls {{ cert_file: "{certificate}", key_file: "{private}" }}
authorization {{ users: [ {{ nkey: {user} }} ] }}
"""


def missing() -> str | None:
    """Return the packages to install; None when all are present."""
    lacks = nats.missing()
    wanted = [lacks] if lacks else []
    wanted += [] if shutil.which("openssl") else ["apt-get install openssl"]
    wanted += [] if util.find_spec("nkeys") else ["pip install nkeys"]
    return " and ".join(wanted) or None


@contextmanager
def secured() -> Iterator[str]:
    """Make a certificate, a user and their part of the configuration; give the folder."""
    import nkeys

    with tempfile.TemporaryDirectory() as folder:
        certificate, private = (str(Path(folder) / name) for name in (nats.CERTIFICATE, _PRIVATE))
        _certify(certificate, private)
        seed = nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER)
        (Path(folder) / nats.SEED).write_bytes(seed)
        user = nkeys.from_seed(bytearray(seed)).public_key.decode()
        (Path(folder) / nats.SECURED).write_text(
            _CONFIGURATION.format(certificate=certificate, private=private, user=user)
        )
        yield folder


def _certify(certificate: str, private: str) -> None:
    """Make a certificate that signs itself, for this machine and two days.

    Raises:
        BenchError: `openssl` could not.
    """
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    name = ("-subj", "/CN=bench", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2")
    command = ("openssl", "req", "-x509", *curve, *name, "-keyout", private, "-out", certificate)
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    if made.returncode:
        raise BenchError(f"openssl made no certificate: {made.stderr.strip()}")


@contextmanager
def running(pairs: int) -> Iterator[Sequence[Asked]]:
    """Run the server and pairs; give the callers."""
    with secured() as folder, nats.running(pairs, folder=folder) as callers:
        yield callers


SYSTEM = System("nats_secured", "nats-py, TLS and nkeys", missing, running)
