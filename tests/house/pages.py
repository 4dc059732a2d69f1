"""The pages as the tests read them: README and `docs/`, their code blocks and their sentences."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import attrs

from house import source

README = source.ROOT / "README.md"
DOCS = source.ROOT / "docs"
CHANGELOG = source.ROOT / "CHANGELOG.md"

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", flags=re.DOTALL)
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_CODE = re.compile(r"``.+?``|`[^`]+`")
_ITEM = re.compile(r"\s*(?:[-*+]|\d+[.)])\s+")
_NO_PROSE = re.compile(r"\s*(?:\||#{1,6}\s|<|-{3,}\s*$|\[[^\]]+\]:)|(?: {4}|\t)(?!\s*[-*+] )")
_SENTENCE_END = re.compile(r"(?<=[.!?])[)\"'*_]*\s+(?=[A-Z0-9\"'(*_])")
_WORD = re.compile(r"[^\W_]")
_TERMINAL = re.compile(r"# terminal (\d+)")


@attrs.frozen
class Block:
    """A fenced block of code on a page.

    Args:
        page: The page, relative to the root of the checkout.
        line: The number of the line with the opening fence.
        language: What stands behind the fence, perhaps nothing.
        code: The text between the fences.
    """

    page: str
    line: int
    language: str
    code: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def name_of(page: Path) -> str:
    """Return the path of a page, relative to the root of the checkout."""
    return page.relative_to(source.ROOT).as_posix()


def shipped() -> list[Path]:
    """Return the pages for users: the README and the pages directly in `docs/`."""
    return [README, *sorted(DOCS.glob("*.md"))]


def every() -> list[Path]:
    """Return the README and every page in `docs/`, in folders too."""
    return [README, *sorted(DOCS.rglob("*.md"))]


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page, in order."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(name_of(page), text.count("\n", 0, found.start()) + 1, found[1], found[2])
        for found in _FENCE.finditer(text)
    ]


def code_spans(page: Path) -> list[str]:
    """Return the code between backticks in the text of a page."""
    bare = _COMMENT.sub("", _FENCE.sub("\n", page.read_text(encoding="utf-8")))
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", bare)]


def commands(block: Block) -> Iterator[tuple[int, str]]:
    """Yield terminal and command of each line of a console block that a person types.

    The terminal is 0 until a comment `# terminal 2: ...` names one.
    """
    terminal = 0
    for line in block.code.replace("\\\n", " ").splitlines():
        if found := _TERMINAL.match(line):
            terminal = int(found[1])
        elif line.startswith("$ "):
            yield terminal, line.removeprefix("$ ").strip()


def arguments_of(command: str) -> list[str]:
    """Split a command as a shell does: comments and what comes after a pipe are left out."""
    return shlex.split(command.split(" | ")[0], comments=True)


def prose(text: str) -> str:
    """Return a page without its code blocks, comments, headings and tables."""
    bare = _COMMENT.sub("", _FENCE.sub("\n", text))
    return "\n".join("" if _NO_PROSE.match(line) else line for line in bare.splitlines())


def words_of(text: str) -> str:
    """Return everything that a page says: headings and tables too, but no code."""
    return _plain(_COMMENT.sub("", _FENCE.sub("\n", text)))


def sentences(text: str) -> Iterator[str]:
    """Yield each sentence of the prose of a page; an item of a list ends one, a code is a word."""
    for paragraph in _paragraphs(prose(text)):
        yield from _SENTENCE_END.split(_plain(paragraph))


def word_count(sentence: str) -> int:
    """Return how many words a sentence has."""
    return sum(bool(_WORD.search(word)) for word in sentence.split())


def _paragraphs(text: str) -> Iterator[str]:
    lines: list[str] = []
    for line in [*text.splitlines(), ""]:
        if (not line.strip() or _ITEM.match(line)) and lines:
            yield " ".join(lines)
            lines = []
        if line.strip():
            item = _ITEM.match(line)
            lines.append(line[item.end() if item else 0 :].strip())


def _plain(markdown: str) -> str:
    return _CODE.sub("Code", _LINK.sub(r"\1", markdown)).replace("**", "")


def blocks_of_section(page: str, section: str, language: str) -> list[str]:
    """Return the code of the blocks in a language below a heading of the second level."""
    text = (DOCS / page).read_text(encoding="utf-8").partition(f"\n## {section}\n")[2]
    fences = _FENCE.finditer(text.partition("\n## ")[0])
    return [found.group(2) for found in fences if found.group(1) == language]
