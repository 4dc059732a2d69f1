"""From `module:name` on the command line to the Axons and sources of Axons that it means."""

from __future__ import annotations

import difflib
import importlib
import os
from collections.abc import Iterable, Sequence
from types import ModuleType
from typing import Any

from ..axon import Axon
from ..axon_source import AxonSource
from ..errors import LocalError


class BadTarget(LocalError):
    """What `cosmo worker` is to run is not there, or is nothing that it can run.

    Attributes:
        module: The name of the module that is missing; None if that is not the reason.
        is_in_program: Whether it is in what the module has, not in how the command line names it.
    """

    def __init__(self, text: str, module: str | None = None, is_in_program: bool = True) -> None:
        super().__init__(text)
        self.module = module
        self.is_in_program = is_in_program and module is None


Hosted = Axon | AxonSource


def hosted_of(targets: Sequence[str]) -> list[Hosted]:
    """Return the Axons, and the sources of Axons, of all targets, each once.

    Args:
        targets: Each `module:name`, where the name is that of an Axon, of a function with
            `@neuron`, of a source such as an `McpServer`, or of a list of them; or `module` for
            all that the module has.

    Raises:
        BadTarget: There is nothing to run; the text says what to do.
        BaseException: What the import of a module raises.
    """
    found: dict[int, Hosted] = {}
    names: dict[str, str] = {}
    for target in targets:
        for name, hosted in _named(target):
            if id(hosted) not in found and isinstance(hosted, Axon):
                _check_id(names, name, hosted)
            found[id(hosted)] = hosted
    return list(found.values())


def axons_of(targets: Sequence[str]) -> list[Axon]:
    """Return the Axons of all targets without their sources, as `hosted_of` does."""
    return [each for each in hosted_of(targets) if isinstance(each, Axon)]


def _check_id(names: dict[str, str], name: str, axon: Axon) -> None:
    other = names.setdefault(axon.neuron_id, name)
    if other != name:
        raise BadTarget(
            f"{other} and {name} are two Axons with the id {axon.neuron_id!r}: give each "
            "an id of its own; replicas come from --workers"
        )


def _named(target: str) -> Iterable[tuple[str, Hosted]]:
    """Yield each Axon and source of a target with a name for it."""
    module_name, colon, path = target.partition(":")
    if not module_name or (colon and not path):
        raise BadTarget(
            f"{target!r} is not MODULE or MODULE:NAME, such as app:axon", is_in_program=False
        )
    module = _imported(module_name)
    if colon:
        yield from _given(target, _attribute(module, module_name, path))
        return
    hosted = {
        f"{module_name}:{name}": each
        for name, value in vars(module).items()
        if (each := _hosted_of(value)) is not None
    }
    if not hosted:
        lists = [name for name, value in vars(module).items() if _is_list_of_hosted(value)]
        whose, name = ("its list", lists[0]) if lists else ("a list of them", "NAME")
        raise BadTarget(
            f"{module_name} has no Axon and no function with @neuron: add one, or name {whose} as "
            f"{module_name}:{name}"
        )
    yield from hosted.items()


def _is_list_of_hosted(value: Any) -> bool:
    return isinstance(value, list | tuple) and bool(value) and all(map(_hosted_of, value))


def _imported(name: str) -> ModuleType:
    if name.endswith(".py") or "/" in name:
        text = f"there is no module {name!r}: {_advice_for_path(name)}"
        raise BadTarget(text, is_in_program=False)
    if name.startswith("."):
        raise BadTarget(f"{name!r} begins with a dot: name the whole module", is_in_program=False)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if name != missing and not name.startswith(f"{missing}."):
            raise
        raise BadTarget(_missing_text(name, missing), missing) from None


def _advice_for_path(path: str) -> str:
    """Return how to name the module in a file; it is imported from the current folder."""
    whole = os.path.abspath(path.removesuffix(".py"))
    inside = os.path.relpath(whole)
    if inside.split(os.sep)[0] not in (os.curdir, os.pardir):
        return f"write {inside.replace('/', '.')}, without .py and with dots for folders"
    folder, name = os.path.split(whole)
    return f"start cosmo in {folder} and write {name}"


def _missing_text(name: str, missing: str) -> str:
    """Return the text about a module that is not there, with the likely reason."""
    near = difflib.get_close_matches(name, _modules_here(), 1)
    guess = f"did you mean {near[0]}? Else start" if near else "start"
    return (
        f"there is no module {missing!r} in {os.getcwd()}: {guess} cosmo in the folder that has it"
    )


def _modules_here() -> list[str]:
    return [each.removesuffix(".py") for each in os.listdir() if each.endswith(".py")]


def _attribute(module: ModuleType, module_name: str, path: str) -> Any:
    value: Any = module
    for name in path.split("."):
        if not hasattr(value, name):
            near = difflib.get_close_matches(name, list(vars(module)), 1)
            guess = f": did you mean {module_name}:{near[0]}?" if near else ""
            raise BadTarget(f"{module_name} has no {path!r}{guess}")
        value = getattr(value, name)
    return value


def _given(target: str, value: Any) -> Iterable[tuple[str, Hosted]]:
    """Yield the Axons and sources of a value that was named."""
    hosted = _hosted_of(value)
    if hosted is not None:
        yield target, hosted
        return
    if not isinstance(value, list | tuple | set | frozenset) or not value:
        raise BadTarget(f"{target} is {_described(value)}")
    for place, each in enumerate(value):
        hosted = _hosted_of(each)
        if hosted is None:
            raise BadTarget(f"{target}[{place}] is {_described(each)}")
        yield f"{target}[{place}]", hosted


def _hosted_of(value: Any) -> Hosted | None:
    try:
        if isinstance(value, Axon):
            return value
        if isinstance(value, type | ModuleType):
            return None
        if isinstance(value, AxonSource):
            return value
        axon = getattr(value, "axon", None)
    except Exception:  # noqa: BLE001  # as of flask.request, which stands for what is not there yet
        return None
    return axon if isinstance(axon, Axon) else None


def _described(value: Any) -> str:
    """Return what a value is, and what it should be."""
    wanted = "name an Axon, a function with @neuron, or a list of them"
    if isinstance(value, list | tuple | set | frozenset):
        return f"empty: {wanted}"
    if callable(value) and not isinstance(value, type):
        return f"a function without @neuron: decorate it, or {wanted}"
    return f"of type {type(value).__name__}: {wanted}"
