"""Reads a price table of models from a file."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

from .model_facts import BadPrices, Prices


def read_prices(path: str) -> Prices:
    """Return the table of a file: TOML if its name ends with `.toml`, else JSON.

    Raises:
        BadPrices: The file cannot be read, or is no such table; the text says why, on one line.
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
        found = tomllib.loads(text) if path.endswith(".toml") else json.loads(text)
    except (OSError, ValueError, RecursionError) as error:
        why = str(error) or type(error).__name__
        raise BadPrices(f"{path}: {' '.join(why.split())}"[:300]) from None
    return Prices.of(found, path)
