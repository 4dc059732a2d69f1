"""Which entries are ranked for a query, and the expression of FTS5 that says it. Pure.

Spec: docs/design/decisions/0025-rare-words-choose.md. To rank an entry costs about 1.5 us, and
common words are in most of them: so rare words choose what is ranked, and all words rank it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import attrs

from .terms import query_terms

MAX_TERMS = 32
"""The most words of a query that are looked at."""
MAX_QUERY_CHARS = 4096
"""The most characters of a query that are looked at."""
MAX_RANKED = 5000
"""About how many entries one query ranks."""
MAX_COMMON = 6
"""How many of the common words rank what the rare ones have chosen."""


def phrases(query: str) -> list[str]:
    """Return the words of a query as phrases of FTS5; a term has letters and digits alone."""
    terms = query_terms(query[:MAX_QUERY_CHARS], MAX_TERMS)
    return [f'"{term}"*' if is_start else f'"{term}"' for term, is_start in terms]


def within(expression: str, space: str | None) -> str:
    """Return an expression about the terms, narrowed to one space if there are several."""
    narrowed = f"terms : ({expression})"
    return narrowed if space is None else f'space : "{space}" AND {narrowed}'


@attrs.frozen
class Plan:
    """How the entries for a query are chosen and ranked.

    Args:
        rare: The phrases of which one must be in an entry.
        common: Phrases that are in many entries.
    """

    rare: Sequence[str]
    common: Sequence[str]

    def expressions(self, token: str, narrowed: str | None) -> list[str]:
        """Return the expressions to try in turn, until there are hits enough.

        Args:
            token: The word of the space, which each entry of it has.
            narrowed: The same if there are other spaces, None if not.
        """
        common = self.common[:MAX_COMMON]
        stages = [within(_or(self.rare), narrowed)] if self.rare else []
        if self.rare and common:
            # What each entry has is there for those without a common word.
            stages = [f'({stages[0]}) AND (space : "{token}" OR terms : ({_or(common)}))']
        if len(common) > 1:
            stages.append(within(" AND ".join(common), narrowed))
        if common:
            stages.append(within(_or(common), narrowed))
        return stages


def planned(counts: Mapping[str, int]) -> Plan:
    """Return the plan for phrases, by how many entries of the space have each.

    Counts over `MAX_RANKED` need not be right, only over it.
    """
    there = sorted((phrase for phrase in counts if counts[phrase]), key=lambda p: counts[p])
    rare: list[str] = []
    total = 0
    for phrase in there:
        total += counts[phrase]
        if total > MAX_RANKED:
            break
        rare.append(phrase)
    return Plan(rare, there[len(rare) :])


def _or(each: Iterable[str]) -> str:
    return " OR ".join(each)
