"""Types that msgspec knows: its Structs, and without pydantic dataclasses and TypedDicts. Pure."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from typing import Any

import msgspec

from .scrubbing import without
from .type_check import Finding, Misfit

_PLACE = re.compile(r" - at `(?:key in )?\$?\.?(?P<where>[^`]*)`$")
_CUSTOM = re.compile(r"type <class '(?:.*\.)?(?P<kind>[^'.]+)'>")
_VALUE = re.compile(r"^(?P<what>Invalid (?:enum )?value) .*$", re.DOTALL)


class MsgspecCheck:
    """A type that msgspec knows.

    Args:
        kind: The type.

    Raises:
        TypeError: msgspec makes no schema of it.
    """

    def __init__(self, kind: Any) -> None:
        try:
            self.schema = msgspec.json.schema(kind)
        except (TypeError, NameError) as error:
            raise TypeError(_why_not(error)) from None
        self._kind = kind

    def load(self, value: Any) -> Any:
        """Return what the type makes of a plain value."""
        try:
            return msgspec.convert(value, self._kind, str_keys=True)  # as JSON has them
        except msgspec.ValidationError as error:
            raise Misfit([_finding(error, value)]) from None

    def plain(self, value: Any) -> Any:
        """Return the plain value that a value stands for; keys that the type ignores are not in."""
        try:
            given = msgspec.to_builtins(value, str_keys=True)
        except (TypeError, RecursionError):
            what = f"{type(value).__name__} holds a value that is no JSON"
            raise Misfit([Finding("", what)]) from None
        # A Struct checks nothing when it is made.
        return msgspec.to_builtins(self.load(given), str_keys=True)


class ParametersCheck(MsgspecCheck):
    """A check that loads a dict into the arguments for some parameters, by name."""

    def __init__(self, parameters: Iterable[inspect.Parameter]) -> None:
        fields = [
            (each.name, each.annotation)
            if each.default is inspect.Parameter.empty
            else (each.name, each.annotation, each.default)
            for each in parameters
        ]
        super().__init__(
            msgspec.defstruct("Parameters", fields, kw_only=True, forbid_unknown_fields=True)
        )

    def load(self, value: Any) -> Any:
        """Return the arguments that a dict stands for."""
        loaded = super().load(value)
        return {name: getattr(loaded, name) for name in loaded.__struct_fields__}


def _why_not(error: Exception) -> str:
    """Return why msgspec makes no schema, in one line."""
    text = str(error)
    custom = _CUSTOM.search(text)
    if custom is None:
        return text.partition("\n")[0]
    return (
        f"msgspec knows no type {custom['kind']}, and a type with a Struct in it is read by "
        "msgspec alone: use a Struct, a dataclass or a TypedDict in its place"
    )


def _finding(error: msgspec.ValidationError, value: Any) -> Finding:
    text = str(error)
    place = _PLACE.search(text)
    what = text[: place.start()] if place else text
    if error.__cause__ is not None:
        what = without(value, what)  # a check of the user's own
    elif repeats := _VALUE.match(what):
        what = repeats["what"]
    return Finding(place["where"] if place else "", what)
