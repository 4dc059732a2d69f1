"""Common parts of the settings of vendors: validators, and a key that is never printed. Pure.

No message in here shows a value that may hold a secret.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from types import NoneType
from typing import Any
from urllib.parse import urlsplit

import attrs

_PATTERN = re.compile(r"[A-Za-z0-9._*?\[\]!-]{1,256}")

Validator = Callable[[object, "attrs.Attribute[Any]", Any], None]


def of_type(*types: type) -> Validator:
    """Return an attrs validator for these types; a bool passes only where `bool` is named."""
    names = " or ".join("None" if kind is type(None) else kind.__name__ for kind in types)

    def check(_owner: object, attribute: attrs.Attribute[Any], value: Any) -> None:
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            raise TypeError(f"{attribute.name} must be {names} and is a {type(value).__name__}")

    return check


def is_endpoint(_owner: object, attribute: attrs.Attribute[Any], value: str) -> None:
    """Check, as an attrs validator, that `value` is an HTTP URL without secrets in it.

    Raises:
        ValueError: It is not; the text does not repeat it, since it may hold a password.
    """
    try:
        parts = urlsplit(value)
        addressed = bool(parts.hostname) and parts.port != 0
    except ValueError:
        addressed = False
    if not addressed or parts.scheme not in {"http", "https"} or not _is_visible_ascii(value):
        raise ValueError(f"{attribute.name} must be a URL such as https://host or http://host:8080")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError(f"{attribute.name} must hold no password, ? or #; a key goes to api_key")


def as_stops(stop: Any) -> tuple[str, ...]:
    """Return `stop`, one text, several or None, as a tuple.

    Raises:
        TypeError: It is something else.
    """
    stops = (stop,) if isinstance(stop, str) else tuple(() if stop is None else stop)
    if not all(isinstance(text, str) for text in stops):
        raise TypeError("stop must be a str or a list of str")
    return stops


def as_patterns(tools: Any) -> tuple[str, ...]:
    """Return `tools`, one pattern of ids, several or None, as a tuple.

    Raises:
        TypeError: It is something else.
        ValueError: No id can match one of them.
    """
    if not isinstance(tools, str | list | tuple | NoneType):
        raise TypeError(f"tools must be a str or a list of str, not a {type(tools).__name__}")
    patterns = (tools,) if isinstance(tools, str) else tuple(tools or ())
    for pattern in patterns:
        if not isinstance(pattern, str):
            raise TypeError(f"tools must hold only str, not a {type(pattern).__name__}")
        if not _PATTERN.fullmatch(pattern):
            raise ValueError(
                f"tools must be ids of Neurons, or patterns such as 'fs.*', not {pattern!r:.100}"
            )
    return patterns


def _is_visible_ascii(text: str) -> bool:
    return all("!" <= character <= "~" for character in text)


def _stripped(text: str) -> str:
    return text.strip()


@attrs.frozen(repr=False)
class ApiKey:
    """A provider's key, or none when empty; its `repr` does not show it.

    Args:
        value: The key; white space around it, such as the line end of a file, is cut off.
    """

    _value: str = attrs.field(converter=_stripped)

    def __attrs_post_init__(self) -> None:
        if not _is_visible_ascii(self._value):
            raise ValueError("api_key must hold visible ASCII characters only, no space inside")

    def __repr__(self) -> str:
        return "ApiKey(***)" if self._value else "ApiKey()"

    def __bool__(self) -> bool:
        return bool(self._value)

    def header(self, name: str, prefix: str = "") -> dict[str, str]:
        """Return the HTTP header `name` that carries the key after `prefix`, or none."""
        return {name: prefix + self._value} if self._value else {}

    def bearer(self) -> dict[str, str]:
        """Return the header that most providers want."""
        return self.header("authorization", "Bearer ")

    def mask(self, text: str) -> str:
        """Return `text` without the key, as it is or as JSON writes it."""
        in_json = json.dumps(self._value)[1:-1]
        for form in (in_json.replace("/", r"\/"), in_json, self._value):
            text = text.replace(form, "***") if form else text
        return text
