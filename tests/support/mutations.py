"""Valid bytes, made hostile: a few random changes each, the same ones for the same seed."""

import random

# First bytes of msgpack with a size behind, and sizes that ask for everything.
_CODES = b"\xc0\xc1\xc4\xc5\xc6\xc7\xc9\xca\xcb\xcc\xcf\xd0\xd3\xd4\xd9\xda\xdb\xdc\xdd\xde\xdf"
_SIZES = (b"\x00", b"\xff", b"\x00\x10\x00\x00", b"\x00\x10\x00\x01", b"\xff" * 4, b"\x7f" * 8)


def mutated(dice: random.Random, data: bytes) -> bytes:
    """Return `data` with one to four changes: flips, cuts, repeats, random bytes, huge sizes."""
    changed = bytearray(data)
    for _ in range(dice.choice((1, 1, 1, 2, 4))):
        _change(dice, changed)
    return bytes(changed)


def _change(dice: random.Random, data: bytearray) -> None:
    at = dice.randrange(len(data) + 1)
    end = min(len(data), at + dice.choice((0, 1, 1, 4, 30)))
    match dice.randrange(7):
        case 0 if data:
            data[at % len(data)] ^= 1 << dice.randrange(8)
        case 1 if data:
            data[at % len(data)] = dice.randrange(256)
        case 2:
            del data[at:end]
        case 3:
            del data[at:]
        case 4:
            data[at:at] = data[at:end]
        case 5:
            data[at:end] = dice.randbytes(dice.randrange(6))
        case _:
            data[at:end] = bytes((dice.choice(_CODES),)) + dice.choice(_SIZES)
