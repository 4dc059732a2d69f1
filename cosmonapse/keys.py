"""Keys: their texts, and the file NAME.key, which is all that a client needs. Page: docs/keys.md.

A secret stands in files of mode 0600 and in memory, nowhere else: never in a `repr`, an error, a
log, an argument or a variable of the environment. A file that others may read is not used.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, Self

import attrs

from .errors import InvalidKey
from .names import checked_name
from .runtime.private_files import about_file, read_private, texts_of, toml_text, write_new

KEY_BYTES: Final = 32
PUBLIC_PREFIX: Final = "cpk_"
SECRET_PREFIX: Final = "csk_"
KEY_SUFFIX: Final = ".key"
_CHECKSUM_BYTES = 4
_TEXT_CHARS = 58
_MAX_SYNAPSES = 32
_KEY_NAME = re.compile(r"[A-Za-z0-9]")
SYNAPSE_NAME: Final = "synapse"
"""The name of the file with the Synapse's own pair, and so of no other key."""
UID_PREFIX: Final = "uid-"
"""`uid-1000` stands for a user of this machine, who needs no key."""
_FIELDS = ("name", "public", "secret", "synapse", "url")


def public_text(public: bytes) -> str:
    """Return a public key as text: `cpk_` and 58 characters."""
    return _text(PUBLIC_PREFIX, public)


def secret_text(secret: bytes) -> str:
    """Return a secret key as text: `csk_` and 58 characters. For a file of mode 0600 only."""
    return _text(SECRET_PREFIX, secret)


def public_key(text: object) -> bytes:
    """Return the 32 bytes behind the text of a public key.

    Raises:
        InvalidKey: It is none, or was mistyped.
    """
    return _bytes(PUBLIC_PREFIX, text)


def secret_key(text: object) -> bytes:
    """Return the 32 bytes behind the text of a secret key.

    Raises:
        InvalidKey: It is none, or was mistyped; the text does not contain it.
    """
    return _bytes(SECRET_PREFIX, text)


def fingerprint(public: bytes) -> str:
    """Return a short text by which people compare public keys, such as `3f2a-91bc-07de-5a10`."""
    digits = hashlib.blake2b(public, digest_size=8, person=b"fingerprint").hexdigest()
    return "-".join(digits[at : at + 4] for at in range(0, len(digits), 4))


def checked_key_name(name: object) -> str:
    """Return the name of a key: as any other name, and its first character is a letter or digit.

    Raises:
        InvalidName: It is none.
        InvalidKey: It begins with another character, or stands for something else.
    """
    checked = checked_name("the name of a key", name)
    if not _KEY_NAME.match(checked):
        raise InvalidKey(f"the name {checked!r}", "begin it with a letter or a digit")
    if checked == SYNAPSE_NAME:
        raise InvalidKey(f"the name {checked!r}", "it is that of the Synapse's own key")
    if checked.startswith(UID_PREFIX):
        raise InvalidKey(
            f"the name {checked!r}", f"{UID_PREFIX} is for users of this machine, who need no key"
        )
    return checked


def _text(prefix: str, key: bytes) -> str:
    if len(key) != KEY_BYTES:
        raise ValueError(f"a key has {KEY_BYTES} bytes, not {len(key)}")
    return prefix + _base32(key + _checksum(prefix, key))


def _bytes(prefix: str, text: object) -> bytes:
    what = "the text of a public key" if prefix == PUBLIC_PREFIX else "the text of a secret key"
    if not isinstance(text, str):
        raise InvalidKey(what, f"it is of type {type(text).__name__}, not a text")
    other = SECRET_PREFIX if prefix == PUBLIC_PREFIX else PUBLIC_PREFIX
    if text.startswith(other):
        raise InvalidKey(what, f"it begins with {other}, which is the other kind of key")
    if not text.startswith(prefix):
        raise InvalidKey(what, f"it does not begin with {prefix}")
    coded = text.removeprefix(prefix)
    if len(coded) != _TEXT_CHARS:
        raise InvalidKey(what, f"after {prefix} come {_TEXT_CHARS} characters, not {len(coded)}")
    try:
        raw = base64.b32decode(coded.upper() + "=" * (-len(coded) % 8))
    except ValueError:
        raw = b""
    key, checksum = raw[:KEY_BYTES], raw[KEY_BYTES:]
    if _base32(raw) != coded or checksum != _checksum(prefix, key):
        raise InvalidKey(what, "it was mistyped or cut: its checksum does not fit; copy it again")
    return key


def _base32(raw: bytes) -> str:
    return base64.b32encode(raw).decode("ascii").rstrip("=").lower()


def _checksum(prefix: str, key: bytes) -> bytes:
    return hashlib.blake2b(key, digest_size=_CHECKSUM_BYTES, person=prefix.encode()).digest()


def _synapses(given: Iterable[bytes]) -> tuple[bytes, ...]:
    return tuple(given)


@attrs.frozen
class Key:
    """What a client needs to join a Synapse with keys.

    Args:
        name: The name under which the Synapse lists the key.
        public: The public key, 32 bytes.
        secret: The secret key, 32 bytes. It is no part of the `repr`.
        synapse: The public keys that the Synapse may have, 32 bytes each; during a rotation two.
        url: Where the Synapse is, or None.

    Raises:
        InvalidName: The name is invalid.
        InvalidKey: A key has another length, or no key of a Synapse is there.
    """

    name: str = attrs.field()
    public: bytes = attrs.field()
    secret: bytes = attrs.field(repr=False)
    synapse: tuple[bytes, ...] = attrs.field(converter=_synapses)
    url: str | None = None

    def __attrs_post_init__(self) -> None:
        checked_key_name(self.name)
        for what, key in (
            ("public", self.public),
            ("secret", self.secret),
            *(("synapse", each) for each in self.synapse),
        ):
            if not isinstance(key, bytes) or len(key) != KEY_BYTES:
                raise InvalidKey(f"the key of {self.name}", f"{what} must be {KEY_BYTES} bytes")
        if not 1 <= len(self.synapse) <= _MAX_SYNAPSES:
            raise InvalidKey(
                f"the key of {self.name}",
                f"it must name 1 to {_MAX_SYNAPSES} public keys of the Synapse (synapse)",
            )

    @classmethod
    def read(cls, path: str | os.PathLike[str]) -> Self:
        """Return the key in a file NAME.key.

        Raises:
            InvalidKey: The file is not there, is no such file, or others may read or replace it;
                the text names what to run.
        """
        named = os.fspath(path)
        values = read_private(named)
        unknown = set(values) - set(_FIELDS)
        if unknown:
            raise InvalidKey(named, f"it has an unknown line {sorted(unknown)[0]!r:.100}")
        for each in _FIELDS[:-1]:
            if each not in values:
                raise InvalidKey(named, _missing(each))
        with about_file(named):
            return cls(
                values["name"],
                public_key(values["public"]),
                secret_key(values["secret"]),
                tuple(public_key(each) for each in texts_of(values, "synapse")),
                _url_of(values),
            )

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write a new file NAME.key of mode 0600.

        Raises:
            InvalidKey: A file is there already, or it cannot be written.
        """
        write_new(path, key_text(self.name, self.public, self.secret, self.synapse, self.url))


def key_text(
    name: str, public: bytes, secret: bytes, synapse: Iterable[bytes], url: str | None
) -> str:
    """Return the content of a file NAME.key; one without `synapse` is to be completed by hand."""
    lines: dict[str, str | list[str]] = {
        "name": name,
        "public": public_text(public),
        "secret": secret_text(secret),
    }
    synapses = [public_text(each) for each in synapse]
    if synapses:
        lines["synapse"] = synapses
    return toml_text(lines if url is None else lines | {"url": url})


def _missing(field: str) -> str:
    """Return what to do about a line that a file does not have."""
    if field == "synapse":
        return (
            "it does not say which Synapse it is for: add the line synapse = [...] that "
            "'cosmo keys allow' printed where the Synapse is"
        )
    return f"it has no line {field!r}: it was cut, or is another file"


def _url_of(values: Mapping[str, Any]) -> str | None:
    url = values.get("url")
    if url is not None and not (isinstance(url, str) and url.isprintable()):
        raise InvalidKey("the line 'url'", 'it must be a text such as "cosmo://host:7070"')
    return url
