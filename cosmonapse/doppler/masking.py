"""Payloads as observers may see them: converted for JSON, with secrets masked. Pure.

A value under a key such as `api_key`, `token` or `password` becomes `MASK`, however deep it sits;
so does a value beside such a name (`{"name": "authorization", "value": ...}`, or a pair of both in
a list). The inside of a text is not searched.
"""

from __future__ import annotations

import base64
import functools
import math
from typing import Any

MASK = "•••"
LONGEST_TEXT = 2_000
MOST_ITEMS = 100
MOST_VALUES = 2_000
"""Most values of a shortened payload, of all depths together."""
_SAFE_INT = 2**53
_LONGEST_KEY = 128
_PARTS = (
    "apikey",
    "accesskey",
    "authorization",
    "cookie",
    "credential",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "secret",
    "signingkey",
    "encryptionkey",
    "sessionkey",
)
_ENDS = (
    "token",
    "accesstokens",
    "apitokens",
    "authtokens",
    "bearertokens",
    "refreshtokens",
    "sessionid",
    "pwd",
)
_WHOLE = frozenset({"auth", "bearer", "jwt", "keypair", "pin", "otp", "signature"})
_NAMED = ("name", "key", "header", "field")


@functools.lru_cache(maxsize=4096)
def _is_secret(key: str) -> bool:
    plain = key.lower().replace("-", "").replace("_", "").replace(" ", "").replace(".", "")
    if plain in _WHOLE or plain.endswith(_ENDS):
        return True
    return any(part in plain for part in _PARTS)


def is_secret(key: str) -> bool:
    """Return whether a value under this key is secret; case, `-` and `_` are ignored.

    A count of tokens (`max_tokens`, `usage.total_tokens`) is not secret.
    """
    return _is_secret(key if len(key) <= _LONGEST_KEY else key[:_LONGEST_KEY])


class Masking:
    """Converts one payload to the part of it that is shown.

    Args:
        shortens: Whether long texts, lists and dicts are cut.

    Attributes:
        cut: Whether something was cut.
    """

    __slots__ = ("_left", "_shortens", "cut")

    def __init__(self, shortens: bool) -> None:
        self.cut = False
        self._shortens = shortens
        self._left = MOST_VALUES

    def of(self, value: Any) -> Any:
        """Return a value converted for JSON: bytes as base 64, NaN and large ints as text."""
        kind = value.__class__
        if kind is str:
            return self._text(value) if len(value) > LONGEST_TEXT else value
        if kind is dict:
            return self._dict(value)
        if kind is list or kind is tuple:
            return self._list(value)
        if value is None or kind is bool:
            return value
        return self._rare(value)

    def _rare(self, value: Any) -> Any:
        if isinstance(value, int):
            return value if -_SAFE_INT < value < _SAFE_INT else str(value)
        if isinstance(value, float):
            return value if math.isfinite(value) else str(value)
        if isinstance(value, (bytes, bytearray, memoryview)):
            return self._bytes(bytes(value))
        return self._text(str(value))

    def _text(self, text: str) -> str:
        if not self._shortens or len(text) <= LONGEST_TEXT:
            return text
        self.cut = True
        return text[:LONGEST_TEXT] + "…"

    def _bytes(self, value: bytes) -> str:
        if self._shortens and len(value) > LONGEST_TEXT * 3 // 4:
            self.cut = True
            return base64.b64encode(value[: LONGEST_TEXT * 3 // 4]).decode() + "…"
        return base64.b64encode(value).decode()

    def _room(self, wanted: int) -> int:
        """Return how many items of a container may be shown."""
        if not self._shortens:
            return wanted
        room = min(wanted, MOST_ITEMS, self._left)
        self._left -= room
        if room < wanted:
            self.cut = True
        return room

    def _dict(self, value: dict[str, Any]) -> dict[str, Any]:
        room = self._room(len(value))
        shown: dict[str, Any] = {}
        for key, item in value.items():
            if room == 0:
                shown["…"] = f"{len(value) - len(shown):,} more"
                break
            room -= 1
            name = key if len(key) <= LONGEST_TEXT else self._text(key)
            shown[name] = MASK if item is not None and is_secret(key) else self.of(item)
        if "value" in shown and any(_names_secret(value.get(each)) for each in _NAMED):
            shown["value"] = MASK
        return shown

    def _list(self, value: list[Any] | tuple[Any, ...]) -> list[Any]:
        if len(value) == 2 and _names_secret(value[0]):
            return [value[0], MASK]
        room = self._room(len(value))
        shown = [self.of(item) for item in (value if room == len(value) else value[:room])]
        if room < len(value):
            shown.append(f"… {len(value) - room:,} more")
        return shown


def _names_secret(name: Any) -> bool:
    return name.__class__ is str and is_secret(name)


def masked(value: Any) -> Any:
    """Return a whole value converted for JSON, with secrets masked."""
    return Masking(shortens=False).of(value)


class _Hiding(Masking):
    """Hides secrets and converts nothing."""

    __slots__ = ()

    def _rare(self, value: Any) -> Any:
        return value


def hidden(value: Any) -> Any:
    """Return a whole value as it is, its secrets masked."""
    return _Hiding(shortens=False).of(value)
