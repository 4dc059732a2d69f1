"""What a memory is asked: imprint, recall and forget, as the inputs of TASKs. Pure.

Spec: docs/memory.md, "The TASK of a memory".
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn, TypeAlias

import attrs

CAPABILITY = "memory"
"""The capability that a memory offers."""
MAX_TEXT_BYTES = 65_536
"""The most bytes of the text of an entry, in UTF-8."""
MAX_DATA_BYTES = 65_536
"""The most bytes of the data of an entry, as JSON."""
MAX_NAME_CHARS = 256
"""The most characters of an id and of a space."""
MAX_HITS = 100
"""The most entries that a recall returns."""
DEFAULT_HITS = 5
"""How many entries a recall returns without a limit."""


def _is_name(least: int) -> Any:
    def check(_: object, attribute: attrs.Attribute[Any], value: Any) -> None:
        what = attribute.name
        if not isinstance(value, str) or not least <= len(value) <= MAX_NAME_CHARS:
            _refuse(what, f"a text of {least} to {MAX_NAME_CHARS} characters")
        as_utf8(what, value)

    return check


def checked_id(id: Any) -> str:
    """Return the id of an entry.

    Raises:
        ValueError: It is no text of 1 to 256 characters.
    """
    if not isinstance(id, str):
        _refuse("id", f"a text of 1 to {MAX_NAME_CHARS} characters")
    return id


def _is_text(_: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    if not isinstance(value, str):
        _refuse(attribute.name, "a text")
    size = len(as_utf8(attribute.name, value))
    if size > MAX_TEXT_BYTES:
        raise ValueError(f"text has {size:,} bytes, and {MAX_TEXT_BYTES:,} are the most")


def _is_query(_: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    if not isinstance(value, str):
        _refuse(attribute.name, "a text")


def _is_json(_: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    try:
        size = len(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"data must be JSON: {error}") from None
    if size > MAX_DATA_BYTES:
        raise ValueError(f"data has {size:,} bytes as JSON, and {MAX_DATA_BYTES:,} are the most")


def _is_limit(_: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MAX_HITS:
        _refuse(attribute.name, f"a number from 1 to {MAX_HITS}")


def _refuse(what: str, expected: str) -> NoReturn:
    raise ValueError(f"{what} must be {expected}")


def as_utf8(what: str, value: str) -> bytes:
    """Return a text in UTF-8.

    Args:
        what: What the text is, for the error.
        value: The text.

    Raises:
        ValueError: It holds half of a surrogate pair.
    """
    try:
        return value.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{what} holds half of a surrogate pair, which is no character") from None


@attrs.frozen
class Imprint:
    """Keep a text; an entry with the same id in the same space is replaced.

    Args:
        text: What is kept and found again, up to 65,536 bytes.
        space: Whose it is: spaces do not see each other. Any text up to 256 characters.
        id: Its id in the space, 1 to 256 characters; None for that of the TASK.
        data: Any JSON that goes with it, up to 65,536 bytes.

    Raises:
        ValueError: A value is not of this form.
    """

    text: str = attrs.field(validator=_is_text)
    space: str = attrs.field(default="", validator=_is_name(0), kw_only=True)
    id: str | None = attrs.field(
        default=None, validator=attrs.validators.optional(_is_name(1)), kw_only=True
    )
    data: Any = attrs.field(default=None, validator=_is_json, kw_only=True)


@attrs.frozen
class Recall:
    """Find the entries of a space that fit a query best.

    Args:
        query: Any text; without a word in it the newest entries are found.
        space: Where to look.
        limit: How many entries at most, 1 to 100.

    Raises:
        ValueError: A value is not of this form.
    """

    query: str = attrs.field(validator=_is_query)
    space: str = attrs.field(default="", validator=_is_name(0), kw_only=True)
    limit: int = attrs.field(default=DEFAULT_HITS, validator=_is_limit, kw_only=True)


@attrs.frozen
class Forget:
    """Drop one entry of a space, or all of them.

    Args:
        id: Which entry; None for all of the space.
        space: Where it is.

    Raises:
        ValueError: A value is not of this form.
    """

    id: str | None = attrs.field(validator=attrs.validators.optional(_is_name(1)))
    space: str = attrs.field(default="", validator=_is_name(0), kw_only=True)


Operation: TypeAlias = Imprint | Recall | Forget

_OPERATIONS: Mapping[str, type[Operation]] = {
    "imprint": Imprint,
    "recall": Recall,
    "forget": Forget,
}
_NAMES = {kind: name for name, kind in _OPERATIONS.items()}
_FORM = '{"op": "imprint", "text"}, {"op": "recall", "query"} or {"op": "forget", "id"}'


def input_of(operation: Operation) -> dict[str, Any]:
    """Return an operation as the input of a TASK; values that are None are left out."""
    values = attrs.asdict(operation, recurse=False)
    given = {key: value for key, value in values.items() if value is not None}
    if isinstance(operation, Forget):
        given["id"] = operation.id
    return {"op": _NAMES[type(operation)], **given}


def operation_of(input: Any) -> Operation:
    """Return the operation that the input of a TASK asks for; keys that are unknown are ignored.

    Raises:
        ValueError: It asks for none, or a value is not of its form.
    """
    if not isinstance(input, Mapping) or input.get("op") not in _NAMES.values():
        raise ValueError(f"a memory takes {_FORM}")
    kind = _OPERATIONS[input["op"]]
    names = [field.name for field in attrs.fields(kind)]
    missing = [f.name for f in attrs.fields(kind) if f.default is attrs.NOTHING]
    # Models write null for what they leave open.
    given = {
        name: input[name]
        for name in names
        if name in input and (input[name] is not None or name in missing)
    }
    for name in missing:
        if name not in given:
            raise ValueError(f"{input['op']} needs {name!r}: a memory takes {_FORM}")
    return kind(**given)


_NAME = {"type": "string", "maxLength": MAX_NAME_CHARS}
INPUT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "op": {
            "enum": list(_OPERATIONS),
            "description": "imprint keeps a text, recall finds texts, forget drops one",
        },
        "text": {"type": "string", "description": "imprint: what to keep"},
        "query": {"type": "string", "description": "recall: any words"},
        "id": {
            "type": ["string", "null"],
            "maxLength": MAX_NAME_CHARS,
            "description": "imprint: replaces the entry with this id; forget: null drops all",
        },
        "space": {**_NAME, "description": "whose memory; spaces do not see each other"},
        "data": {"description": "imprint: any JSON that goes with the text"},
        "limit": {"type": "integer", "minimum": 1, "maximum": MAX_HITS},
    },
    "required": ["op"],
}
OUTPUT_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "description": "imprint: the id of the entry"},
        "hits": {
            "type": "array",
            "description": "recall: the best first",
            "items": {
                "type": "object",
                "properties": {
                    "id": {"type": "string"},
                    "text": {"type": "string"},
                    "data": {},
                    "score": {"type": "number"},
                },
            },
        },
        "forgotten": {"type": "integer", "description": "forget: how many entries"},
    },
}
