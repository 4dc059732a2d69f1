"""The bodies that the transport reads itself: greetings and facts.

Spec: docs/spec/02-session.md. Pure. Everything else is opaque. These are small msgpack maps;
unknown fields are accepted, so that a newer peer can send more of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs
import msgpack

from ..access.origin import HASH_BYTES
from ..errors import InvalidName, WireError, shown
from . import heads

MAX_BYTES: Final = 8192
_LIMITS: Final = {
    "max_str_len": 4096,
    "max_bin_len": 4096,
    "max_array_len": 256,
    "max_map_len": 64,
    "max_ext_len": 0,
}


@attrs.frozen
class Hello:
    """The fields of a HELLO.

    Args:
        secret: 16 bytes, known to this client only; `instance` is their hash.
        instance: The instance id, 16 bytes.
        namespace: The namespace of the client.
        name: A display name.
        epoch: The epoch of its last proxy, or empty.
        calls: True if it sends tasks and so needs the list of workers.
        publish: True if it takes PUBLISH.
        runs: True if it reads runs.
        access: True if it takes USERS, and knows the reason `forbidden`.
        alone: True if each proxy that it knows was tried, and none leads.
    """

    secret: bytes = attrs.field(repr=False)
    instance: bytes
    namespace: str
    name: str
    epoch: bytes = b""
    calls: bool = False
    publish: bool = False
    runs: bool = False
    access: bool = False
    alone: bool = False


@attrs.frozen
class Welcome:
    """The fields of a WELCOME.

    Args:
        epoch: 16 bytes, new at every start of the proxy.
        listen_port: TCP port of the XPUB socket, to subscribe at.
        publish_port: TCP port of the XSUB socket, to publish at.
        heartbeat_ms: Interval of the heartbeats of a client with seats.
        max_body_bytes: The size limit of a body.
        publish: True if the proxy takes PUBLISH.
        older: True if a client that does not take it is in the namespace.
        runs: True if the proxy passes runs on.
        user: The name of the key of the client; empty without keys.
        may: What the client may do, in the words of the application; empty without keys.
        half: True if a proxy of this fabric is silent: there may be another leader.
        others: True if the proxy was told of others, so that one may stand by for the other.
    """

    epoch: bytes
    listen_port: int
    publish_port: int
    heartbeat_ms: int
    max_body_bytes: int
    publish: bool = False
    older: bool = False
    runs: bool = False
    user: str = ""
    may: tuple[str, ...] = ()
    half: bool = False
    others: bool = False


def pack_map(fields: Mapping[str, Any]) -> bytes:
    """Return a small map as bytes."""
    packed: bytes = msgpack.packb(dict(fields), use_bin_type=True)
    return packed


def unpack_map(body: bytes) -> dict[str, Any]:
    """Return a small map.

    Raises:
        WireError: It is not a map with text keys, or over a limit (8,192 bytes, 64 keys).
    """
    if len(body) > MAX_BYTES:
        raise WireError("long_body", f"{len(body):,} bytes where at most {MAX_BYTES:,} belong")
    try:
        fields = msgpack.unpackb(
            body, raw=False, strict_map_key=True, use_list=True, ext_hook=_no_ext, **_LIMITS
        )
    except (ValueError, msgpack.UnpackException) as error:
        raise WireError(
            "bad_body", f"not a msgpack map: {error or type(error).__name__}"
        ) from error
    if not isinstance(fields, dict):
        raise WireError("bad_body", f"a map belongs here, not {type(fields).__name__}")
    return fields


def _no_ext(code: int, data: bytes) -> Any:
    raise ValueError(f"extension type {code} with {len(data)} bytes")


def pack_hello(hello: Hello) -> bytes:
    """Return the body of a HELLO."""
    return pack_map(_without_false(hello))


def unpack_hello(body: bytes) -> Hello:
    """Return the fields of a HELLO.

    Raises:
        WireError: A field is missing or wrong; the text names it.
    """
    fields = unpack_map(body)
    hello = Hello(
        secret=_bytes16(fields, "secret"),
        instance=_bytes16(fields, "instance"),
        namespace=_name(fields, "namespace"),
        name=_name(fields, "name"),
        epoch=_bytes16(fields, "epoch") if fields.get("epoch") else b"",
        calls=fields.get("calls") is True,
        publish=fields.get("publish") is True,
        runs=fields.get("runs") is True,
        access=fields.get("access") is True,
        alone=fields.get("alone") is True,
    )
    # 11-access, "Instance ids": with keys the end of an id is the tag of its user.
    if heads.instance_of(hello.secret)[:HASH_BYTES] != hello.instance[:HASH_BYTES]:
        raise WireError("bad_secret", "secret does not belong to that instance id")
    return hello


def pack_welcome(welcome: Welcome) -> bytes:
    """Return the body of a WELCOME."""
    return pack_map(_without_false(welcome))


def unpack_welcome(body: bytes) -> Welcome:
    """Return the fields of a WELCOME.

    Raises:
        WireError: A field is missing or wrong; the text names it.
    """
    fields = unpack_map(body)
    return Welcome(
        epoch=_bytes16(fields, "epoch"),
        listen_port=_count(fields, "listen_port"),
        publish_port=_count(fields, "publish_port"),
        heartbeat_ms=_count(fields, "heartbeat_ms"),
        max_body_bytes=_count(fields, "max_body_bytes"),
        publish=fields.get("publish") is True,
        older=fields.get("older") is True,
        runs=fields.get("runs") is True,
        user=_text(fields, "user"),
        may=_texts(fields, "may"),
        half=fields.get("half") is True,
        others=fields.get("others") is True,
    )


def _without_false(greeting: Hello | Welcome) -> dict[str, Any]:
    """Return the fields of a greeting; what has its default is left out, as older peers do."""
    named = attrs.asdict(greeting).items()
    return {key: value for key, value in named if value is not False and value not in ("", ())}


def unpack_capabilities(fields: Mapping[str, Any]) -> frozenset[str]:
    """Return the capabilities of a REGISTER.

    Raises:
        WireError: `capabilities` is not a list of names.
    """
    offered = fields.get("capabilities", [])
    if not isinstance(offered, list):
        raise WireError("bad_field", f"capabilities must be a list, not {shown(offered)}")
    try:
        return frozenset(heads.checked_name("capability", each) for each in offered)
    except InvalidName as error:
        raise WireError("bad_field", str(error)) from error


def _bytes16(fields: Mapping[str, Any], key: str) -> bytes:
    value = fields.get(key)
    if isinstance(value, bytes) and len(value) == 16:
        return value
    raise WireError("bad_field", f"{key} must be 16 bytes of type bin")


def _count(fields: Mapping[str, Any], key: str) -> int:
    value = fields.get(key)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63:
        return value
    raise WireError("bad_field", f"{key} must be a count, not {shown(value)}")


def _text(fields: Mapping[str, Any], key: str) -> str:
    value = fields.get(key, "")
    if isinstance(value, str):
        return value
    raise WireError("bad_field", f"{key} must be a text, not {shown(value)}")


def _texts(fields: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = fields.get(key, [])
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return tuple(value)
    raise WireError("bad_field", f"{key} must be a list of texts, not {shown(value)}")


def _name(fields: Mapping[str, Any], key: str) -> str:
    try:
        return heads.checked_name(key, fields.get(key))
    except InvalidName as error:
        raise WireError("bad_field", str(error)) from error
