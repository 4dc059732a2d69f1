"""Add members made at run time to the API pages: decorators, emitting and blocking verbs.

These members are values of a class (`on_bid = NamedDecorator(...)`) and have a docstring of their
own there. The reader of sources, griffe, sees an assignment; this extension adds the docstring.
"""

from __future__ import annotations

import importlib
from typing import Any

import griffe

PACKAGES = ("cosmonapse", "zmq_transport")


class RuntimeDocstrings(griffe.Extension):
    """Adds the docstring of a class's value where its source has none."""

    def on_attribute_instance(self, *, attr: griffe.Attribute, **_: Any) -> None:
        """Add it to one attribute, if the value has a docstring of its own."""
        owner = attr.parent
        if attr.docstring or owner is None or not owner.is_class or attr.name.startswith("_"):
            return
        if owner.path.split(".")[0] not in PACKAGES or attr.value is None:
            return
        cls = getattr(importlib.import_module(owner.module.path), owner.name, None)
        text = own_doc(vars(cls).get(attr.name)) if cls is not None else None
        if text:
            attr.docstring = griffe.Docstring(text, parent=attr)
            attr.value = None


def own_doc(value: object) -> str | None:
    """Return the docstring that was written for this value; a value has its class's by default."""
    text = getattr(value, "__doc__", None)
    return text if text != getattr(type(value), "__doc__", None) else None
