"""The files of the page: small, complete, and nothing in them that could make HTML of a payload."""

import re

import pytest

from house import source

STATIC = source.ROOT / "cosmonapse" / "prism" / "static"
FILES = sorted(path for path in STATIC.rglob("*") if path.is_file())
OURS = [path for path in FILES if path.suffix == ".js" and path.parent.name == "js"]
WHOLE_BYTES = 300_000
MODULE_LINES = 400
HTML_OF_TEXT = re.compile(
    r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser"
    r"|createContextualFragment|setAttribute\(\"(?:style|on)"
)
INLINE = re.compile(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", re.IGNORECASE)
ELSEWHERE = re.compile(r"(?:https?:)?//(?!www\.w3\.org/2000/svg)[\w-]+\.[\w-]+")
IMPORT = re.compile(r'from "\./([\w-]+\.js)"')


def test_the_whole_page_is_small():
    assert sum(path.stat().st_size for path in FILES) < WHOLE_BYTES


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.name)
def test_a_module_is_short_says_what_it_is_and_makes_no_html_of_text(path):
    text = path.read_text()

    assert text.startswith("// ")
    assert len(text.splitlines()) <= MODULE_LINES
    assert not HTML_OF_TEXT.findall(text)
    assert not ELSEWHERE.findall(text)


def test_the_page_has_nothing_inline_and_asks_for_nothing_elsewhere():
    for path in (*STATIC.glob("*.html"), *STATIC.glob("css/*.css")):
        assert not ELSEWHERE.findall(path.read_text()), path
    assert not INLINE.findall((STATIC / "index.html").read_text())


def test_every_file_is_used():
    text = "\n".join(path.read_text() for path in FILES if path.parent.name != "vendor")
    named = {
        *re.findall(r"/static/([\w./-]+)", text),
        *(f"js/{name}" for name in IMPORT.findall(text)),
    }

    there = {path.relative_to(STATIC).as_posix() for path in FILES} - {"index.html"}
    assert {name for name in there if not name.endswith(".txt")} == named


def test_what_is_not_ours_has_its_licence_beside_it():
    vendored = {path.name.split(".")[0] for path in FILES if path.parent.name == "vendor"}

    for name in vendored:
        assert (
            "Permission is hereby granted"
            in (STATIC / "vendor" / f"{name}.LICENSE.txt").read_text()
        )
