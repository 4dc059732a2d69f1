"""The words inside the code: those on docs/design/words.md are used, the abandoned ones are not."""

import ast
import re
from collections import defaultdict
from functools import cache

from house import source

PAGE = source.ROOT / "docs" / "design" / "words.md"
ROW = re.compile(r"^\| ([a-z][a-z ]*) \| (\S.*) \|$", flags=re.MULTILINE)
PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
SENTENCES = 3

# Words of the rules, not of names in the code.
OF_THE_RULES = {"facade", "floor", "pure", "room", "shell"}

# Names that this project once made up where the field has a word.
ABANDONED = """
audience breath company crew desk doubtful hearing keeper keeping knock lane lanes letters obituary
patience realm roll stained story switchboard trail witness world
"""

# Classes of these rooms are named with words of the page or of the list below.
ROOMS = ("zmq_transport.*", "cosmonapse.dendrite.*")
# What an engineer knows who knows English, ZeroMQ and asyncio.
PLAIN = """
answer ask attempt axon base bid bidder bind book bound broadcast buffer bytes cache call callback
candidate cause child choice client clock close context count decorator dendrite descriptor directed
dispatch dispatcher emit ending endpoint error event failed fault field finding flag former
handshake hello ids illegal in info invalid io ipc known large libzmq list local lock memory message
mismatch monitor name offer open order outcome outgoing own page parked pathway plan poll poller
portable progress protocol proxy publisher queue reader recent recorder refuse registration registry
remote reply report resend resolver respond retry role route row run seen send sender sent settings
shared signal silence socket source speaker state stop stopped strategy stream subscribed synapse
table task tcp thread time timeout timer too topic trace transition transport turn unreachable use
user validator verb version view wait waiting watch welcome wire worker writer yielded zmq zmtp
"""


def words_on(text):
    """Return what a page defines: {word: meaning}."""
    return {word: means for word, means in ROW.findall(text) if word != "word"}


def parts_of(name):
    """Split a name at underscores and capitals, into lower case."""
    return [part.lower() for part in PART.findall(name)]


@cache
def parts_in_use():
    """Map each part of a name in the code of both packages to the modules that use it."""
    found = defaultdict(set)
    for module, path in source.module_paths().items():
        for name in {path.stem} | source.scan(path.read_text()).names:
            for part in parts_of(name):
                found[part].add(module)
    return found


def class_names():
    """Yield (module, name) of each class in the rooms that the page explains."""
    for module, path in source.module_paths().items():
        if any(source.matches(module, room) for room in ROOMS):
            for node in source.nodes_of(path.read_text()):
                if isinstance(node, ast.ClassDef):
                    yield module, node.name


def forms(word):
    """Return a word and its other forms, as far as they are regular."""
    stem = word.removesuffix("y") + "ie" if word.endswith("y") else word
    return {
        word,
        f"{word}s",
        f"{stem}s",
        f"{stem}d",
        f"{word}d",
        f"{word}ed",
        f"{word}r",
        f"{word}er",
    }


def test_every_word_of_the_page_is_a_word_of_the_code():
    words = words_on(PAGE.read_text())
    used = parts_in_use().keys()

    assert len(words) > 60
    unused = [w for w in words if not all(forms(part) & used for part in w.split())]
    assert set(unused) <= OF_THE_RULES


def test_every_word_is_defined_in_a_few_sentences():
    words = words_on(PAGE.read_text())

    assert not [w for w, means in words.items() if not means.endswith(".")]
    assert not [w for w, means in words.items() if means.count(". ") >= SENTENCES]


def test_no_abandoned_word_is_in_a_name():
    used = parts_in_use()
    found = {word: sorted(used[word]) for word in ABANDONED.split() if word in used}

    assert not found


def test_every_class_is_named_with_plain_words_or_words_of_the_page():
    words = {part for word in words_on(PAGE.read_text()) for part in word.split()}
    known = {form for word in words | set(PLAIN.split()) for form in forms(word)}
    odd = {
        f"{module}.{name}": part
        for module, name in class_names()
        for part in parts_of(name)
        if part not in known
    }

    assert not odd, "define the word in docs/design/words.md, or choose one that everybody knows"


def test_names_are_split_at_underscores_and_capitals():
    assert parts_of("_OpenTasks") == ["open", "tasks"]
    assert parts_of("ZMQSocket_reader") == ["zmq", "socket", "reader"]
    assert parts_of("keep_s") == ["keep", "s"]


def test_only_rows_of_words_count():
    page = "| word | means |\n|---|---|\n| open task | A TASK. |\n| [x](y) | no |\n"

    assert words_on(page) == {"open task": "A TASK."}
