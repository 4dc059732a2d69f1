"""Debian's Chromium, headless, driven by Playwright."""

import contextlib
import shutil

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--js-flags=--expose-gc",
]
LAPTOP = {"width": 1440, "height": 900}
LARGE = {"width": 2560, "height": 1440}


def why_not():
    """Return why no browser can be driven here, or None."""
    try:
        import playwright.async_api  # noqa: F401
    except ImportError:
        return "the Python package playwright is not installed: pip install playwright"
    if shutil.which("chromium") is None:
        return "there is no chromium: apt-get install chromium"
    return None


@contextlib.asynccontextmanager
async def chromium():
    """Start it, end it."""
    from playwright.async_api import async_playwright

    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=ARGUMENTS
        )
        try:
            yield browser
        finally:
            await browser.close()
