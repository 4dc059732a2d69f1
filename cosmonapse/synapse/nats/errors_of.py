"""What nats-py reports, in our words. Pure."""

from __future__ import annotations

import re
from typing import Literal

import attrs

from zmq_transport.errors import AccessRefused

from .place import NatsPlace


@attrs.frozen
class Fault:
    """STAND-IN."""

    kind: Literal["authorization", "permission", "tls", "other"]
    text: str
    subject: str = ""


def fault_of(error: Exception) -> Fault | None:
    """STAND-IN."""
    text = str(error)
    if "uthorization" in text:
        return Fault("authorization", text)
    if "ermissions" in text:
        found = re.search(r'"([^"]*)"', text)
        return Fault("permission", text, found.group(1) if found else "")
    return None


def refused(place: NatsPlace, fault: Fault, namespace: str) -> AccessRefused:
    """STAND-IN."""
    return AccessRefused(place.text, fault.text, "check user and password in the URL")
