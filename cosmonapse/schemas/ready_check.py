"""A JSON Schema that the user has written: checked by jsonschema where it is installed. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..runtime.printable import shortened
from .shape import is_there, references
from .type_check import Finding, Misfit, joined

_MAX_TOLD_CHARS = 200
# jsonschema's own texts repeat the value: these are for the keywords that are used most.
_TEXTS: Mapping[str, str] = {
    "type": "must be of type {wanted}",
    "enum": "must be one of {wanted}",
    "const": "must be {wanted}",
    "minimum": "must be at least {wanted}",
    "maximum": "must be at most {wanted}",
    "minLength": "must have at least {wanted} characters",
    "maxLength": "must have at most {wanted} characters",
    "minItems": "must have at least {wanted} items",
    "maxItems": "must have at most {wanted} items",
}


class ReadyCheck:
    """A JSON Schema that is there already.

    Args:
        schema: The schema.

    Raises:
        ValueError: It is no JSON Schema, as far as jsonschema is there to tell.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.schema = dict(schema)
        self._validator = _validator_for(self.schema)

    @property
    def is_unchecked(self) -> bool:
        """Whether values are not checked, because jsonschema is not installed."""
        return self._validator is None

    def load(self, value: Any) -> Any:
        """Return the value itself."""
        if self._validator is not None:
            errors = list(self._validator.iter_errors(value))
            if errors:
                raise Misfit(finding for error in errors for finding in _findings(error))
        return value

    def plain(self, value: Any) -> Any:
        """Return the value itself; what is no dict is checked as callers receive it."""
        self.load(value if isinstance(value, dict) else {"value": value})
        return value


def _validator_for(schema: dict[str, Any]) -> Any:
    try:
        import jsonschema
        import referencing
    except ImportError:
        return None
    kind = jsonschema.validators.validator_for(schema, jsonschema.Draft202012Validator)
    try:
        kind.check_schema(schema)
    except jsonschema.SchemaError as error:
        where = joined(error.absolute_path) or "its root"
        raise ValueError(f"it is no JSON Schema, at {where}: {error.message}") from None
    for ref in references(schema):
        if not is_there(schema, ref):
            raise ValueError(
                f"it refers to {ref!r:.200}, which is not in it; nothing is fetched: put it in"
            )
    return kind(schema, registry=referencing.Registry())  # that of jsonschema opens URLs


def _findings(error: Any) -> list[Finding]:
    keyword, wanted, where = error.validator, error.validator_value, error.absolute_path
    if keyword is None:  # a schema that is `false`, for which no path is told
        return [Finding(joined(where), "holds what a schema of false forbids")]
    if keyword == "required":
        missing = [name for name in wanted if error.message.startswith(f"{name!r} ")]
        return [Finding(joined([*where, name]), "is required") for name in missing]
    if keyword == "additionalProperties" and wanted is False:
        known = error.schema.get("properties", {})
        extra = [name for name in error.instance if name not in known]
        return [Finding(joined([*where, name]), "is not permitted") for name in extra]
    text = _TEXTS.get(keyword, "does not satisfy {keyword}: {wanted}")
    told = text.format(keyword=keyword, wanted=_told(wanted))
    return [Finding(joined(where), told)]


def _told(wanted: Any) -> str:
    text = wanted if isinstance(wanted, str) else json.dumps(wanted, ensure_ascii=False)
    return shortened(text, _MAX_TOLD_CHARS)
