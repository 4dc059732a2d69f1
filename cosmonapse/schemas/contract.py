"""What an Axon checks: the input before its function runs, and the output after it. Pure.

Spec: docs/spec/07-signals.md, "Cards".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from ..errors import CosmonapseError, NeuronError
from ..follow_up_input import ANSWER_KEYS
from .shape import input_schema, output_schema
from .type_check import Finding, Misfit, ReadyMade, TypeCheck
from .type_choice import check_of


class Unfit(NeuronError):
    """An input, or an output, that does not fit its type; the code says which.

    Its cause is the exception with which a check of the user's own broke, if one did.
    """


@attrs.frozen
class Contract:
    """What an Axon checks.

    Args:
        input: The type of the input; None for no check.
        output: The type of the output; None for no check.
        as_model: Whether the function receives what the type makes of the input.
    """

    input: TypeCheck | None
    output: TypeCheck | None
    as_model: bool = False
    input_schema: dict[str, Any] | None = attrs.field(init=False)
    output_schema: dict[str, Any] | None = attrs.field(init=False)
    _answers: frozenset[str] = attrs.field(init=False)

    @input_schema.default
    def _input_schema(self) -> dict[str, Any] | None:
        return None if self.input is None else input_schema(self.input.schema)

    @output_schema.default
    def _output_schema(self) -> dict[str, Any] | None:
        return None if self.output is None else output_schema(self.output.schema)

    @_answers.default
    def _of_answers(self) -> frozenset[str]:
        """Return the keys of answers that are no part of the type."""
        return frozenset(ANSWER_KEYS) - set((self.input_schema or {}).get("properties", ()))

    @property
    def is_unchecked(self) -> bool:
        """Whether jsonschema is missing for one of the schemas, so that it checks nothing."""
        return any(getattr(each, "is_unchecked", False) for each in (self.input, self.output))

    def given(self, value: Any) -> Any:
        """Return what the function receives for the input of a TASK.

        Answers to questions are no part of the type: they are set aside before the check.

        Raises:
            Unfit: BAD_INPUT, it does not fit.
        """
        if self.input is None:
            return value
        try:
            model = _checked(self.input.load, self._without_answers(value))
        except Misfit as misfit:
            raise Unfit("BAD_INPUT", misfit.text("input")) from misfit.__cause__
        return model if self.as_model else value

    def _without_answers(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise Misfit([Finding("", f"must be a dict, not {type(value).__name__}")])
        if self._answers.isdisjoint(value):
            return value
        return {key: item for key, item in value.items() if key not in self._answers}

    def gives(self, value: Any) -> Any:
        """Return the plain output for what a function has returned.

        Raises:
            Unfit: BAD_OUTPUT, it does not fit.
        """
        if self.output is None:
            return value
        try:
            return _checked(self.output.plain, value)
        except Misfit as misfit:
            text = f"the output does not fit its type: {misfit.text('output')}"
            raise Unfit("BAD_OUTPUT", text) from misfit.__cause__


def _checked(check: Callable[[Any], Any], value: Any) -> Any:
    """Return what a check makes of a value; a validator of the user's own may raise anything."""
    try:
        return check(value)
    except (Misfit, CosmonapseError):
        raise
    except Exception as error:
        what = f"the check of its type failed with {type(error).__name__}"
        raise Misfit([Finding("", what)]) from error


def contract_of(input: Any, output: Any, as_model: bool) -> Contract | None:
    """Return the contract of an Axon, or None if it has none.

    Args:
        input: A type, a JSON Schema or a check; None for no check.
        output: A type, a JSON Schema or a check; None for no check.
        as_model: Whether the function receives what the type makes of the input.

    Raises:
        TypeError: No schema can be made, or that of the input describes no dict.
        ValueError: A dict is no JSON Schema.
        MissingExtra: Neither pydantic nor msgspec is installed.
    """
    if input is None and output is None:
        return None
    return Contract(_taken(input), _given(output), as_model)


def _taken(kind: Any) -> TypeCheck | None:
    if isinstance(kind, dict):
        kind = input_schema(kind)
    if isinstance(kind, ReadyMade):
        return kind.check
    return None if kind is None else check_of(kind)


def _given(kind: Any) -> TypeCheck | None:
    if isinstance(kind, dict):
        kind = output_schema(kind)
    if isinstance(kind, ReadyMade):
        return kind.check
    return None if kind is None else check_of(kind, serialized=True)
