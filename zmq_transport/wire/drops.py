"""The counters of dropped messages and ignored subscriptions, by reason. Pure.

Both ends use the same names. The reason is that of a `WireError`, or the one with which a shell
reports frames that are not a message.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

OTHER: Final = "drop.other"

_DROPPED: Final[Mapping[str, str]] = {
    "bad_address": "drop.bad_address",
    "bad_body": "drop.bad_body",
    "bad_claim": "drop.bad_claim",
    "bad_field": "drop.bad_field",
    "bad_frame": "drop.bad_frame",
    "bad_header": "drop.bad_header",
    "bad_list": "drop.bad_list",
    "bad_presence": "drop.bad_presence",
    "bad_secret": "drop.bad_secret",
    "bad_subject": "drop.bad_subject",
    "bad_topic": "drop.bad_topic",
    "bad_totals": "drop.bad_totals",
    "bad_workers": "drop.bad_workers",
    "body_length": "drop.body_length",
    "coalesced_size": "drop.coalesced_size",
    "engine_fault": "drop.engine_fault",
    "forbidden": "drop.forbidden",
    "foreign_namespace": "drop.foreign_namespace",
    "foreign_party": "drop.foreign_party",
    "foreign_publisher": "drop.foreign_publisher",
    "foreign_role": "drop.foreign_role",
    "foreign_seat": "drop.foreign_seat",
    "foreign_slot": "drop.foreign_slot",
    "frame_count": "drop.frame_count",
    "item_count": "drop.item_count",
    "long_body": "drop.long_body",
    "long_head": "drop.long_head",
    "long_topic": "drop.long_topic",
    "max_partial": "drop.max_partial",
    "mixed_page": "drop.mixed_page",
    "no_subscription": "drop.no_subscription",
    "partial_bytes": "drop.partial_bytes",
    "publisher_full": "drop.publisher_full",
    "reserved_kind": "drop.reserved_kind",
    "second_identity": "drop.second_identity",
    "short_head": "drop.short_head",
    "too_large": "drop.too_large",
    "unexpected_welcome": "drop.unexpected_welcome",
    "verb": "drop.verb",
    "version": "drop.version",
}
_IGNORED: Final[Mapping[str, str]] = {
    "bad_topic": "ignored.bad_topic",
    "forbidden": "ignored.forbidden",
    "foreign_namespace": "ignored.foreign_namespace",
    "long_topic": "ignored.long_topic",
    "max_topics": "ignored.max_topics",
    "max_topics_per_connection": "ignored.max_topics_per_connection",
    "max_topics_per_host": "ignored.max_topics_per_host",
    "no_connection": "ignored.no_connection",
    "unproven_sync": "ignored.unproven_sync",
}


def drop_counter(reason: str) -> str:
    """Return the counter of messages dropped for `reason`; `drop.other` by default."""
    return _DROPPED.get(reason, OTHER)


def ignored_counter(reason: str) -> str:
    """Return the counter of subscriptions ignored for `reason`; `drop.other` by default."""
    return _IGNORED.get(reason, OTHER)
