"""Check a built site: links and anchors lead somewhere; nothing is loaded from another host."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import attrs

# Attributes by which a page loads a file as soon as it is opened; others wait for a click.
LOADS = {("script", "src"), ("img", "src"), ("link", "href"), ("iframe", "src"), ("source", "src")}
ABSOLUTE_IS_FINE = {"canonical", "alternate", "next", "prev"}


@attrs.define
class Page(HTMLParser):
    """The links, loaded files and anchors of one page of HTML."""

    links: list[str] = attrs.Factory(list)
    loads: list[str] = attrs.Factory(list)
    anchors: set[str] = attrs.Factory(set)

    def __attrs_pre_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Record the links and anchors of a tag."""
        given = {name: value for name, value in attributes if value is not None}
        self.anchors.update(given[name] for name in ("id", "name") if name in given)
        if tag == "link" and given.get("rel") in ABSOLUTE_IS_FINE:
            return
        for name in ("href", "src"):
            if name in given:
                (self.loads if (tag, name) in LOADS else self.links).append(given[name])


def read_page(text: str) -> Page:
    """Return the links, files and anchors of a page."""
    page = Page()
    page.feed(text)
    return page


def faults(site: Path) -> Iterator[str]:
    """Yield one line for each dead link, and for each file that comes from another host."""
    pages = {path: read_page(path.read_text()) for path in sorted(site.rglob("*.html"))}
    for path, page in pages.items():
        name = path.relative_to(site)
        for target in page.loads:
            if urlsplit(target).netloc:
                yield f"{name} loads {target}"
        # The page for addresses that do not exist is served under any of them.
        if name.name == "404.html":
            continue
        for target in [*page.links, *page.loads]:
            if not _leads_somewhere(target, path, pages):
                yield f"{name} links to {target}, which does not exist"


def _leads_somewhere(target: str, page: Path, pages: dict[Path, Page]) -> bool:
    parts = urlsplit(target)
    if parts.scheme or parts.netloc:
        return True
    there = page
    if parts.path:
        there = Path(posixpath.normpath((page.parent / unquote(parts.path)).as_posix()))
    if there not in pages:
        return there.is_file()
    return not parts.fragment or unquote(parts.fragment) in pages[there].anchors | {"__skip"}
