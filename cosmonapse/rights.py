"""The rights of a key: from words to types of Signals. Page: docs/keys.md. Pure.

This is the one table: what a Synapse allows, what a Dendrite checks before it sends, and what the
command line prints all come from here.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Final, Self

import attrs

from .errors import InvalidKey
from .signals import QUESTIONS, SignalType

MAX_WORDS: Final = 64
"""The words of one key; with their globs they fit into the answer to a HELLO."""
MAX_WORDS_CHARS: Final = 4_000
_GLOB = re.compile(r"[A-Za-z0-9._*?-]{1,128}")
_ANSWERS = frozenset({SignalType.CLARIFICATION_ANSWER, SignalType.PERMISSION_DECISION})
_SHARED = frozenset(
    {
        SignalType.PLAN,
        SignalType.CRITIQUE,
        SignalType.CONSENSUS,
        SignalType.CONTEXT_SYNC,
        SignalType.MEMORY_APPEND,
    }
)


@attrs.frozen
class _Word:
    """What a word allows. `hears` is None for every type and every trace."""

    about: str
    hears: frozenset[SignalType] | None = frozenset()
    publishes: frozenset[SignalType] = frozenset()
    takes_globs: bool = False


_WORDS: Final[Mapping[str, _Word]] = MappingProxyType(
    {
        "dispatch": _Word(
            "send TASKs and offers",
            frozenset(
                {
                    *_ANSWERS,
                    SignalType.BID,
                    SignalType.REGISTER,  # wait_for_neuron
                    SignalType.STOP,  # ends the offers and the retries of a caller
                    SignalType.STOPPED,
                    SignalType.TASK_DECLINED,
                }
            ),
            frozenset(
                {
                    SignalType.ERROR,
                    SignalType.TASK_AWARDED,
                    SignalType.TASK_DECLINED,
                    SignalType.TASK_OFFER,
                }
            ),
            takes_globs=True,
        ),
        "serve": _Word(
            "host Axons: take TASKs, answer them",
            frozenset(
                {
                    SignalType.STOP,
                    SignalType.TASK_AWARDED,
                    SignalType.TASK_DECLINED,
                    SignalType.TASK_OFFER,
                }
            ),
            frozenset(
                {
                    *QUESTIONS,
                    SignalType.AGENT_OUTPUT,
                    SignalType.BID,
                    SignalType.ERROR,
                    SignalType.FINAL,
                    SignalType.STOPPED,
                    SignalType.THOUGHT_DELTA,
                    SignalType.TOOL_CALL,
                    SignalType.TOOL_RESULT,
                }
            ),
            takes_globs=True,
        ),
        "watch": _Word("see every Signal: inputs, outputs, questions", None),
        "decide": _Word(
            "answer questions, grant permissions, stop traces",
            frozenset({*_ANSWERS, *QUESTIONS, SignalType.STOPPED, SignalType.TASK_DECLINED}),
            frozenset({*_ANSWERS, SignalType.STOP}),
        ),
        "broadcast": _Word(
            "publish plans, critiques, consensus, context and memory", publishes=_SHARED
        ),
        "inspect": _Word("see the state of the whole Synapse, of every namespace"),
    }
)
WORDS: Final = tuple(_WORDS)
ROLES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "member": ("dispatch", "serve", "watch", "decide", "broadcast"),
        "worker": ("serve",),
        "caller": ("dispatch",),
        "watcher": ("watch",),
        "admin": WORDS,
    }
)
"""Names of sets of words."""
DEFAULT_ROLE: Final = "member"


def about(word: str) -> str:
    """Return what a word allows, as a text; for a role the words that it stands for."""
    return _WORDS[word].about if word in _WORDS else ", ".join(ROLES[word])


@attrs.frozen
class Rights:
    """What the owner of a key may do. Make one with `Rights.of`.

    Args:
        words: The words that stand for it, such as `watch` and `serve=invoice-*`; roles are spelled
            out.
        dispatches: Globs of the neurons that it may send TASKs to; None for all, empty for none.
        serves: Globs of the neurons that it may serve; None for all, empty for none.
        hears: The types that it may listen to; None for every type.
        publishes: The types that it may publish.
        watches: Whether it may listen to traces.
        inspects: Whether it may see the state of the whole Synapse.
    """

    words: tuple[str, ...]
    dispatches: tuple[str, ...] | None
    serves: tuple[str, ...] | None
    hears: frozenset[SignalType] | None
    publishes: frozenset[SignalType]
    watches: bool
    inspects: bool

    @classmethod
    def of(cls, words: Iterable[str]) -> Self:
        """Return the rights behind words and roles, such as `watch`, `serve=x-*` and `worker`.

        Args:
            words: At most 64. `dispatch` and `serve` may be given with a glob of neuron ids, and
                more than once. No words are no rights.

        Raises:
            InvalidKey: One of them is no word; the text names the word that was probably meant.
        """
        if isinstance(words, str) or not isinstance(words, Iterable):
            raise InvalidKey(_shown(words), "write rights as a list of words, such as ['dispatch']")
        checked = [each for given in words for each in _spelled_out(given)]
        return cls._of_checked(checked)

    @classmethod
    def told(cls, words: Iterable[str]) -> Self:
        """Return the rights that a Synapse told; a word of a newer one is left out."""
        return cls._of_checked([each for each in words if each.partition("=")[0] in _WORDS])

    @classmethod
    def _of_checked(cls, given: Iterable[str]) -> Self:
        words = tuple(dict.fromkeys(given))
        if len(words) > MAX_WORDS or sum(map(len, words)) > MAX_WORDS_CHARS:
            raise InvalidKey(
                f"{len(words)} rights",
                f"a key has at most {MAX_WORDS} of {MAX_WORDS_CHARS:,} characters together",
            )
        entries = [_WORDS[each.partition("=")[0]] for each in words]
        heard = [each.hears for each in entries if each.hears is not None]
        return cls(
            words,
            _globs("dispatch", words),
            _globs("serve", words),
            None if "watch" in words else frozenset[SignalType]().union(*heard),
            frozenset[SignalType]().union(*(each.publishes for each in entries)),
            "watch" in words,
            "inspect" in words,
        )

    def may_dispatch_to(self, neuron: str) -> bool:
        """Tell whether it may send a TASK to a neuron of that id."""
        return _matches(self.dispatches, neuron)

    def may_serve(self, neuron: str) -> bool:
        """Tell whether it may host an Axon of that neuron id."""
        return _matches(self.serves, neuron)

    def may_hear(self, signal_type: SignalType | None) -> bool:
        """Tell whether it may listen to a type; None stands for a trace, whatever its types."""
        if signal_type is None:
            return self.watches
        return self.hears is None or signal_type in self.hears

    def may_emit(self, signal_type: SignalType) -> bool:
        """Tell whether it may publish a type."""
        return signal_type in self.publishes

    def __str__(self) -> str:
        """Return the words as one text, or the name of the role that has just these words."""
        for role, words in ROLES.items():
            if set(words) == set(self.words):
                return role
        return ", ".join(self.words) or "nothing"


def _spelled_out(given: object) -> tuple[str, ...]:
    """Return the words behind a word or a role.

    Raises:
        InvalidKey: It is neither.
    """
    if not isinstance(given, str):
        raise InvalidKey(_shown(given), "a right is a word, such as 'dispatch'")
    word, has_glob, glob = given.partition("=")
    if word in ROLES and not has_glob:
        return ROLES[word]
    if word not in _WORDS:
        raise InvalidKey(_shown(given), _no_such_word(word))
    if not has_glob:
        return (word,)
    if not _WORDS[word].takes_globs:
        raise InvalidKey(_shown(given), f"{word!r} takes no names: write {word!r} alone")
    if not _GLOB.fullmatch(glob):
        raise InvalidKey(
            _shown(given),
            f"after {word}= comes a neuron id, or a part of one with * or ?, such as {word}=x-*; "
            f"for several write the word again: {word}=a, {word}=b",
        )
    return (given,)


def _no_such_word(word: str) -> str:
    near = difflib.get_close_matches(word.lower(), [*_WORDS, *ROLES], 1, 0.6)
    guess = f"did you mean {near[0]!r}? " if near else ""
    return (
        f"there is no such right: {guess}The words are {', '.join(_WORDS)}; "
        f"the roles are {', '.join(ROLES)}"
    )


def _globs(word: str, words: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return the globs after a word: none at all if it is not there, None if it stands alone."""
    if word in words:
        return None
    return tuple(each.partition("=")[2] for each in words if each.startswith(f"{word}="))


def _matches(globs: tuple[str, ...] | None, name: str) -> bool:
    return globs is None or any(fnmatchcase(name, each) for each in globs)


def _shown(given: object) -> str:
    return f"the right {given!r:.100}"
