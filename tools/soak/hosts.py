"""Two hosts on one machine: network namespaces with a cable between them that can be cut.

Made with `ip` of iproute2 and removed at the end; no packet leaves the machine. It needs root, or
a user with the right to administer the network.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
from types import TracebackType
from typing import Self

from .processes import SoakError

NEAR_ADDRESS = "10.77.0.1"
FAR_ADDRESS = "10.77.0.2"
_MASK = "/24"
_NAME = re.compile(r"soak(\d+)-(near|far)")


class Hosts:
    """A near and a far host. They exist inside a `with` block.

    Raises:
        SoakError: This machine does not allow them; the text says why.
    """

    def __init__(self) -> None:
        self.near, self.far = (f"soak{os.getpid()}-{which}" for which in ("near", "far"))
        self._cable = "cable"

    def __enter__(self) -> Self:
        if shutil.which("ip") is None:
            raise SoakError("two hosts need the program ip: apt-get install iproute2")
        try:
            _take_away_left_ones()
            for name in (self.near, self.far):
                _ip("netns", "add", name)
                _ip("-n", name, "link", "set", "lo", "up")
            far_end = ("peer", "name", self._cable, "netns", self.far)
            _ip("-n", self.near, "link", "add", self._cable, "type", "veth", *far_end)
            for name, address in ((self.near, NEAR_ADDRESS), (self.far, FAR_ADDRESS)):
                _ip("-n", name, "address", "add", address + _MASK, "dev", self._cable)
                _ip("-n", name, "link", "set", self._cable, "up")
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove both, with the cable."""
        for name in (self.near, self.far):
            with contextlib.suppress(SoakError):
                _ip("netns", "delete", name)

    def cut(self) -> None:
        """Pull the cable: no packet passes, without any report."""
        _ip("-n", self.far, "link", "set", self._cable, "down")

    def heal(self) -> None:
        """Plug it in again."""
        _ip("-n", self.far, "link", "set", self._cable, "up")

    def on(self, name: str) -> tuple[str, ...]:
        """Return the prefix of a command that is to run on one of them."""
        return "ip", "netns", "exec", name


def why_not() -> str | None:
    """Return why this machine can have no two hosts; None if it can."""
    if sys.platform != "linux":
        return "network namespaces are a thing of Linux"
    try:
        with Hosts():
            return None
    except SoakError as error:
        return str(error)


def _take_away_left_ones() -> None:
    """Remove the remains of a run that was killed."""
    for line in _ip("netns", "list").splitlines():
        name = line.split()[0]
        ours = _NAME.fullmatch(name)
        if ours is not None and not os.path.exists(f"/proc/{ours[1]}"):
            _ip("netns", "delete", name)


def _ip(*arguments: str) -> str:
    try:
        ended = subprocess.run(
            ["ip", *arguments], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SoakError(f"ip {' '.join(arguments)}: {error}") from error
    if ended.returncode:
        hint = "" if os.geteuid() == 0 else "; two hosts take root"
        raise SoakError(f"ip {' '.join(arguments)}: {ended.stderr.strip()}{hint}")
    return ended.stdout
