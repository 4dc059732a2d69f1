"""Every counter of the transport, with its meaning to a user. Pure.

A count never goes down. The first word is the kind of event, above all `drop`: a message that was
not forwarded. A house test compares this table with the code.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_PROXY: Final[Mapping[str, str]] = {
    "connection.accepted": "The proxy accepted a connection; compare with connection.greeted.",
    "connection.closed": "A connection to the proxy ended; steady growth means clients restart, "
    "lose the network, or exceed a limit of frame size.",
    "connection.greeted": "A connection completed the ZMTP handshake; far fewer than "
    "connection.accepted means that something else connects to the port.",
    "copies": "A directed message was published for subscribers; each costs bandwidth, so "
    "subscribe to fewer kinds if it is too much.",
    "cut.ahead": "A connection was ended because far more bytes had come over it than could be "
    "read; its sender is faulty, or the proxy is overloaded.",
    "cut.fault": "A client broke ZMTP, or a limit of frame size, and lost its connection; it is "
    "faulty.",
    "cut.no_hello": "A connection completed the ZMTP handshake, said no valid HELLO in time, and "
    "was ended; look for foreign ZeroMQ programs.",
    "cut.revoked": "A connection of a user was ended because its rights were taken away or "
    "reduced; it comes back with what it may do now.",
    "cut.rotated": "A connection of a user was ended because one of its keys is listed no longer; "
    "one with another key comes back.",
    "cut.not_greeted": "A connection was ended because it did not complete the ZMTP handshake in "
    "time; look for browsers, health checks and wrong ports.",
    "cut.silent_host": "A connection was ended because its host answered nothing for 3 s; the host "
    "is down, or the network is cut.",
    "cut.unfinished": "A connection was ended because messages that are not whole held too "
    "many bytes, and it sent the last of them; too many clients send large messages at once.",
    "cut.unread": "A connection was ended because its client took none, or hardly any, of the "
    "waiting bytes for too long; its event loop is blocked, or its process is stopped.",
    "failover.stepped_down": "This proxy led, heard a leader that goes ahead of it, and stands by "
    "since; its clients moved there.",
    "failover.taken_over": "This proxy began to lead; the leader before it has ended, or was out "
    "of reach.",
    "full.bytes": "A message found too many bytes waiting for its receiver, which does not read "
    "fast enough.",
    "full.facts": "What a heartbeat told of a seat was not kept, as its client tells too much of "
    "its seats; send fewer or shorter facts.",
    "full.open_bytes": "A task found that the open tasks of its worker have too many bytes; add "
    "workers, or send less.",
    "full.tasks": "A task found too many open tasks in the ledger; callers send more than the "
    "workers answer.",
    "full.tasks_of_caller": "A task found that its caller has too many open tasks; it sends more "
    "than the workers answer.",
    "full.shared": "A message found too many bytes waiting for all clients together; some "
    "of them do not read fast enough.",
    "handed_over": "A client handed a publication to the proxy over its directed connection: a "
    "STOP, an offer, an answer, or what it publishes before it knows its listeners.",
    "no_descriptors": "The proxy had no file descriptor left for a new connection; raise the "
    "limit of open files (ulimit -n).",
    "orphaned": "A task was cancelled because its caller stayed away; growth means that callers "
    "crash or lose their connection.",
    "overdue": "A task stayed unsettled past its deadline and was forgotten; the worker hangs, or "
    "does not obey the cancellation.",
    "parked": "A task waits for its worker just after the start of the proxy; nothing to do.",
    "published": "A broadcast message was passed on by the proxy, or sent by a client.",
    "refused": "A HELLO or a message of another wire version was refused; the client reports the "
    "reason.",
    "refused.access": "A client was refused for its key or its rights; the client says which, and "
    "what to do.",
    "refused.standby": "A client was refused because this proxy stands by; steady growth means "
    "that clients have the URL of the standby alone.",
    "refused.seat": "A REGISTER was refused; the client reports the reason, as too many seats.",
    "resync.found": "After a reconnect a worker claimed a task that its caller still waits for.",
    "resync.wanted": "After a reconnect a caller listed a task that no worker had claimed yet; "
    "tasks without a claim end as lost.",
    "silent": "A client with seats sent no heartbeat for too long and gets no new tasks; its event "
    "loop is blocked, or its host is overloaded.",
    "unreachable": "The connection of a client was found gone; it has a moment to come back.",
}

_TASKS: Final[Mapping[str, str]] = {
    "bounce.bad_address": "A task came back because its address is malformed; correct the caller.",
    "bounce.busy": "A task came back because every seat is silent or its queue is full; add "
    "workers, or send less.",
    "bounce.expired": "A task came back because its time was over on arrival; allow more time.",
    "bounce.forbidden": "A task came back because the key of its caller has no right to dispatch "
    "to its address; allow it, or correct the address.",
    "bounce.going_away": "A message came back because the proxy is shutting down; its sender sends "
    "it again to the next proxy.",
    "bounce.hello_first": "A message came back because it overtook the HELLO of its sender, which "
    "sends it again; nothing is lost.",
    "bounce.no_route": "A task came back because no connected worker serves its address; start "
    "one, or correct the address.",
    "bounce.unknown": "A task came back because its message has a wrong number of frames; the "
    "client is faulty.",
    "drop.caller_gone": "A reply found its caller gone, or in another namespace; the caller has "
    "crashed or lost its connection.",
    "drop.duplicate_task": "A task came twice under one id and was given once; a client repeats "
    "ids.",
    "drop.reply_unknown": "A reply names a task that its sender does not hold; it came after the "
    "end of the task, or the worker is faulty.",
    "later.bounce": "A BOUNCE waits because the queue of its caller is full; the caller does not "
    "read fast enough.",
    "later.lost": "A LOST waits because the queue of its caller is full; the caller does not read "
    "fast enough.",
    "later.query": "A query to workers about tasks that a caller listed waits, as many went out in "
    "this moment; growth without a restart means that a client lists tasks that nobody has.",
    "later.reply": "The last reply of a task found the queue of its caller full, and the caller "
    "will ask for it; the caller does not read fast enough.",
    "lost.not_started": "A task was lost on its way and has run nowhere; its caller sends it again "
    "if there is time.",
    "lost.reply_lost": "A task ended but its reply is kept no longer; the connection was away for "
    "too long.",
    "lost.unknown": "A task was lost in a restart and it is unknown whether it ran; a worker "
    "that had it did not come back.",
    "lost.worker_lost": "A task was lost because its worker left or lost its connection; look at "
    "that worker.",
}

_LISTS: Final[Mapping[str, str]] = {
    "drop.claim_forbidden": "A worker claimed a task of a seat that its key may not serve; "
    "somebody tries to take tasks, or a right was taken away while a task ran.",
    "drop.claim_foreign": "A worker claimed a task of a caller in another namespace; two fabrics "
    "are mixed up.",
    "drop.claim_taken": "A worker claimed a task that another worker has; a client is faulty.",
    "drop.claim_unseated": "A task that a worker had claimed after a restart was taken from it, as "
    "it did not register the seat of the task; a client is faulty.",
    "drop.claims_full": "A worker claimed a task after a restart and the ledger is full; the proxy "
    "has too many open tasks.",
    "drop.known_workers": "A caller forgot a worker because it knew too many; after a restart of "
    "the proxy a task may end as lost instead of being sent again.",
    "drop.listed": "A caller listed more tasks or workers after a reconnect than the proxy "
    "accepts; those tasks may end as lost.",
    "drop.question": "A client that keeps no tasks was asked about tasks after a reconnect, and "
    "did not answer; nothing to do.",
}

_UNSENT: Final[Mapping[str, str]] = {
    "drop.bounce_receiver_busy": "A BOUNCE found no room at its caller and could not wait; the "
    "caller runs into its deadline.",
    "drop.bounce_receiver_gone": "A BOUNCE found its caller gone; nothing to do.",
    "drop.cancel_receiver_busy": "A CANCEL found the queue of the worker full; the task runs on "
    "to its deadline.",
    "drop.cancel_receiver_gone": "A CANCEL found the worker gone; its task ends with it.",
    "drop.goodbye_receiver_busy": "An answer to GOODBYE found the queue of the client full; the "
    "client waits for it in vain for a moment.",
    "drop.goodbye_receiver_gone": "An answer to GOODBYE found the client gone; nothing to do.",
    "drop.going_away_receiver_busy": "The news that the proxy ends found the queue of a client "
    "full; the client notices the end of its connection.",
    "drop.going_away_receiver_gone": "The news that the proxy ends found a client gone; nothing to "
    "do.",
    "drop.lost_receiver_busy": "A LOST found no room at its caller and could not wait; the caller "
    "runs into its deadline.",
    "drop.lost_receiver_gone": "A LOST found its caller gone; nothing to do.",
    "drop.ping_receiver_busy": "A PING found the queue of a client full; the client does not read "
    "fast enough.",
    "drop.ping_receiver_gone": "A PING found a client gone: so its absence is detected; see "
    "unreachable.",
    "drop.publish_receiver_busy": "A publication found the queue of a recipient full; that client "
    "does not read fast enough, and misses a STOP, an offer, a bid or an answer.",
    "drop.publish_receiver_gone": "A publication found its recipient gone; nothing to do.",
    "drop.refused_receiver_busy": "A REFUSED found the queue of the client full; the client is "
    "faulty, as it sends another wire version over a greeted connection.",
    "drop.refused_receiver_gone": "A REFUSED found the client gone; nothing to do.",
    "drop.register_receiver_busy": "An answer to REGISTER found the queue of the worker full; the "
    "worker may report that it cannot register.",
    "drop.register_receiver_gone": "An answer to REGISTER found the worker gone; nothing to do.",
    "drop.reply_receiver_busy": "A reply found the queue of its caller full; the caller asks for "
    "it again when it reads faster.",
    "drop.reply_receiver_gone": "A reply found its caller gone; after a reconnect the caller asks "
    "for it.",
    "drop.resend_receiver_busy": "A query about tasks found the queue of a worker full; it is sent "
    "again after 0.5 s.",
    "drop.resend_receiver_gone": "A query about tasks found a worker gone; it is asked when it is "
    "back.",
    "drop.roster_receiver_busy": "A page of the roster found the queue of its reader full; ask "
    "again.",
    "drop.roster_receiver_gone": "A page of the roster found its reader gone; nothing to do.",
    "drop.users_receiver_busy": "The names of users found the queue of a client full; the client "
    "does not know from which key some messages come.",
    "drop.users_receiver_gone": "The names of users found a client gone; nothing to do.",
    "drop.welcome_receiver_busy": "A WELCOME found the queue of the client full; the client says "
    "HELLO again.",
    "drop.welcome_receiver_gone": "A WELCOME found the client gone; the client says HELLO again.",
    "drop.workers_receiver_busy": "News of workers found the queue of a caller full; the complete "
    "list follows after 0.5 s.",
    "drop.workers_receiver_gone": "News of workers found a caller gone; it gets the list when it "
    "is back.",
}

_BROADCAST: Final[Mapping[str, str]] = {
    "drop.copy_budget": "A copy for subscribers exceeded the bytes per second that may be copied; "
    "raise copy_bytes_per_s, or subscribe to less.",
    "drop.forbidden": "A publication was dropped because the key of its sender has no right to "
    "publish its kind, or to be in its namespace; allow it, or look for somebody who tries.",
    "drop.foreign_namespace": "A broadcast message names a namespace that is not served here; "
    "correct the namespace of its sender.",
    "drop.foreign_party": "A publication names another client as its caller or worker; its sender "
    "is faulty, or forges.",
    "drop.foreign_publisher": "A publication came under an instance id that is not one of its "
    "sender; few after a reconnect are normal, more are forged.",
    "drop.reserved_kind": "A publication has a kind that only the proxy tells, or its body is of "
    "another kind; its sender is faulty, or forges.",
    "drop.long_topic": "A broadcast message has a topic over the limit; the sender is faulty.",
    "drop.bad_topic": "A broadcast message has a malformed topic; the sender is faulty.",
    "drop.bad_header": "A broadcast message has a malformed header; the sender is faulty.",
    "drop.no_subscription": "A client sent something else where subscriptions belong; it is "
    "faulty, or does not speak this protocol.",
    "drop.publisher_full": "A client could not publish because its queue is full; it publishes "
    "faster than the network allows.",
    "ignored.bad_topic": "A subscription to a malformed topic was ignored; the client is faulty.",
    "ignored.forbidden": "A subscription was ignored because the key of its sender has no right to "
    "it; allow it, or look for somebody who tries.",
    "ignored.foreign_namespace": "A subscription to a namespace that is not served here was "
    "ignored; correct the namespace of the client.",
    "ignored.long_topic": "A subscription to a topic over the limit was ignored; the client is "
    "faulty.",
    "ignored.max_topics": "A subscription was ignored because there are too many; raise "
    "max_topics, or subscribe to less.",
    "ignored.max_topics_per_connection": "A subscription was ignored because its connection has "
    "too many; raise max_topics_per_connection, or subscribe to less.",
    "ignored.max_topics_per_host": "A subscription was ignored because its host has too many; "
    "raise max_topics_per_host, or subscribe to less.",
    "ignored.no_connection": "A subscription came over a connection that had ended, or its sender "
    "speaks a ZMTP older than 3.0; few after a disconnect are normal.",
    "ignored.unproven_sync": "A client was not told that its subscriptions are in force, as one of "
    "them was ignored over a limit; see the other ignored counters.",
    "ignored.unsubscription": "A connection left a topic that it does not hold; normal for one "
    "whose subscription was ignored, else the client is faulty, or tries to silence others.",
}

_MALFORMED: Final[Mapping[str, str]] = {
    "drop.bad_address": "A message has a malformed address; its sender is faulty.",
    "drop.bad_body": "A body is not the map or the list that belongs there; its sender is faulty.",
    "drop.bad_claim": "A claim lacks a caller, a seat or a known state; the worker is faulty.",
    "drop.bad_field": "A field of a map has the wrong type or value; its sender is faulty.",
    "drop.bad_list": "A listed task has no index of its next reply; the caller is faulty.",
    "drop.bad_presence": "A message about a seat has not two items and one name; its sender is "
    "faulty.",
    "drop.bad_secret": "A secret does not belong to the instance id beside it; a client is faulty, "
    "or tries to pass for another.",
    "drop.bad_workers": "A list of workers is cut off or too long; its sender is faulty.",
    "drop.body_length": "The sizes in a head do not add up to the body; its sender is faulty.",
    "drop.coalesced_size": "A message of several items exceeds the size limit; its sender is "
    "faulty.",
    "drop.engine_fault": "A message could not be handled because of a defect of the proxy; report "
    "the traceback in its log.",
    "drop.foreign_role": "Another proxy reported its role, and this one was not told of it; start "
    "both with the URL of the other, and with keys allow the key of each at the other.",
    "drop.own_role": "A report of this proxy came back to it; one of the URLs of the others leads "
    "to itself.",
    "drop.role_flood": "A report of another proxy came so soon after the one before it that it was "
    "not answered; a few around a failover are well.",
    "drop.foreign_seat": "A heartbeat names a seat that its sender does not have; the worker is "
    "faulty, or sent it just before its REGISTER was read.",
    "drop.frame_count": "A message has too few or too many frames; its sender does not speak this "
    "protocol.",
    "drop.going_away": "A new connection reached a proxy that is shutting down; the client finds "
    "the next proxy.",
    "drop.handshake": "A connection did not complete the ZMTP handshake; look for port scans, "
    "health checks and wrong ports.",
    "drop.handshake.auth": "A connection was refused because its key is not listed; list the key, "
    "or look for strangers.",
    "drop.hello_first": "A message came before the HELLO of its sender, which is asked to say "
    "HELLO.",
    "drop.item_count": "A message has no items, or too many; its sender is faulty.",
    "drop.long_body": "The map in a body exceeds the size limit; send fewer or shorter facts.",
    "drop.long_head": "A head exceeds the size limit; its sender is faulty.",
    "drop.mixed_page": "A page after a reconnect has items of different verbs; its sender is "
    "faulty.",
    "drop.other": "A message was dropped for a reason that has no counter of its own, such as one "
    "that a custom carrier reports.",
    "drop.second_identity": "A connection said HELLO under a second instance id; the client is "
    "faulty.",
    "drop.short_head": "A head is cut off; its sender is faulty.",
    "drop.too_large": "A body exceeds the size limit; send less, or raise max_body_bytes.",
    "drop.unexpected_welcome": "A WELCOME came in a state that does not expect it; harmless unless "
    "it grows steadily.",
    "drop.verb": "A message has a verb that its receiver does not accept; its sender is newer, or "
    "faulty.",
    "drop.version": "A message is of another wire version; upgrade the older end.",
}

_NATS: Final[Mapping[str, str]] = {
    "began_anew": "A router on NATS did not run for over 2 s and began anew, as others took its "
    "place; its host is overloaded, or its process was stopped.",
    "drop.bad_frame": "A message over NATS has an unknown tag or is cut off; its sender is of "
    "another version, or no client at all.",
    "drop.bad_subject": "A message came on a subject of NATS that no client or router uses so; its "
    "sender is faulty.",
    "drop.bad_totals": "A client on NATS says that it read what was never sent, or less than "
    "before; its connection begins anew.",
    "drop.foreign_slot": "A message over NATS reached a router that does not serve its namespace; "
    "nothing to do unless it grows steadily.",
    "drop.max_partial": "A message over NATS in pieces was given up, as its sender began too many "
    "others; the sender is faulty.",
    "drop.nats_slow": "The client library of NATS dropped a message because it found no room; this "
    "process is overloaded.",
    "drop.no_line": "A router had a message to send while it had no connection to a nats-server; "
    "clients begin anew with the next connection.",
    "drop.no_topic_line": "A router had a publication while it had no connection to a nats-server "
    "for these; watchers miss it.",
    "drop.partial_bytes": "A message over NATS in pieces was given up because its sender left too "
    "many bytes of others incomplete; the sender is faulty.",
    "drop.stale": "A message over NATS came for an earlier connection of a router; nothing to do.",
    "full.clients": "A connection over NATS found that the router has as many as it may; raise "
    "max_peers, or start another router.",
    "full.topics": "A publication was dropped while too much waited for watchers that read too "
    "slowly; find and end these.",
    "line_broken": "The connection of a router to nats-server broke, and the router began anew; "
    "look into the log of nats-server.",
    "router_fault": "A router on NATS could not handle a message because of a fault of its own; "
    "its log has a traceback to report.",
    "topics_broken": "The connection of a router to nats-server for watchers broke; directed "
    "messages went on.",
}

_CLIENT: Final[Mapping[str, str]] = {
    "drop.expired_in_outbox": "A task waited for a connection until its time was over; the proxy "
    "is away, or allow more time.",
    "drop.greeting": "A HELLO or GOODBYE could not be sent; it is sent again while the client "
    "waits.",
    "drop.outbox_full": "A message was refused because too many wait for a connection; the proxy "
    "is away, or send less.",
    "drop.unpublished": "A publication for listeners alone was dropped because there is no "
    "connection; the proxy is away, or is an older one that its socket has not reached yet.",
    "returned": "A message came back from a proxy that was not ready, and was sent again.",
    "unexpected.disconnected": "The end of a connection was reported twice or late; nothing to do.",
    "unexpected.goodbye": "A GOODBYE came unasked; nothing to do unless it grows.",
    "unexpected.going_away": "The proxy announced its end in a state that does not expect it; "
    "nothing to do unless it grows.",
    "unexpected.refused": "A refusal came in a state that does not expect it; nothing to do unless "
    "it grows.",
    "unexpected.who": "The proxy asked for a HELLO in a state that does not expect it; nothing to "
    "do unless it grows.",
}

COUNTERS: Final[Mapping[str, str]] = MappingProxyType(
    {**_PROXY, **_TASKS, **_LISTS, **_UNSENT, **_BROADCAST, **_MALFORMED, **_NATS, **_CLIENT}
)
"""Name of a counter -> one sentence: the event that it counts, and how to react if it grows."""
