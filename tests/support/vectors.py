"""`docs/spec/vectors.json`, and what its notation stands for."""

import json
from pathlib import Path

import pytest

VECTORS = json.loads(
    (Path(__file__).resolve().parents[2] / "docs/spec/vectors.json").read_text(encoding="utf-8")
)
MESSAGES = VECTORS["messages"]

_TAGS = {
    "$int": int,
    "$float": float,
    "$bytes": bytes.fromhex,
    "$map": lambda pairs: {key: revived(value) for key, value in pairs},
}


def revived(value):
    """Return the value that `value` stands for: `{"$bytes": "00ff"}` is b"\\x00\\xff"."""
    if isinstance(value, list):
        return [revived(each) for each in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1 and (tag := next(iter(value))) in _TAGS:
        return _TAGS[tag](value[tag])
    return {key: revived(each) for key, each in value.items()}


def each_of(vectors, key="name"):
    return pytest.mark.parametrize("vector", vectors, ids=lambda vector: str(vector[key])[:60])


def message_named(name):
    return next(each for each in MESSAGES if each["name"] == name)
