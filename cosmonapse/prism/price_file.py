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
    is_toml = path.endswith(".toml")
    try:
        text = Path(path).read_text(encoding="utf-8")
        found = tomllib.loads(text) if is_toml else json.loads(text)
    except OSError as error:
        raise BadPrices(f"cannot read {path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        why = " ".join(str(error).split()) or type(error).__name__
        form = "TOML" if is_toml else "JSON; name it .toml if it is TOML"
        raise BadPrices(f"{path} is not valid {form} ({why})"[:300]) from None
    return Prices.of(found, path)
