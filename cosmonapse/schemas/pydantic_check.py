"""Types that pydantic knows: its models, dataclasses, TypedDicts, containers and signatures. Pure.

Its texts are for people already; those that repeat a part of the value are written anew.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import PydanticUserError, TypeAdapter, ValidationError
from pydantic.errors import PydanticSchemaGenerationError
from pydantic_core import PydanticSerializationError

from .scrubbing import without
from .type_check import Finding, Misfit, joined

_ANEW: Mapping[str, str] = {
    "union_tag_invalid": "Input should have one of the tags {expected_tags}",
    "uuid_parsing": "Input should be a valid UUID",
    "unexpected_keyword_argument": "Extra inputs are not permitted",
    "missing_argument": "Field required",
    "missing_keyword_only_argument": "Field required",
    "json_invalid": "Input should be valid JSON",
}
_OF_USERS = frozenset({"value_error", "assertion_error"})


class PydanticCheck:
    """A type that pydantic knows.

    Args:
        kind: The type.
        serialized: Whether it is given out, and not taken.

    Raises:
        TypeError: pydantic makes no schema of it.
    """

    def __init__(self, kind: Any, *, serialized: bool = False) -> None:
        try:
            self._adapter: TypeAdapter[Any] = TypeAdapter(kind)
            self.schema = self._adapter.json_schema(
                mode="serialization" if serialized else "validation"
            )
        except PydanticSchemaGenerationError as error:
            raise TypeError(_first_line(error)) from None
        except PydanticUserError as error:
            raise TypeError(_told(error)) from None

    def load(self, value: Any) -> Any:
        """Return what the type makes of a plain value."""
        try:
            return self._adapter.validate_python(value)
        except ValidationError as error:
            raise Misfit(_findings(error)) from None

    def plain(self, value: Any) -> Any:
        """Return the plain value that a value stands for; keys that the type ignores are not in."""
        if dataclasses.is_dataclass(value) and not hasattr(value, "__pydantic_validator__"):
            value = {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
        loaded = self.load(value)
        try:
            return self._adapter.dump_python(loaded, mode="json", by_alias=True, warnings="error")
        except PydanticSerializationError:
            what = "A field holds a value of another type than its class says, or of no JSON"
            raise Misfit([Finding("", what)]) from None


def parameters_check(parameters: Iterable[inspect.Parameter]) -> PydanticCheck:
    """Return a check that loads a dict into the arguments for some parameters, by name.

    Raises:
        TypeError: pydantic makes no schema of them.
    """

    def given(**arguments: Any) -> dict[str, Any]:
        return arguments

    named = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in parameters]
    given.__annotations__ = {each.name: each.annotation for each in named}
    given.__signature__ = inspect.Signature(named)  # type: ignore[attr-defined]
    return PydanticCheck(given)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _told(error: PydanticUserError) -> str:
    if error.code == "typed-dict-version":
        return (
            "before Python 3.12 pydantic reads no typing.TypedDict: use "
            "typing_extensions.TypedDict, which is the same"
        )
    return _first_line(error)


def _findings(error: ValidationError) -> list[Finding]:
    return [
        Finding(joined(each["loc"]), _what(each))
        for each in error.errors(include_url=False, include_context=True)
    ]


def _what(fault: Mapping[str, Any]) -> str:
    kind, text = fault["type"], str(fault["msg"])
    if kind in _ANEW:
        return _ANEW[kind].format_map(fault.get("ctx", {}))
    # What a validator of the user's own raises may repeat what it was given.
    is_own = kind in _OF_USERS or "{" in text
    return without(fault.get("input"), text) if is_own else text
