"""The parts of A2A's messages, as texts and values and back. Pure; needs the extra [a2a]."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from a2a.types import Part
from google.protobuf.struct_pb2 import ListValue, Struct, Value

from ..edge.outcomes import BadRequest
from .a2a_parts import JSON_TYPE, DataPart, Piece, TextPart


def pieces_of(parts: Iterable[Part]) -> list[Piece]:
    """Return the texts and the values of a message.

    Raises:
        BadRequest: It holds a file.
    """
    return [_piece(part) for part in parts]


def _piece(part: Part) -> Piece:
    match part.WhichOneof("content"):
        case "text":
            return TextPart(part.text, part.media_type.partition(";")[0].strip().lower())
        case "data":
            return DataPart(plain(part.data))
        case kind:
            raise BadRequest(
                f"send text and data parts; this agent takes no {kind or 'empty'} part"
            )


def parts_of(pieces: Iterable[Piece]) -> list[Part]:
    """Return parts for A2A."""
    return [_part(piece) for piece in pieces]


def _part(piece: Piece) -> Part:
    if isinstance(piece, TextPart):
        return Part(text=piece.text, media_type=piece.media_type or "text/plain")
    part = Part(data=as_value(piece.value), media_type=JSON_TYPE)
    if piece.is_rounded:
        part.metadata.update({"rounded": True})
    return part


def plain(value: Value) -> Any:
    """Return what a Value holds; every number of it is a float."""
    match value.WhichOneof("kind"):
        case "struct_value":
            return {key: plain(each) for key, each in value.struct_value.fields.items()}
        case "list_value":
            return [plain(each) for each in value.list_value.values]
        case "null_value" | None:
            return None
        case kind:
            return getattr(value, kind)


def as_value(value: Any) -> Value:
    """Return a value of JSON as a Value."""
    match value:
        case None:
            return Value(null_value=0)
        case bool():
            return Value(bool_value=value)
        case int() | float():
            return Value(number_value=float(value))
        case str():
            return Value(string_value=value.encode("utf-8", "backslashreplace").decode())
        case Mapping():
            fields = {_key(key): as_value(each) for key, each in value.items()}
            return Value(struct_value=Struct(fields=fields))
        case _:
            return Value(list_value=ListValue(values=map(as_value, value)))


def _key(key: str) -> str:
    return key.encode("utf-8", "backslashreplace").decode()
