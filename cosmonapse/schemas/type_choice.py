"""Chooses what checks a type: pydantic, msgspec for its Structs, or jsonschema. Pure.

Nothing of them is imported before a type needs it.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any, get_args, get_origin

from ..errors import MissingExtra
from ..runtime.extras import check_versions, missing_extra
from .type_check import TypeCheck


def check_of(kind: Any, *, serialized: bool = False) -> TypeCheck:
    """Return the check of a type.

    Args:
        kind: A class or another type, or a dict that is a JSON Schema.
        serialized: Whether it is given out, and not taken.

    Raises:
        TypeError: It is no type, or one of which no schema can be made.
        ValueError: The dict is no JSON Schema.
        MissingExtra: Neither pydantic nor msgspec is installed, or one is too old.
    """
    if isinstance(kind, Mapping):
        from .ready_check import ReadyCheck

        return ReadyCheck(kind)
    if not _is_type(kind):
        raise TypeError(f"give a type or a JSON Schema (a dict), not {kind!r:.100}")
    if _has_struct(kind) or not _has_pydantic():
        return _by_msgspec(kind)
    from .pydantic_check import PydanticCheck

    return PydanticCheck(kind, serialized=serialized)


def check_of_parameters(parameters: Iterable[inspect.Parameter]) -> TypeCheck:
    """Return a check that loads a dict into the arguments for some parameters, by name.

    Raises:
        TypeError: No schema can be made of them.
        MissingExtra: Neither pydantic nor msgspec is installed, or one is too old.
    """
    named = list(parameters)
    if any(_has_struct(each.annotation) for each in named) or not _has_pydantic():
        return _by_msgspec(named, is_of_parameters=True)
    from .pydantic_check import parameters_check

    return parameters_check(named)


def _by_msgspec(given: Any, *, is_of_parameters: bool = False) -> TypeCheck:
    try:
        check_versions("schema", "msgspec")
        from .msgspec_check import MsgspecCheck, ParametersCheck
    except ImportError as error:
        unfit = error if isinstance(error, MissingExtra) else missing_extra("pydantic", "schema")
        raise unfit from None
    return ParametersCheck(given) if is_of_parameters else MsgspecCheck(given)


def _has_pydantic() -> bool:
    """Return whether it is installed; one that is too old would fail at each task."""
    try:
        import pydantic  # noqa: F401
    except ImportError:
        return False
    check_versions("schema", "pydantic")
    return True


def _is_type(kind: Any) -> bool:
    return isinstance(kind, type) or kind is Any or hasattr(kind, "__origin__") or _is_union(kind)


def _is_union(kind: Any) -> bool:
    named = ("__value__", "__supertype__")  # `type X = ...` and NewType
    return bool(get_args(kind)) or any(hasattr(kind, each) for each in named)


def _has_struct(kind: Any) -> bool:
    """Return whether a type is a Struct of msgspec, or a container of them."""
    classes = (kind, get_origin(kind))  # that of a generic Struct stands behind its alias
    is_struct = any(hasattr(each, "__struct_fields__") for each in classes)
    return is_struct or any(map(_has_struct, get_args(kind)))
