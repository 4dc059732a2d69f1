"""What the errors of nats-py mean, and what a Dendrite is told about them.

They are told apart by the words of nats-server, as nats-py has no classes for most of them. It
makes those words small, so a subject in a fault is in small letters too.
"""

from __future__ import annotations

import re
import ssl
from typing import Final, Literal

import attrs

import zmq_transport as wire_side

from . import subjects
from .place import NatsPlace

_PERMISSION = re.compile(
    r'permissions violation for (publish|subscription)(?: to| with reply of) "([^"]*)"'
)
_WHO_IS_IT = ("authorization violation", "authentication expired", "authentication revoked")
_NO_INFO = "expecting info message"
_LOST = (
    "nats: connection closed",
    "nats: no servers available for connection",
    "nats: outbound buffer limit exceeded",
)
_RIGHTS: Final = (
    "whoever runs the nats-server gives that right: 'cosmo synapse nats-conf --user NAME=NS' "
    "writes which"
)


@attrs.frozen
class Fault:
    """What an error of nats-py means.

    Args:
        kind: `authorization`: nats-server does not let this user in. `permission`: it does not let
            this user send or hear something. `tls`: the encryption could not begin. `other`: the
            rest that nats-server says itself, or that is sure to stay as it is.
        text: What happened, for people.
        subject: What a permission is about, in small letters; else empty.
    """

    kind: Literal["authorization", "permission", "tls", "other"]
    text: str
    subject: str = ""


def fault_of(error: BaseException) -> Fault | None:
    """Return what an error of nats-py means; None for a connection that is lost or never was.

    Args:
        error: What `connect` raised, `error_cb` was given or `last_error` says.
    """
    if isinstance(error, ssl.SSLError):
        return Fault("tls", _tls_text(error))
    text = str(error).replace("'", "").lower()
    found = _PERMISSION.search(text)
    if found is not None:
        verb = "send to" if found[1] == "publish" else "subscribe to"
        return Fault("permission", f"it may not {verb} {found[2]}", found[2])
    if _is_refusal(error, text):
        return Fault("authorization", text.removeprefix("nats: "))
    if isinstance(error, OSError) or text in _LOST or not _is_of(error, "nats", "Error"):
        return None
    return _other(error, text)


def _other(error: BaseException, text: str) -> Fault | None:
    """Return the fault for an error of nats-py that is about no right."""
    if _is_of(error, "nats", "SecureConnWantedError"):
        return Fault("tls", "it does not speak TLS, and the URL wants it")
    if _is_of(error, "nats", "StaleConnectionError") or _is_of(error, "nats", "TimeoutError"):
        return None
    if _NO_INFO in text:
        return Fault("other", "no nats-server answers there, but something else")
    return Fault("other", text.removeprefix("nats: "))


def _is_refusal(error: BaseException, text: str) -> bool:
    is_named = _is_of(error, "nats", "AuthorizationError", "InvalidUserCredentialsError")
    return (
        is_named or _is_of(error, "nkeys", "NkeysError") or any(each in text for each in _WHO_IS_IT)
    )


def _is_of(error: BaseException, package: str, *names: str) -> bool:
    """Return whether an error is of a class of a package; which need not be installed here."""
    return any(
        each.__name__ in names and each.__module__.partition(".")[0] == package
        for each in type(error).__mro__
    )


def _tls_text(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message.rstrip('.')}"
    reason = (getattr(error, "reason", "") or "it ended early").replace("_", " ").lower()
    return f"the encryption could not begin: {reason}"


def refused(place: NatsPlace, fault: Fault, namespace: str) -> wire_side.AccessRefused:
    """Return the error about a fault that no further try will mend.

    Args:
        place: Where the nats-server is.
        fault: A fault of any kind.
        namespace: What the Dendrite would join; empty where it is about none.
    """
    who = place.identity or "one who shows nothing"
    if fault.kind == "authorization":
        return _error(place, f"nats-server does not let in {who} ({fault.text})", _way_in(place))
    if fault.kind == "permission":
        where = f"{fault.text}, which the namespace {namespace} needs" if namespace else fault.text
        reason = f"nats-server lets in {who}, but {where}"
        return _error(place, reason, f"{_RIGHTS}{_name_hint(place, fault)}")
    if fault.kind == "tls":
        return _error(place, f"nats-server: {fault.text}", _way_to_encrypt(fault))
    return _error(place, f"nats-server says: {fault.text}", "look into its log")


def _error(place: NatsPlace, reason: str, fix: str) -> wire_side.AccessRefused:
    return wire_side.AccessRefused(place.text, reason, fix)


def _way_in(place: NatsPlace) -> str:
    if place.identity:
        checked = f"{place.identity} and its password" if place.has_password else place.identity
        return f"check {checked}; whoever runs the nats-server knows who may connect"
    return (
        "name a user in the URL (nats://user:password@host), or a file of credentials (--creds, "
        "COSMO_CREDS, ?creds=FILE)"
    )


def _name_hint(place: NatsPlace, fault: Fault) -> str:
    """Return how to say the user of the rights, for those whose credentials do not say it."""
    if place.user or not fault.subject.startswith(f"{subjects.PREFIX}."):
        return ""
    return "; if it gave rights to a name that the URL does not say, add ?user=NAME"


def _way_to_encrypt(fault: Fault) -> str:
    if "does not speak TLS" in fault.text:
        return "give it a certificate, or write nats:// for one that only a trusted network reaches"
    if "bad certificate" in fault.text or "certificate required" in fault.text:
        return "it wants a certificate of yours: add ?cert=FILE&key=FILE to the URL"
    return (
        "name the certificate of whoever signed that of nats-server (?ca=FILE in the URL), and the "
        "host as that certificate names it"
    )
