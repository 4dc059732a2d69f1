"""What is told to whoever runs a proxy when something changes in its fabric. Pure.

Spec: docs/spec/12-failover.md, "News". Each is told once, when it begins or ends.
"""

from __future__ import annotations

import enum

import attrs


class NewsKind(enum.Enum):
    """What has changed."""

    LEADS = enum.auto()
    """This proxy leads from now on."""
    STEPS_DOWN = enum.auto()
    """It hears another leader that goes ahead of it."""
    STANDS_BY = enum.auto()
    """Another proxy leads."""
    HEARS_NO_LEADER = enum.auto()
    """It stands by, and nobody leads: it takes over when it is asked."""
    HALF = enum.auto()
    """It leads, and another proxy is silent: there may be two leaders."""
    WHOLE = enum.auto()
    """It leads, and no proxy is silent any more."""
    NO_STANDBY = enum.auto()
    """It leads, and no other proxy is heard: nobody would take over."""
    HAS_STANDBY = enum.auto()
    """It leads, and another proxy is heard again."""
    OTHER_USERS = enum.auto()
    """The list of users of another proxy differs."""
    SAME_USERS = enum.auto()
    """It does not differ any more."""
    OWN_URL = enum.auto()
    """A URL leads to this proxy itself."""


@attrs.frozen
class RoleNews:
    """One change.

    Args:
        kind: What has changed.
        term: The term.
        urls: The proxies that it is about: of those that stand by the leader, if it is known.
    """

    kind: NewsKind
    term: int
    urls: tuple[str, ...] = ()


@attrs.frozen
class FabricView:
    """What there is to tell of, at one moment.

    Args:
        leads: True if this proxy leads.
        steps_down: True if it leads no longer, as another one goes ahead.
        term: The term.
        leader: The URL of the leader that a standby hears; `?` if that is not known, empty if it
            hears none.
        silent: The URLs of those that are silent.
        absent: The URLs of those that are not heard, closed ones included.
        heard: True if another one is heard.
        other_users: The URLs of those with other users.
        own: The URLs that lead to this proxy.
        settled: False while it is not clear yet who is there.
    """

    leads: bool = False
    steps_down: bool = False
    term: int = 0
    leader: str = ""
    silent: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    heard: bool = True
    other_users: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    settled: bool = False


def news_of(before: FabricView, now: FabricView) -> list[RoleNews]:
    """Return what is to be told when one view follows another."""
    found = [*_of_role(before, now), *(_of_standbys(before, now) if now.leads else ())]
    own = tuple(each for each in now.own if each not in before.own)
    if own:
        found.append(RoleNews(NewsKind.OWN_URL, now.term, own))
    for one, other, kind in (
        (now, before, NewsKind.OTHER_USERS),
        (before, now, NewsKind.SAME_USERS),
    ):
        news = tuple(each for each in one.other_users if each not in other.other_users)
        if news and (kind is NewsKind.OTHER_USERS or not set(news) <= set(now.absent)):
            found.append(RoleNews(kind, now.term, news))
    return found


def _of_role(before: FabricView, now: FabricView) -> list[RoleNews]:
    if now.leads:
        # A term may follow the one before within one look.
        is_new = not before.leads or now.term != before.term
        return [RoleNews(NewsKind.LEADS, now.term)] if is_new else []
    if now.steps_down:
        urls = (now.leader,) if now.leader else ()
        return [] if before.steps_down else [RoleNews(NewsKind.STEPS_DOWN, now.term, urls)]
    was_standby = not (before.leads or before.steps_down) and before.settled
    if now.leader:
        is_new = not was_standby or now.leader != before.leader
        return [RoleNews(NewsKind.STANDS_BY, now.term, (now.leader,))] if is_new else []
    if now.settled and (not was_standby or before.leader):
        return [RoleNews(NewsKind.HEARS_NO_LEADER, now.term, now.absent)]
    return []


def _of_standbys(before: FabricView, now: FabricView) -> list[RoleNews]:
    found = []
    was = before if before.leads and before.term == now.term else FabricView(leads=True)
    if bool(now.silent) is not bool(was.silent):
        kind = NewsKind.HALF if now.silent else NewsKind.WHOLE
        found.append(RoleNews(kind, now.term, now.silent))
    # Who is silent may be a standby that is well: that is told already.
    was_alone = not was.heard and not was.silent
    is_alone = not now.heard and not now.silent
    if is_alone is not was_alone and (is_alone or now.heard):
        kind = NewsKind.NO_STANDBY if is_alone else NewsKind.HAS_STANDBY
        found.append(RoleNews(kind, now.term, now.absent if is_alone else ()))
    return found
