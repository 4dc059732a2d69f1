"""Whether nats-py is installed, of the extra [nats]."""

from __future__ import annotations

from ...errors import MissingExtra


def check_installed() -> None:
    """Import nats-py.

    Raises:
        MissingExtra: It is not installed.
    """
    try:
        import nats.aio.client  # noqa: F401  # only to say what is missing
    except ModuleNotFoundError:
        raise MissingExtra("nats-py", "nats") from None
