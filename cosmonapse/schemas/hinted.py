"""Reads what the type hints of a function say about its input and its output. Pure."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_type_hints

import attrs

_CONTEXT = "context"
_EMPTY = inspect.Parameter.empty
_BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_OF_CLASSES = ("__pydantic_fields__", "__dataclass_fields__", "__struct_fields__", "__total__")
Parameters = Sequence[inspect.Parameter]


@attrs.frozen
class Hinted:
    """What the type hints of a function say.

    Args:
        parameters: The parameters that its input holds by name; None if it takes the input whole.
        takes_context: Whether it has a parameter `context` beside them.
        input: The class of an input that it takes whole; None if it has none.
        output: The type of its output; None if it has none.
    """

    parameters: tuple[inspect.Parameter, ...] | None
    takes_context: bool
    input: Any
    output: Any


def hinted(function: Callable[..., Any], names: Mapping[str, Any] | None = None) -> Hinted:
    """Return what the type hints of a function say.

    A function of `(input, context)`, or without hints, takes its input whole; of it only classes
    with fields count as types.

    Args:
        function: The function.
        names: Names beside those of its module that hints may use.

    Raises:
        TypeError: A hint cannot be read, or a parameter cannot be given by name.
    """
    try:
        parameters = tuple(inspect.signature(function).parameters.values())
    except ValueError:  # a builtin without a signature
        return Hinted(None, False, None, None)
    name = getattr(function, "__qualname__", type(function).__qualname__)
    if not _is_whole(parameters, function):
        return _by_name(function, name, parameters, names)
    if not any(each.annotation is not _EMPTY for each in parameters):
        return Hinted(None, False, None, None)
    hints = _hints(function, name, names)
    return Hinted(
        None, False, _with_fields(hints.get(parameters[0].name)), _with_fields(hints.get("return"))
    )


def _by_name(
    function: Callable[..., Any], name: str, parameters: Parameters, names: Mapping[str, Any] | None
) -> Hinted:
    hints = _hints(function, name, names)
    given = [each for each in parameters if each.name != _CONTEXT]
    for each in given:
        if each.kind not in _BY_NAME:
            raise TypeError(
                f"{name}: {each} cannot be given by name; write a parameter for each key of the "
                "input, or take (input, context)"
            )
    typed = tuple(each.replace(annotation=hints.get(each.name, Any)) for each in given)
    output = None if _streams(function) else hints.get("return")
    return Hinted(
        typed, len(given) < len(parameters), None, None if output in (Any, type(None)) else output
    )


def _is_whole(parameters: Parameters, function: Callable[..., Any]) -> bool:
    """Return whether a function takes its input whole, and not a parameter for each key."""
    given = [each for each in parameters if each.name != _CONTEXT]
    has_hints = any(each.annotation is not _EMPTY for each in given)
    if len(parameters) == 2 and parameters[0].name.strip("_") == "input":
        return parameters[1].annotation is _EMPTY or _is_context(parameters[1])
    if len(parameters) == 2 and parameters[1] in given and _is_context(parameters[1]):
        return True
    return not has_hints and (bool(given) or "return" not in _annotations(function))


def _is_context(parameter: inspect.Parameter) -> bool:
    named = parameter.name.strip("_") in (_CONTEXT, "ctx")
    return named or "TaskContext" in str(parameter.annotation)


def _called(function: Callable[..., Any]) -> Any:
    """Return what carries the hints: the function, or the `__call__` of an object."""
    if inspect.isroutine(function):
        return function
    return getattr(function, "__call__", function)  # noqa: B004  # the method, not a test


def _annotations(function: Callable[..., Any]) -> Mapping[str, Any]:
    return getattr(_called(function), "__annotations__", {})


def _streams(function: Callable[..., Any]) -> bool:
    called = _called(function)
    return inspect.isasyncgenfunction(called) or inspect.isgeneratorfunction(called)


def _hints(
    function: Callable[..., Any], name: str, names: Mapping[str, Any] | None
) -> dict[str, Any]:
    try:
        return get_type_hints(_called(function), localns=dict(names or {}), include_extras=True)
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
