"""How one gets into a Prism with a token, in a real browser; and what a page says that is out."""

import asyncio
import contextlib
from contextlib import ExitStack

import pytest
import pytest_asyncio
from playwright.async_api import expect

from browser.scene import Scene
from cosmonapse.cli.observing import _as_file
from cosmonapse.prism.tabs import MOST_TABS
from support.processes import Children, free_ports

pytestmark = pytest.mark.asyncio(loop_scope="session")

FOREIGN = """HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r
<a id="in" href="{href}">Prism</a>"""


@pytest.fixture(scope="module")
def closed():
    """A stage whose Prism wants a token; `page_url` has it."""
    with Children() as children:
        stage = Scene(children)
        stage.raise_synapse()
        stage.raise_prism(0, "--token")
        yield stage


@pytest_asyncio.fixture(loop_scope="session")
async def stranger(browser):
    """A page of a browser without cookies."""
    context = await browser.new_context()
    opened = await context.new_page()
    opened.set_default_timeout(10_000)
    yield opened
    await context.close()


def home_of(stage):
    return stage.page_url.split("?")[0]


async def is_in(page, stage):
    await expect(page.locator("#link")).to_contain_text("Live since")
    assert page.url.split("#")[0] == home_of(stage)


async def test_the_printed_address_leads_in_and_its_token_goes_from_the_address(stranger, closed):
    asked = []
    stranger.on("request", lambda request: asked.append(request))

    await stranger.goto(closed.page_url)
    await is_in(stranger, closed)

    token = closed.page_url.split("token=")[1]
    assert [token in each.url for each in asked] == [True] + [False] * (len(asked) - 1)
    referrers = [await each.header_value("referer") for each in asked]
    assert not any(token in (each or "") for each in referrers)
    (cookie,) = await stranger.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert token not in cookie["value"]
    assert token not in await stranger.content()
    assert await stranger.evaluate("document.cookie + JSON.stringify(localStorage)") == "{}"
    await stranger.go_back()
    assert "token" not in stranger.url


async def test_the_cookie_is_enough_for_a_reload_and_for_another_tab(stranger, closed):
    await stranger.goto(closed.page_url)
    await is_in(stranger, closed)
    await stranger.reload()
    await is_in(stranger, closed)
    second = await stranger.context.new_page()

    await second.goto(home_of(closed))

    await is_in(second, closed)


async def test_the_file_that_is_opened_at_the_start_leads_in(stranger, closed):
    with ExitStack() as stack:
        await stranger.goto(_as_file(closed.page_url, stack))
        await is_in(stranger, closed)


async def test_a_link_on_another_site_leads_in(stranger, closed):
    async def answer(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(FOREIGN.format(href=closed.page_url).encode())
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        await stranger.goto(f"http://localhost:{port}/")  # another site than 127.0.0.1
        await stranger.click("#in")

        await is_in(stranger, closed)


async def test_without_the_token_the_page_tells_the_way_in(stranger, closed):
    answer = await stranger.goto(home_of(closed))

    assert answer.status == 401
    await expect(stranger.locator("body")).to_contain_text("open the address with ?token=")


async def test_a_page_whose_prism_has_a_new_token_says_so(stranger):
    with Children() as children:
        stage = Scene(children)
        stage.raise_synapse()
        port = free_ports()
        stage.raise_prism(port, "--token")
        await stranger.goto(stage.page_url)
        await is_in(stranger, stage)

        stage.prism.kill()
        await asyncio.to_thread(stage.raise_prism, port, "--token")

        await expect(stranger.locator("#link")).to_contain_text("Prism wants its token")
        await stranger.goto(stage.page_url)
        await is_in(stranger, stage)


async def test_a_displaced_tab_says_so_stays_out_and_comes_back_by_a_reload(page, stage):
    await page.goto(stage.page_url)
    await expect(page.locator("#link")).to_contain_text("Live since")
    host, port = stage.page_url.removeprefix("http://").split(":")
    asked = []
    page.on("request", lambda request: asked.append(request.url))

    with contextlib.ExitStack() as stack:
        for _ in range(MOST_TABS):
            _, writer = await asyncio.open_connection(host, int(port))
            stack.callback(writer.close)
            writer.write(f"GET /api/stream HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        state = page.locator("#link")
        await expect(state).to_contain_text("This tab made room for a newer one")
        await page.keyboard.press("3")
        # The icon of the page may be asked for late.
        assert not [each for each in asked if "/static/" not in each]

        await page.reload()
        await expect(state).to_contain_text("Live since")
