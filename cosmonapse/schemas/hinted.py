"""Reads what the type hints of a function say about its input and its output. Pure."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_origin, get_type_hints

import attrs

_CONTEXT = "context"
_CONTEXTS = (_CONTEXT, "ctx")
_EMPTY = inspect.Parameter.empty
_BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_OF_CLASSES = ("__pydantic_fields__", "__dataclass_fields__", "__struct_fields__", "__total__")
Parameters = Sequence[inspect.Parameter]


@attrs.frozen
class Hinted:
    """What the type hints of a function say.

    Args:
        parameters: The parameters that its input holds by name; None if it takes the input whole.
        context: The parameter beside them that receives the context; None if it has none.
        input: The class of an input that it takes whole; None if it has none.
        output: The type of its output; None if it has none.
    """

    parameters: tuple[inspect.Parameter, ...] | None
    context: str | None
    input: Any
    output: Any


def hinted(function: Callable[..., Any], names: Mapping[str, Any] | None = None) -> Hinted:
    """Return what the type hints of a function say.

    A function of `(input, context)`, or of parameters without hints, takes its input whole. Its
    hints count only where they are classes with fields: models, dataclasses, Structs, TypedDicts.

    Args:
        function: The function.
        names: Names beside those of its module that hints may use.

    Raises:
        TypeError: A hint cannot be read, a parameter cannot be given by name, the function is a
            method without its object, or does not accept (input, context).
    """
    try:
        signature = inspect.signature(function)
    except ValueError:  # a builtin without a signature
        return Hinted(None, None, None, None)
    name = getattr(function, "__qualname__", type(function).__qualname__)
    parameters = tuple(signature.parameters.values())
    if parameters and parameters[0].name in ("self", "cls"):
        raise TypeError(
            f"{name} is a method and has no object here: decorate a function that calls it"
        )
    hints = _hints(function, name, names) if _annotations(function) else {}
    if not _is_whole(parameters, hints):
        return _by_name(function, name, parameters, hints)
    try:
        signature.bind({}, ())
    except TypeError as error:
        raise TypeError(
            f"{name} must accept (input, context), or have a type hint for each key of its input: "
            f"{error}"
        ) from None
    first = hints.get(parameters[0].name)
    return Hinted(None, None, _with_fields(first), _with_fields(hints.get("return")))


def _by_name(
    function: Callable[..., Any], name: str, parameters: Parameters, hints: Mapping[str, Any]
) -> Hinted:
    contexts = [each for each in parameters if each.name == _CONTEXT or _hints_context(each)][:1]
    given = [each for each in parameters if each not in contexts]
    for each in given:
        if each.kind not in _BY_NAME:
            raise TypeError(
                f"{name}: {each} cannot be given by name; write a parameter for each key of the "
                "input, or take (input, context)"
            )
    typed = tuple(each.replace(annotation=hints.get(each.name, Any)) for each in given)
    context = contexts[0].name if contexts else None
    output = None if _streams(function) else hints.get("return")
    return Hinted(typed, context, None, None if output in (Any, type(None)) else output)


def _is_whole(parameters: Parameters, hints: Mapping[str, Any]) -> bool:
    """Return whether a function takes its input whole, and not a parameter for each key."""
    given = [each for each in parameters if each.name != _CONTEXT]
    if len(parameters) == 2 and parameters[0].name.strip("_") == "input":
        return parameters[1].annotation is _EMPTY or _is_context(parameters[1])
    if len(parameters) == 2 and parameters[1] in given and _is_context(parameters[1]):
        return _may_be_whole(hints.get(parameters[0].name, Any))
    return bool(given) and not any(each.annotation is not _EMPTY for each in given)


def _is_context(parameter: inspect.Parameter) -> bool:
    return parameter.name.strip("_") in _CONTEXTS or "TaskContext" in str(parameter.annotation)


def _hints_context(parameter: inspect.Parameter) -> bool:
    """Return whether a parameter is no key of the input, whatever the others are."""
    is_bare = parameter.annotation is _EMPTY and parameter.name.strip("_") in _CONTEXTS
    return is_bare or "TaskContext" in str(parameter.annotation)


def _may_be_whole(hint: Any) -> bool:
    """Return whether an input, which is a dict, may be what a hint says."""
    kind = get_origin(hint) or hint
    is_dict = isinstance(kind, type) and (kind in dict.__mro__ or issubclass(kind, Mapping))
    return hint is Any or is_dict or _with_fields(kind) is not None


def called_of(function: Callable[..., Any]) -> Any:
    """Return what carries the hints: a function, that of a partial, the call of an object."""
    while isinstance(function, functools.partial):
        function = function.func
    if inspect.isroutine(function):
        return function
    return getattr(function, "__call__", function)  # noqa: B004  # the method, not a test


def _annotations(function: Callable[..., Any]) -> Mapping[str, Any]:
    return getattr(called_of(function), "__annotations__", {})


def _streams(function: Callable[..., Any]) -> bool:
    called = called_of(function)
    return inspect.isasyncgenfunction(called) or inspect.isgeneratorfunction(called)


def _hints(
    function: Callable[..., Any], name: str, names: Mapping[str, Any] | None
) -> dict[str, Any]:
    try:
        return get_type_hints(called_of(function), localns=dict(names or {}), include_extras=True)
    except NameError as error:
        raise TypeError(
            f"{name}: a type hint names {error.name}, which is not defined where the function is "
            "decorated: define it before, or import it"
        ) from None
    except (TypeError, SyntaxError, AttributeError) as error:
        raise TypeError(f"{name}: a type hint cannot be read: {error}") from None


def _with_fields(hint: Any) -> Any:
    """Return a class with fields, and None for any other type."""
    return hint if any(hasattr(hint, each) for each in _OF_CLASSES) else None
