"""What `cosmo doctor` looks at on this machine: versions, settings, keys, limits, clock."""

from __future__ import annotations

import contextlib
import difflib
import importlib.metadata
import os
import platform
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Final

from .. import __version__
from ..configuration import check_given_context, chosen, context_in_use, context_names, read_key
from ..errors import InvalidContext, InvalidKey
from ..key_ring import KeyRing, default_folder
from ..keys import Key, fingerprint
from ..runtime.environment import (
    CARRIER_VARIABLE,
    CONTEXT_VARIABLE,
    CREDS_VARIABLE,
    KEY_VARIABLE,
    LOG_FORMAT_VARIABLE,
    METRICS_VARIABLE,
    NAMESPACE_VARIABLE,
    PRISM_VARIABLE,
    TOKEN_VARIABLE,
    TRACEBACK_VARIABLE,
    URL_VARIABLE,
)
from ..synapse.carriers import CARRIERS, DEFAULT_CARRIER, chosen_carrier
from ..synapse.kernels import STALE_TEXT, kernel_text
from ..synapse.schemes import is_on_nats
from .findings import BAD, OK, WARNING, Finding
from .reply import NEURON_VARIABLE, TASK_VARIABLE, TRACE_VARIABLE

_PREFIX: Final = "COSMO_"
KNOWN_VARIABLES: Final = frozenset(
    {
        URL_VARIABLE,
        NAMESPACE_VARIABLE,
        KEY_VARIABLE,
        CREDS_VARIABLE,
        CARRIER_VARIABLE,
        CONTEXT_VARIABLE,
        LOG_FORMAT_VARIABLE,
        METRICS_VARIABLE,
        PRISM_VARIABLE,
        TOKEN_VARIABLE,
        TRACEBACK_VARIABLE,
        TRACE_VARIABLE,
        TASK_VARIABLE,
        NEURON_VARIABLE,
        "COSMO_PURE",
    }
)
_LEAST_PYTHON: Final = (3, 11)
_LEAST_NODE: Final = 20
_NODE_S: Final = 10.0
_FEW_DESCRIPTORS: Final = 4096
_OF_ONE_DENDRITE: Final = 3
_CLOCK_S: Final = 0.3
_JUMP_S: Final = 0.05
_LEAST_TS: Final = 1_735_689_600  # the year 2025


def versions() -> Iterator[Finding]:
    """Look at the versions of what is installed."""
    python = platform.python_version()
    is_old = sys.version_info < _LEAST_PYTHON
    yield Finding(
        "python",
        BAD if is_old else OK,
        f"{python} at {sys.executable}",
        "install Python 3.11 or newer" if is_old else "",
    )
    yield Finding("cosmonapse", OK, __version__)
    yield Finding("packages", OK, ", ".join(_packages()))


def _packages() -> Iterator[str]:
    import zmq  # here, so that a broken one is a finding

    yield f"libzmq {zmq.zmq_version()}{'' if zmq.has('curve') else ' without CURVE'}"
    for name in ("pyzmq", "msgpack", "attrs", "tenacity", "click"):
        yield f"{name} {importlib.metadata.version(name)}"
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        yield f"nats-py {importlib.metadata.version('nats-py')}"


def node() -> Iterator[Finding]:
    """Look at Node, which the JavaScript client needs."""
    program = shutil.which("node")
    if program is None:
        yield Finding("node", OK, "not installed; only the JavaScript client needs it")
        return
    ran = subprocess.run(
        [program, "--version"], capture_output=True, text=True, timeout=_NODE_S, check=False
    )
    version = ran.stdout.strip()
    major = version.removeprefix("v").partition(".")[0]
    if major.isdigit() and int(major) >= _LEAST_NODE:
        yield Finding("node", OK, f"{version} at {program}")
    else:
        fix = f"install Node {_LEAST_NODE} or newer for the JavaScript client"
        yield Finding("node", WARNING, f"{version or 'it does not run'} at {program}", fix)


def kernel() -> Iterator[Finding]:
    """Look at which kernel runs, and which carrier moves the messages."""
    text = kernel_text()
    fixes = {
        "compiled": "",
        "pure Python (COSMO_PURE=1)": "unset COSMO_PURE for full speed",
        STALE_TEXT: "install this checkout anew, as by 'pip install --editable .'",
    }
    fix = fixes.get(text, "install a C compiler and then cosmonapse anew, for full speed")
    yield Finding("kernel", WARNING if fix else OK, text, fix)


def carrier(url: str | None, key: str | None) -> Iterator[Finding]:
    """Look at what carries the directed messages."""
    with contextlib.suppress(InvalidContext, InvalidKey):  # then another row says it
        if is_on_nats(chosen("url", url, key=key).value):
            yield Finding("carrier", OK, "nats, as the URL says")
            return
    setting = chosen("carrier")
    named = chosen_carrier()
    says = f"{named} ({setting.source})"
    with contextlib.suppress(InvalidContext):  # then the row of the context says it
        if chosen("key", key).value is not None and named == DEFAULT_CARRIER:
            other = next(each for each in CARRIERS if each != named)
            says += f"; over TCP a key makes it {other}"
    yield Finding("carrier", OK, says)


def context(name: str | None) -> Iterator[Finding]:
    """Look at the context that counts: the named one, or another."""
    if name is not None:
        check_given_context(name)
    context_in_use()
    setting = next(context_names(name))
    says = "none" if setting.value is None else f"{setting.value} ({setting.source})"
    yield Finding("context", OK, says)


def own_key(path: str | None) -> Iterator[Finding]:
    """Look at the file of the key that counts: its mode, its owner, its folder."""
    try:
        setting = chosen("key", path)
    except InvalidContext:
        return  # the row of the context says it
    key: Key | None = read_key(setting)  # a file that others may read raises, with what to run
    if key is None:
        yield Finding("key", OK, "none; a Synapse with keys needs one")
        return
    shown = fingerprint(key.public)
    says = (
        f"{key.name}, fingerprint {shown}, of this user alone: {setting.value} ({setting.source})"
    )
    yield Finding("key", OK, says)


def key_folder() -> Iterator[Finding]:
    """Look at the folder of keys, where this machine runs a Synapse."""
    folder = default_folder()
    if not os.path.isdir(folder):
        yield Finding("keys folder", OK, f"none at {folder}; only the host of a Synapse needs it")
        return
    ring = KeyRing.read(folder)
    yield Finding("keys folder", OK, f"{folder}, fingerprint {fingerprint(ring.public)}")


def descriptors() -> Iterator[Finding]:
    """Look at the limit of open files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        yield Finding("open files", OK, f"{soft:,} now, without a limit above")
        return
    serves = f"a Synapse here serves about {hard // _OF_ONE_DENDRITE:,} Dendrites"
    says = f"{soft:,} now, at most {hard:,}: {serves}"
    fix = "" if hard >= _FEW_DESCRIPTORS else "raise the hard limit (ulimit -Hn) for many Dendrites"
    yield Finding("open files", WARNING if fix else OK, says, fix)


def clock() -> Iterator[Finding]:
    """Look at the wall clock: whether it jumps, and whether it can be right."""
    began_s, began_ts = time.monotonic(), time.time()
    time.sleep(_CLOCK_S)
    drift_s = (time.time() - began_ts) - (time.monotonic() - began_s)
    if abs(drift_s) > _JUMP_S:
        says = f"it jumped by {drift_s * 1000:+.0f} ms within {_CLOCK_S:g} s"
        fix = "see what sets it; times on screens are wrong, deadlines are not"
        yield Finding("clock", WARNING, says, fix)
    elif began_ts < _LEAST_TS:
        fix = "set it: keys and deadlines do not need it, times on screens and in stores do"
        yield Finding("clock", WARNING, f"it says {time.ctime(began_ts)}", fix)
    else:
        yield Finding("clock", OK, "steady; deadlines are counted by one that never jumps")


def variables() -> Iterator[Finding]:
    """Look for variables that this package would read, and for those that it does not know."""
    found = sorted(name for name in os.environ if name.startswith(_PREFIX))
    known = [name for name in found if name in KNOWN_VARIABLES]
    listed = ", ".join(name if os.environ[name] else f"{name} (empty)" for name in known)
    yield Finding("variables", OK, listed or "none is set")
    for name in found:
        if name not in KNOWN_VARIABLES:
            near = difflib.get_close_matches(name, KNOWN_VARIABLES, 1, 0.75)
            fix = f"did you mean {near[0]}?" if near else "unset it, if it should do something here"
            yield Finding("variables", WARNING, f"nothing reads {name}", fix)
