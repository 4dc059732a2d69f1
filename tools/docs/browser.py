"""Look at a built site as a reader does: opened from disk, in a browser, without a network."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

LOOKED_AT = ("index.html", "tutorial.html", "api/dendrite.html", "spec/index.html")
SOUGHT = "WORKER_LOST"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
TIMEOUT_MS = 20_000


def faults(site: Path) -> Iterator[str]:
    """Yield one line for each thing that is wrong with a page as a browser shows it."""
    chromium = shutil.which("chromium")
    if chromium is None:
        yield "there is no chromium to look at the site with: apt-get install chromium"
        return
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        try:
            page = browser.new_page(viewport={"width": 1280, "height": 900})
            page.set_default_timeout(TIMEOUT_MS)
            found: list[str] = []
            listen(page, found)
            for name in LOOKED_AT:
                yield from look_at(page, site / name)
            yield from search(page, site)
            yield from found
        finally:
            browser.close()


def listen(page: Page, found: list[str]) -> None:
    """Record in `found` each request to a network and each error that the page reports."""

    def request(asked: Any) -> None:
        if not asked.url.startswith(("file:", "data:", "blob:", "about:")):
            found.append(f"{page.url} asks for {asked.url}")

    def complaint(message: Any) -> None:
        if message.type == "error":
            found.append(f"{page.url} reports: {message.text}")

    page.on("request", request)
    page.on("console", complaint)
    page.on("pageerror", lambda error: found.append(f"{page.url} raises: {error}"))


def look_at(page: Page, path: Path) -> Iterator[str]:
    """Open a page and check that its heading and its style are there."""
    page.goto(path.as_uri())
    heading = page.locator("article h1").first
    heading.wait_for()
    if page.evaluate("document.styleSheets.length") == 0:
        yield f"{path.name} has no style"
    if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
        yield f"{path.name} is wider than the window"


def search(page: Page, site: Path) -> Iterator[str]:
    """Search from disk and follow the first result."""
    page.goto((site / "index.html").as_uri())
    page.locator(".md-search__button").first.click()
    page.keyboard.type(SOUGHT)
    result = page.locator("a", has_text=SOUGHT).first
    try:
        result.wait_for()
        result.click()
        page.locator("article h1").first.wait_for()
    except Exception as error:  # noqa: BLE001 - reported as a fault, whatever the browser says
        yield f"search for {SOUGHT} finds nothing: {str(error).splitlines()[0]}"
