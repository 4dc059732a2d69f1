"""Where systemd units are, and which of them are ours."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import click

from .unit_text import MARK

_SYSTEM = Path("/etc/systemd/system")
_SUFFIX = ".service"


def units_folder(for_user: bool) -> Path:
    """Return the folder of the units of the system, or of this user."""
    if not for_user:
        return _SYSTEM
    settings = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
    return Path(settings) / "systemd" / "user"


def unit_path(name: str, for_user: bool) -> Path:
    """Return the file of a unit."""
    return units_folder(for_user) / f"{name.removesuffix(_SUFFIX)}{_SUFFIX}"


def is_ours(path: Path) -> bool:
    """Return whether we wrote a unit."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.readline().rstrip("\n") == MARK
    except OSError:
        return False


def our_units(for_user: bool) -> list[Path]:
    """Return the files of our units, in order."""
    return sorted(each for each in units_folder(for_user).glob(f"*{_SUFFIX}") if is_ours(each))


def links_to(path: Path) -> list[Path]:
    """Return the links that let systemd start a unit by itself."""
    return sorted(path.parent.glob(f"*.wants/{path.name}"))


def write_unit(path: Path, text: str, *, replaces: bool) -> bool:
    """Write a unit in one step; return False if it is there already, with the same text.

    Raises:
        ClickException: Another text is there, or it cannot be written.
    """
    if path.exists():
        if path.read_text(encoding="utf-8", errors="replace") == text:
            return False
        if not replaces:
            raise click.ClickException(f"{path} has another text: --force replaces it")
    if not path.parent.is_dir() and path.parent == _SYSTEM:
        raise click.ClickException(f"there is no {_SYSTEM} here: --dry-run prints the unit")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(
            "w", dir=path.parent, prefix=".cosmo-", delete=False, encoding="utf-8"
        ) as file:
            file.write(text)
        os.chmod(file.name, 0o644)
        os.replace(file.name, path)
    except PermissionError:
        raise click.ClickException(
            f"{path.parent} cannot be written: run it with sudo, or give --user"
        ) from None
    return True
