"""The variables of the environment that every program of this package honours.

Two of them say where the fabric is, one what moves the messages, two with which key or which
credentials, one which context counts, one how the lines of a log look. `configuration.py` says in
which order they count. A variable that is empty counts as one that is not set.
"""

from __future__ import annotations

import os
from typing import Final

URL_VARIABLE: Final = "COSMO_URL"
NAMESPACE_VARIABLE: Final = "COSMO_NAMESPACE"
CARRIER_VARIABLE: Final = "COSMO_CARRIER"
KEY_VARIABLE: Final = "COSMO_KEY"
"""The path of a file NAME.key, never a key itself."""
CREDS_VARIABLE: Final = "COSMO_CREDS"
"""The path of a file of credentials of NATS."""
LOG_FORMAT_VARIABLE: Final = "COSMO_LOG_FORMAT"
METRICS_VARIABLE: Final = "COSMO_METRICS"
PRISM_VARIABLE: Final = "COSMO_PRISM"
"""`text` or `json`."""
TOKEN_VARIABLE: Final = "COSMO_TOKEN"
"""What clients of a gateway must send."""
CONTEXT_VARIABLE: Final = "COSMO_CONTEXT"
"""The name of a context; - for none."""
TRACEBACK_VARIABLE: Final = "COSMO_TRACEBACK"
"""Set it to see the traceback of a mistake that is printed as one line otherwise."""


def value_of(variable: str) -> str | None:
    """Return the value of a variable of the environment; None if it is not set or empty."""
    return os.environ.get(variable) or None
