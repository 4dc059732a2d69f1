"""One browser for the folder, a watched page, and the scene that a module looks at."""

import pytest
import pytest_asyncio

from browser import chromium
from browser.scene import scene

REASON = chromium.why_not()
VIOLATIONS = """
    window.violations = [];
    document.addEventListener("securitypolicyviolation", (event) => {
        window.violations.push(event.violatedDirective);
    });
"""


def pytest_collection_modifyitems(items):
    for item in items:
        if "browser" in getattr(item, "fixturenames", ()) and REASON:
            item.add_marker(pytest.mark.skip(reason=REASON))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser():
    async with chromium.chromium() as started:
        yield started


@pytest.fixture(scope="module")
def stage():
    with scene() as built:
        yield built


class Watch:
    """What a page did that it must not do."""

    def __init__(self, page):
        self.origin = None
        self.dialogs, self.complaints, self.requests = [], [], []
        page.on("dialog", self._on_dialog)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", self._on_console)
        page.on("request", lambda request: self.requests.append(request))

    async def _on_dialog(self, dialog):
        self.dialogs.append(dialog.message)
        await dialog.dismiss()

    def _on_console(self, message):
        # A connection that was refused while a server restarts is what the test is about. A page
        # asks for a trace that Prism may not have, or for the card of a Neuron that is gone: the
        # browser tells the 404, the page says so.
        url = message.location.get("url", "")
        is_known = "ERR_" in message.text or "/api/traces/" in url or "/api/card" in url
        if message.type == "error" and not is_known:
            self.complaints.append(message.text)

    def check(self):
        assert not self.dialogs
        assert not self.complaints
        methods = {request.method for request in self.requests}
        assert methods <= {"GET"}
        elsewhere = [
            request.url
            for request in self.requests
            if not request.url.startswith(("http://127.0.0.1:", "blob:http://127.0.0.1:"))
        ]
        assert not elsewhere


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def tab(browser):
    context = await browser.new_context(viewport=chromium.LAPTOP)
    opened = await context.new_page()
    opened.set_default_timeout(10_000)
    await opened.add_init_script(VIOLATIONS)
    yield opened, Watch(opened)
    await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def page(tab):
    """A page; when the test is over it has said nothing wrong and asked for nothing elsewhere."""
    opened, watch = tab
    await opened.emulate_media(color_scheme="dark", reduced_motion="no-preference")
    yield opened
    watch.check()
    assert await opened.evaluate("window.violations") == []
    await opened.evaluate("localStorage.clear()")
    await opened.goto("about:blank")
