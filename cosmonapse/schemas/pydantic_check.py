"""Types that pydantic knows: its models, dataclasses, TypedDicts, containers and signatures. Pure.

Its texts are for people already; those that repeat a part of the value are written anew.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
from collections.abc import Iterable, Mapping
from typing import Any, get_args

from pydantic import PydanticUserError, TypeAdapter, ValidationError
from pydantic.errors import PydanticSchemaGenerationError
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaWarningKind
from pydantic_core import PydanticSerializationError
from pydantic_core.core_schema import ErrorType

from .scrubbing import without
from .type_check import Finding, Misfit, joined

_ANEW: Mapping[str, str] = {
    "union_tag_invalid": "Input should have one of the tags {expected_tags}",
    "uuid_parsing": "Input should be a valid UUID",
    "unexpected_keyword_argument": "Extra inputs are not permitted",
    "missing_argument": "Field required",
    "missing_keyword_only_argument": "Field required",
    "json_invalid": "Input should be valid JSON",
    "import_error": "Input should be the path of something that can be imported",
    "timezone_offset": "Input should have a timezone offset of {tz_expected} s",
}
_OF_USERS = frozenset({"value_error", "assertion_error"})
_OF_PYDANTIC = frozenset(get_args(ErrorType)) - _OF_USERS


class _Schema(GenerateJsonSchema):
    """A JSON Schema that is the same in every process: digests of replicas are compared."""

    def emit_warning(self, kind: JsonSchemaWarningKind, detail: str) -> None:
        """Leave out what is no JSON, such as a default, without a warning."""

    def encode_default(self, dft: Any) -> Any:
        """Return a default as JSON; the order of a set is another one in each process."""
        if isinstance(dft, set | frozenset):
            return sorted(super().encode_default(dft), key=json.dumps)
        if type(dft) in (list, tuple):
            return [self.encode_default(each) for each in dft]
        if type(dft) is dict:
            values = {key: self.encode_default(value) for key, value in dft.items()}
            return super().encode_default(values)
        return super().encode_default(dft)


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
                mode="serialization" if serialized else "validation", schema_generator=_Schema
            )
        except PydanticSchemaGenerationError as error:
            raise TypeError(_first_line(error)) from None
        except PydanticUserError as error:
            raise TypeError(_told(error)) from None
        self._is_strict = "'strict': True" in repr(self._adapter.core_schema)

    def load(self, value: Any) -> Any:
        """Return what the type makes of a plain value."""
        try:
            return self._adapter.validate_python(value)
        except ValidationError as error:
            if self._is_strict:
                return self._from_json(value, error)
            raise Misfit(_findings(error, value)) from None

    def _from_json(self, value: Any, error: ValidationError) -> Any:
        """Load a value for a strict type as JSON, which knows neither dates nor tuples."""
        try:
            return self._adapter.validate_json(json.dumps(value))
        except ValidationError as of_json:
            error = of_json
        except (TypeError, ValueError, RecursionError):
            pass  # it is no JSON
        raise Misfit(_findings(error, value)) from None

    def plain(self, value: Any) -> Any:
        """Return the plain value that a value stands for; keys that the type ignores are not in."""
        if dataclasses.is_dataclass(value) and not hasattr(value, "__pydantic_validator__"):
            value = {each.name: getattr(value, each.name) for each in dataclasses.fields(value)}
        loaded = self.load(value)
        try:
            return self._adapter.dump_python(loaded, mode="json", by_alias=True, warnings="error")
        except (PydanticSerializationError, ValueError, RecursionError):
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


def _findings(error: ValidationError, value: Any) -> list[Finding]:
    return [
        Finding(joined(each["loc"]), _what(each, value))
        for each in error.errors(include_url=False, include_context=True)
    ]


def _what(fault: Mapping[str, Any], value: Any) -> str:
    kind, text = fault["type"], str(fault["msg"])
    if kind in _ANEW:
        return _ANEW[kind].format_map(fault.get("ctx", {}))
    # What a validator of the user's own raises may repeat what it was given, or a field beside.
    # Why a date or a URL cannot be parsed is said without it.
    is_told = "error" in fault.get("ctx", ()) and not kind.endswith("_parsing")
    is_own = is_told or kind not in _OF_PYDANTIC
    return without([value, fault.get("input")], text) if is_own else text
