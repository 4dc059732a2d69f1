"""Which of the files of a program have changed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

Signature = tuple[int, int] | None
"""Time of the last change in nanoseconds, and size; None for a file that is not there."""
_INSTALLED = frozenset({"site-packages", "dist-packages"})


def changed(before: Mapping[str, Signature], after: Mapping[str, Signature]) -> list[str]:
    """Return the paths of those files that are new or have changed, in order.

    One that is gone does not count: an editor that saves by renaming removes it for a moment. A
    file that was not looked at before does not count either.
    """
    return sorted(
        path
        for path, signature in after.items()
        if path in before and signature is not None and signature != before[path]
    )


def is_of_program(path: str, folders: Iterable[str]) -> bool:
    """Return whether a file is in one of the folders, and not in an installed package."""
    if not _INSTALLED.isdisjoint(path.split("/")):
        return False
    return any(path.startswith(_with_slash(folder)) for folder in folders)


def homes_of(module: str, folders: Iterable[str]) -> list[str]:
    """Return the paths at which a missing module would be found."""
    homes = [_with_slash(folder) + module.replace(".", "/") for folder in folders]
    return [f"{home}/__init__.py" for home in homes] + [f"{home}.py" for home in homes]


def shown_names(paths: Iterable[str], folder: str) -> list[str]:
    """Return the paths as a person in that folder would write them."""
    return [each.removeprefix(_with_slash(folder)) for each in paths]


def _with_slash(folder: str) -> str:
    return folder.rstrip("/") + "/"
