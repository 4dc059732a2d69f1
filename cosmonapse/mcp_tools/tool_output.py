"""The output of a Neuron from the result of a tool. Pure.

A result is a list of parts, and perhaps structured content, which is any JSON value. Parts that are
no text, such as images, hold their bytes as base64, as they came.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Part = Mapping[str, Any]


def text_of(parts: Sequence[Part]) -> str:
    """Return the texts of a result, and of the resources in it, joined by line ends."""
    resources = (part["resource"] if part.get("type") == "resource" else part for part in parts)
    return "\n".join(each["text"] for each in resources if "text" in each)


def output_of(
    structured: Any, parts: Sequence[Part], schema: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Return the output for a result.

    Args:
        structured: The structured content; None without any. A dict is the output, another value
            is `{"value": ...}`.
        parts: The parts. Without structured content they are `content`, and their texts `text`.
            Beside it, those that are no text are `content`, if `schema` admits that.
        schema: The schema of the output; None if all is admitted.
    """
    if structured is None:
        content = [dict(part) for part in parts]
        text = text_of(parts)
        return {"content": content, "text": text} if text else {"content": content}
    output = dict(structured) if isinstance(structured, Mapping) else {"value": structured}
    others = [dict(part) for part in parts if part.get("type") != "text"]
    if others and "content" not in output and _admits_more(schema):
        output["content"] = others
    return output


def _admits_more(schema: Mapping[str, Any] | None) -> bool:
    return schema is None or (
        schema.get("additionalProperties", True) is True and "content" not in schema
    )
