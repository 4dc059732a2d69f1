"""The optional packages: which versions each extra wants, and what is said of one that is not fit.

A package that is too old is found out when it is first used: it lacks a name, or it fails at a call
much later. Whoever uses it asks here first, or tells here that its import failed. Pure, but for the
versions of what is installed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from ..errors import MissingExtra

_WEB = {"starlette": ">=0.40", "uvicorn": ">=0.30"}
# A house test compares it with setup.cfg.
WANTED: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "llm": {"httpx": ">=0.27"},
        "flask": {"flask": ">=3.0"},
        "fastapi": {"fastapi": ">=0.115", "uvicorn": ">=0.30"},
        "metrics": {"prometheus-client": ">=0.20,<1"},
        "lan": {"zeroconf": ">=0.132,<1"},
        "nats": {"nats-py": ">=2.6,<3", "nkeys": ">=0.2,<1"},
        "otel": {"opentelemetry-api": ">=1.27,<2"},
        "prism": _WEB,
        "schema": {"pydantic": ">=2.11,<3", "msgspec": ">=0.19", "jsonschema": ">=4.20,<5"},
        "serve": _WEB,
        "mcp": {"mcp": ">=2.3,<3", "starlette": ">=0.40", "uvicorn": ">=0.31.1"},
        "a2a": {"a2a-sdk": ">=1.3,<2", **_WEB},
    }
)
"""For each extra its packages with their ranges."""
_BOUND = re.compile(r"(>=|<)([\d.]+)")


def check_versions(extra: str, *packages: str) -> None:
    """Look at the versions of packages that are installed; one that is missing is no case.

    Args:
        extra: Which extra they are wanted for.
        packages: Which ones.

    Raises:
        MissingExtra: One is too old or too new.
    """
    for package in packages:
        unfit = _unfit(package, extra)
        if unfit is not None:
            raise unfit


def missing_extra(package: str, extra: str, error: ImportError | None = None) -> MissingExtra:
    """Return what to raise where a package of an extra could not be imported.

    Args:
        package: The package that was wanted in the first place.
        extra: The extra.
        error: What the import raised; None where the package was only looked for.
    """
    if isinstance(error, MissingExtra) and error.extra == extra:
        return error
    found = _version(package)
    if not found:
        return MissingExtra(package, extra)
    for each in (package, *WANTED.get(extra, ())):
        unfit = _unfit(each, extra)
        if unfit is not None:
            return unfit
    fault = "cannot be imported" + (f" ({error})" if error else "")
    return MissingExtra(package, extra, found, _wanted(package, extra), fault)


def fault_of(version: str, wanted: str) -> str:
    """Return `is too old` or `is too new` for a version that is not in a range, else nothing."""
    for sign, bound in _BOUND.findall(wanted):
        if sign == ">=" and _numbers(version) < _numbers(bound):
            return "is too old"
        if sign == "<" and _numbers(version) >= _numbers(bound):
            return "is too new"
    return ""


def _unfit(package: str, extra: str) -> MissingExtra | None:
    found, wanted = _version(package), _wanted(package, extra)
    fault = fault_of(found, wanted) if found else ""
    return MissingExtra(package, extra, found, wanted, fault) if fault else None


def _wanted(package: str, extra: str) -> str:
    return WANTED.get(extra, {}).get(package, "")


def _version(package: str) -> str:
    """Return the version that is installed; nothing if there is none, or none that is known."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package) or ""
    except PackageNotFoundError:
        return ""


def _numbers(version: str) -> tuple[int, ...]:
    """Return the numbers of a version without zeros at the end; what follows them is left out."""
    found = re.match(r"\d+(?:\.\d+)*", version)
    numbers = [int(each) for each in found[0].split(".")] if found else []
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)
