"""The pages of a USERS: the names of the users that may enter a namespace. Pure.

Spec: docs/spec/11-access.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgpack

from . import heads
from .heads import Verb

Message = tuple[bytes, bytes]
"""head, body"""

PAGE_BYTES: Final = 8192
_MORE_BYTES: Final = 5
"""What msgpack writes in front of a list, and in front of a text, at most."""


def users_pages(names: Iterable[str]) -> list[Message]:
    """Return a complete list of names: at least one page, each of at most 8 KiB."""
    pages: list[list[str]] = [[]]
    size = _MORE_BYTES
    for name in names:
        needed = len(name.encode()) + _MORE_BYTES
        if size + needed > PAGE_BYTES:
            pages.append([])
            size = _MORE_BYTES
        pages[-1].append(name)
        size += needed
    return [_page(number, page) for number, page in enumerate(pages)]


def _page(number: int, names: list[str]) -> Message:
    body: bytes = msgpack.packb(names, use_bin_type=True)
    return heads.pack(Verb.USERS, len(body), number=number), body
