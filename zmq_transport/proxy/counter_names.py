"""The counters whose name depends on a reason or a verb, written out to be found. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ..wire.heads import Reason, Verb

BOUNCED: Final[Mapping[Reason, str]] = {
    Reason.BAD_ADDRESS: "bounce.bad_address",
    Reason.BUSY: "bounce.busy",
    Reason.EXPIRED: "bounce.expired",
    Reason.FORBIDDEN: "bounce.forbidden",
    Reason.GOING_AWAY: "bounce.going_away",
    Reason.HELLO_FIRST: "bounce.hello_first",
    Reason.NO_ROUTE: "bounce.no_route",
    Reason.UNKNOWN: "bounce.unknown",
}
LOST: Final[Mapping[Reason, str]] = {
    Reason.NOT_STARTED: "lost.not_started",
    Reason.REPLY_LOST: "lost.reply_lost",
    Reason.UNKNOWN: "lost.unknown",
    Reason.WORKER_LOST: "lost.worker_lost",
}
CUTS: Final[Mapping[str, str]] = {
    "ahead": "cut.ahead",
    "no_hello": "cut.no_hello",
    "not_greeted": "cut.not_greeted",
    "revoked": "cut.revoked",
    "rotated": "cut.rotated",
    "unread": "cut.unread",
}
DEFERRED: Final[Mapping[int, str]] = {
    Verb.BOUNCE: "later.bounce",
    Verb.LOST: "later.lost",
    Verb.REPLY: "later.reply",
}
RECEIVER_BUSY: Final[Mapping[int, str]] = {
    Verb.BOUNCE: "drop.bounce_receiver_busy",
    Verb.CANCEL: "drop.cancel_receiver_busy",
    Verb.GOING_AWAY: "drop.going_away_receiver_busy",
    Verb.GOODBYE: "drop.goodbye_receiver_busy",
    Verb.LOST: "drop.lost_receiver_busy",
    Verb.PING: "drop.ping_receiver_busy",
    Verb.PUBLISH: "drop.publish_receiver_busy",
    Verb.REFUSED: "drop.refused_receiver_busy",
    Verb.REGISTER: "drop.register_receiver_busy",
    Verb.REPLY: "drop.reply_receiver_busy",
    Verb.RESEND: "drop.resend_receiver_busy",
    Verb.ROSTER: "drop.roster_receiver_busy",
    Verb.USERS: "drop.users_receiver_busy",
    Verb.WELCOME: "drop.welcome_receiver_busy",
    Verb.WORKERS: "drop.workers_receiver_busy",
}
RECEIVER_GONE: Final[Mapping[int, str]] = {
    Verb.BOUNCE: "drop.bounce_receiver_gone",
    Verb.CANCEL: "drop.cancel_receiver_gone",
    Verb.GOING_AWAY: "drop.going_away_receiver_gone",
    Verb.GOODBYE: "drop.goodbye_receiver_gone",
    Verb.LOST: "drop.lost_receiver_gone",
    Verb.PING: "drop.ping_receiver_gone",
    Verb.PUBLISH: "drop.publish_receiver_gone",
    Verb.REFUSED: "drop.refused_receiver_gone",
    Verb.REGISTER: "drop.register_receiver_gone",
    Verb.REPLY: "drop.reply_receiver_gone",
    Verb.RESEND: "drop.resend_receiver_gone",
    Verb.ROSTER: "drop.roster_receiver_gone",
    Verb.USERS: "drop.users_receiver_gone",
    Verb.WELCOME: "drop.welcome_receiver_gone",
    Verb.WORKERS: "drop.workers_receiver_gone",
}
FULL: Final[Mapping[str, str]] = {"bytes": "full.bytes", "shared": "full.shared"}
"""By the bound that a message was over, see `send_queue`."""
