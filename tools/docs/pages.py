"""Gather the pages of the site: those of docs/, and every file of the checkout that they link to.

A site has no checkout around it. So a link out of docs/ becomes a link to a page of the site that
shows the file. A page in Markdown stays as it is, a program is shown as code, a folder as the list
of its files.
"""

from __future__ import annotations

import posixpath
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# In the navigation of the site, whether a page links to them or not.
PROJECT_PAGES = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
ELSEWHERE = ("http://", "https://", "mailto:", "#")
LANGUAGES = {".py": "python", ".toml": "toml", ".cfg": "ini", ".json": "json", ".js": "javascript"}

_FENCE = re.compile(r"^ *(```|~~~)")
_LINK = re.compile(r"(\]\()([^)\s]+)((?:\s+\"[^\"]*\")?\))")
_ITEM = re.compile(r"^ *([-*+]|\d+\.) ")


class Gathering:
    """One run: which files of the checkout got a page, and which are still to get one.

    Args:
        root: The checkout.
        target: The folder to fill; its content is replaced.
    """

    def __init__(self, root: Path, target: Path) -> None:
        self._root = root
        self._target = target
        self._waiting: list[Path] = []
        self._seen: set[Path] = set()

    def run(self) -> None:
        """Fill the folder.

        Raises:
            FileNotFoundError: A page links to a file that does not exist.
        """
        shutil.rmtree(self._target, ignore_errors=True)
        for path in sorted((self._root / "docs").rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                self._copy(path.relative_to(self._root))
        for name in PROJECT_PAGES:
            if (self._root / name).is_file():
                self._ask_for(Path(name))
        while self._waiting:
            self._make_page(self._waiting.pop())

    def _copy(self, path: Path) -> None:
        target = self._target / path.relative_to("docs")
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.suffix == ".md":
            text = (self._root / path).read_text()
            target.write_text(self._rewritten(text, path.parent, site_path(path)))
        else:
            shutil.copy(self._root / path, target)

    def _ask_for(self, path: Path) -> None:
        if path not in self._seen:
            self._seen.add(path)
            self._waiting.append(path)

    def _make_page(self, path: Path) -> None:
        source = self._root / path
        folder = path.parent
        if source.is_dir():
            text, folder = self._listing(path), path
        elif path.suffix == ".md":
            text = source.read_text()
        else:
            text = code_page(path, source.read_text())
        here = site_path(path, is_folder=source.is_dir())
        target = self._target / here
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(self._rewritten(text, folder, here))

    def _listing(self, folder: Path) -> str:
        """Return a page that links to every file of a folder, or to every folder in it."""
        entries = sorted(
            entry
            for entry in (self._root / folder).iterdir()
            if not entry.name.startswith((".", "_"))
        )
        links = [f"- [{entry.name}]({entry.name})" for entry in entries]
        return "\n".join([f"# `{folder}/`", "", *links, ""])

    def _rewritten(self, text: str, folder: Path, here: Path) -> str:
        """Return the page `here` with the links of the site, and a blank line before each list.

        Args:
            text: The page as it stands in the checkout.
            folder: Where its relative links begin.
            here: Its place on the site.
        """

        def replace(found: re.Match[str]) -> str:
            return f"{found[1]}{self._new_target(found[2], folder, here)}{found[3]}"

        lines = [
            line if is_code else _LINK.sub(replace, line)
            for line, is_code in with_code_marked(text.splitlines())
        ]
        return "\n".join(with_room_for_lists(lines)) + "\n"

    def _new_target(self, link: str, folder: Path, here: Path) -> str:
        """Return where a link of the page `here` leads on the site."""
        if link.startswith(ELSEWHERE):
            return link
        name, hash_, anchor = link.partition("#")
        path = Path(posixpath.normpath((folder / name).as_posix()))
        source = self._root / path
        if not source.exists():
            raise FileNotFoundError(f"{here} links to {link}, and there is no {path}")
        if source.is_dir() and (source / "README.md").is_file():
            path, source = path / "README.md", source / "README.md"
        if path.parts[0] != "docs":
            self._ask_for(path)
        there = site_path(path, is_folder=source.is_dir())
        return posixpath.relpath(there.as_posix(), here.parent.as_posix()) + hash_ + anchor


def site_path(path: Path, *, is_folder: bool = False) -> Path:
    """Return the place of a file of the checkout among the pages of the site."""
    if path.parts[:1] == ("docs",):
        return path.relative_to("docs")
    return page_of(path, is_folder=is_folder)


def page_of(path: Path, *, is_folder: bool = False) -> Path:
    """Return the place of a file outside of docs/; a README.md would be the index of its folder."""
    if is_folder:
        return Path("project") / path / "folder.md"
    if path.suffix == ".md":
        return Path("project") / path.with_name(path.name.lower())
    return Path("project") / path.with_name(f"{path.name}.md")


def code_page(path: Path, text: str) -> str:
    """Return a page that shows a file; the fence is longer than any in the file."""
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    fence = "`" * (longest + 1)
    language = LANGUAGES.get(path.suffix, "text")
    return f"# `{path.as_posix()}`\n\n{fence}{language}\n{text.rstrip()}\n{fence}\n"


def with_code_marked(lines: list[str]) -> Iterator[tuple[str, bool]]:
    """Yield each line of a page with whether it is in a block of code, or the fence of one."""
    inside = False
    for line in lines:
        is_fence = _FENCE.match(line) is not None
        yield line, inside or is_fence
        inside = inside != is_fence


def with_room_for_lists(lines: list[str]) -> Iterator[str]:
    """Yield the lines of a page with a blank line before a list that follows a paragraph.

    Python-Markdown, with which the site is built, needs one; hosts of git repositories do not.
    """
    before = ""
    for line, is_code in with_code_marked(lines):
        starts = not is_code and _ITEM.match(line) is not None
        if starts and before.strip() and not _ITEM.match(before) and not before.startswith(" "):
            yield ""
        yield line
        before = line


def gather(target: Path, root: Path = ROOT) -> None:
    """Fill the folder `target` with the pages of the site; see `Gathering.run`."""
    Gathering(root, target).run()
