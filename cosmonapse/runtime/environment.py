"""The two variables that say where a fabric is; every program of this package honours them.

An argument wins over its variable. A variable that is empty counts as one that is not set.
"""

from __future__ import annotations

import os
from typing import Final

URL_VARIABLE: Final = "COSMO_URL"
NAMESPACE_VARIABLE: Final = "COSMO_NAMESPACE"


def value_of(variable: str) -> str | None:
    """Return the value of a variable of the environment; None if it is not set or empty."""
    return os.environ.get(variable) or None
