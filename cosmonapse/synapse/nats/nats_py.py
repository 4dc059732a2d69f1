"""Whether nats-py is installed, of the extra [nats]."""

from __future__ import annotations

from ...runtime.extras import missing_extra


def check_installed() -> None:
    """Import nats-py.

    Raises:
        MissingExtra: It is not installed.
    """
    try:
        import nats.aio.client  # noqa: F401  # only to say what is missing
    except ImportError as error:
        raise missing_extra("nats-py", "nats", error) from None
