"""Tests of the extras at both ends of their ranges: `python -m tools.extras [EXTRA ...]`.

For each extra and end it makes an environment in a temporary folder, with the lowest version of
each package that setup.cfg allows or with the newest that the index has. There it runs tests of
this checkout. It needs a package index; an environment that cannot be made counts as a failure.
"""

from __future__ import annotations

import argparse
import configparser
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import attrs

ROOT = Path(__file__).parents[1]
ENDS = ("lowest", "newest")
TESTS = {
    "schema": ("tests/unit/schemas",),
    "serve": ("tests/integration/test_gateway_http.py", "tests/unit/serve/test_admission.py"),
    "mcp": ("tests/integration/test_mcp_gateway.py", "-k", "not typescript"),
    "a2a": ("tests/integration/test_a2a.py", "tests/unit/serve/test_a2a_store.py"),
}
"""What is run for each extra."""
# What the tests themselves use.
_BESIDE = ("httpx", "hypothesis", "jsonschema", "nkeys", "pytest", "pytest-asyncio")
_ALL = "install_requires"
_LOWEST = re.compile(r"([\w-]+(?:\[[\w,-]+\])?)>=([\d.]+)")
_INSTALL_S = 600
_TEST_S = 600


@attrs.frozen
class Tried:
    """One extra at one end.

    Args:
        extra: Its name.
        end: One of `ENDS`.
        versions: The packages of the extra, with their versions.
        failure: What went wrong; empty if all tests passed.
    """

    extra: str
    end: str
    versions: str
    failure: str


def requirements(extra: str) -> list[str]:
    """Return what setup.cfg asks for an extra, or without one of all users."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg")
    wanted = config["options.extras_require"][extra] if extra else config["options"][_ALL]
    return wanted.strip().split("\n")


def at_end(requirement: str, end: str) -> str:
    """Return a requirement as it is, or with its lowest version alone.

    Raises:
        ValueError: It names no lowest version.
    """
    found = _LOWEST.match(requirement)
    if found is None:
        raise ValueError(f"{requirement!r} in setup.cfg names no lowest version: write name>=1.2")
    return requirement if end == "newest" else f"{found[1]}=={found[2]}"


def tries(extras: list[str]) -> Iterator[Tried]:
    """Yield what came of each extra at each end."""
    for extra in extras:
        wanted = requirements(extra)
        for end in ENDS:
            with tempfile.TemporaryDirectory(prefix=f"extra-{extra}-{end}-") as folder:
                yield _tried(extra, end, wanted, Path(folder))


def _tried(extra: str, end: str, wanted: list[str], folder: Path) -> Tried:
    python = folder / "bin" / "python"
    packages = [at_end(each, end) for each in wanted]
    made = _run(sys.executable, "-m", "venv", str(folder), timeout_s=_INSTALL_S)
    made = made or _run(
        *(str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check"),
        *(*requirements(""), *_BESIDE, *packages),
        timeout_s=_INSTALL_S,
    )
    if made:
        return Tried(extra, end, ", ".join(packages), made)
    plugins = ("-p", "no:cacheprovider", "-p", "cosmonapse.testing.plugin")
    # An old starlette imports multipart by its old name, which only warns.
    warnings = ("-W", "ignore::PendingDeprecationWarning")
    pytest = ("-m", "pytest", "-q", *plugins, *warnings)
    failure = _run(str(python), *pytest, *TESTS[extra], timeout_s=_TEST_S)
    return Tried(extra, end, _versions(python, wanted), failure)


def _run(*command: str, timeout_s: float) -> str:
    """Run a command; return the end of what it said if it failed, or nothing."""
    try:
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=timeout_s, check=False
        )
    except subprocess.TimeoutExpired:
        return f"it took over {timeout_s:g} s"
    return "" if done.returncode == 0 else (done.stdout + done.stderr)[-3000:] or "it failed"


def _versions(python: Path, wanted: list[str]) -> str:
    names = [re.split(r"[\[><=]", each)[0] for each in wanted]
    code = f"import importlib.metadata as m; print(*(n + ' ' + m.version(n) for n in {names}))"
    found = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    return found.stdout.strip()


def main() -> int:
    """Try the extras that are named, or all; return 1 if one fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("extras", nargs="*", metavar="EXTRA", help=", ".join(TESTS))
    named = parser.parse_args().extras
    unknown = sorted(set(named) - set(TESTS))
    if unknown:
        parser.error(f"no such extra: {', '.join(unknown)}; there are {', '.join(TESTS)}")
    failed = 0
    for each in tries(named or list(TESTS)):
        failed += bool(each.failure)
        print(f"{'FAILED' if each.failure else 'ok':7} {each.extra:7} {each.end:7} {each.versions}")
        if each.failure:
            print(each.failure)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
