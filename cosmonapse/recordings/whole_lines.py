"""The whole lines of a file, compressed or not, in bounded memory. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

_GZIP = b"\x1f\x8b"
_GZIP_BITS = 31
_PIECE_BYTES = 1 << 20


class WholeLines:
    """Splits the bytes of a file into lines; see `of`.

    Args:
        longest: A line with more bytes is left out and counted.

    Attributes:
        too_long: How many lines were too long.
        is_cut: Whether the file ends within a line or within its compressed data; known at the end.
    """

    def __init__(self, longest: int) -> None:
        self.too_long = 0
        self.is_cut = False
        self._longest = longest

    def of(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield every whole line, without its end.

        Args:
            chunks: The bytes of the file, in pieces.
        """
        rest, skips = b"", False
        for chunk in self._plain(chunks):
            first, *others = chunk.split(b"\n")
            rest += first
            for other in others:
                if not skips and len(rest) <= self._longest:
                    yield rest
                else:
                    self.too_long += 1
                rest, skips = other, False
            if len(rest) > self._longest:
                rest, skips = b"", True
        if rest or skips:
            self.is_cut = True

    def _plain(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the bytes, decompressed if they are of gzip; a fault there is an early end."""
        begun = iter(chunks)
        first = b""
        while len(first) < len(_GZIP):
            more = next(begun, b"")
            if not more:
                break
            first += more
        if not first.startswith(_GZIP):
            yield first
            yield from begun
            return
        unpack = zlib.decompressobj(_GZIP_BITS)
        try:
            for chunk in _chain(first, begun):
                left = chunk
                while left:
                    if unpack.eof:  # files of gzip may stand one behind the other
                        unpack = zlib.decompressobj(_GZIP_BITS)
                    yield unpack.decompress(left, _PIECE_BYTES)
                    left = unpack.unused_data if unpack.eof else unpack.unconsumed_tail
            while not unpack.eof and (more := unpack.decompress(b"", _PIECE_BYTES)):
                yield more
        except zlib.error:
            self.is_cut = True
            return
        self.is_cut = not unpack.eof


def _chain(first: bytes, others: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from others
