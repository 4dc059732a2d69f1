"""What the page says while the Synapse or Prism is away, and that it finds them again by itself."""

import asyncio

import pytest
from playwright.async_api import expect

from browser.scene import Scene, ask
from support.processes import Children, free_ports

SET_HIDDEN = """
    (hidden) => {
        Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
    }
"""

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture
def stage():
    """A stage whose parts may fall: their complaints are part of the play."""
    with Children() as children:
        built = Scene(children)
        built.raise_synapse(free_ports())
        built.raise_prism()
        yield built


async def test_the_page_finds_a_prism_that_was_restarted_and_shows_what_is_new(page, stage):
    port = int(stage.page_url.rsplit(":", 1)[1])
    await page.goto(stage.page_url)
    await page.keyboard.press("3")
    stage.hire("replica-1", "echo")
    async with stage.caller() as web:
        await ask(web, "echo", prompt="before it fell")
        await expect(page.locator(".signal-row", has_text="before it fell").first).to_be_visible()

        stage.prism.kill()
        await expect(page.locator("#link")).to_contain_text("Prism is gone since")
        await expect(page.locator(".signal-row", has_text="before it fell").first).to_be_visible()

        await asyncio.to_thread(stage.raise_prism, port)
        await expect(page.locator("#link")).to_contain_text("Live since", timeout=10_000)
        await ask(web, "echo", prompt="after it rose")

    await expect(page.locator(".signal-row", has_text="after it rose").first).to_be_visible()
    await expect(page.locator(".signal-row:visible", has_text="before it fell")).to_have_count(0)


async def test_the_page_says_that_the_synapse_is_gone_and_goes_on_when_it_is_back(page, stage):
    port = int(stage.url.rsplit(":", 1)[1])
    await page.goto(stage.page_url)
    await expect(page.locator("#link")).to_contain_text("Live since")

    stage.synapse.kill()
    await expect(page.locator("#link")).to_contain_text("The Synapse is gone", timeout=15_000)
    await asyncio.to_thread(stage.raise_synapse, port)
    await expect(page.locator("#link")).to_contain_text("Live since", timeout=15_000)
    await page.keyboard.press("3")
    await asyncio.to_thread(stage.hire, "replica-1", "echo")
    async with stage.caller() as web:
        await ask(web, "echo", prompt="after the fall")

    await expect(page.locator(".signal-row", has_text="after the fall").first).to_be_visible()


async def test_a_hidden_tab_gives_its_connection_back_and_takes_up_where_it_was(page, stage):
    await page.goto(f"{stage.page_url}/#/signals")
    stage.hire("replica-1", "echo")
    streams = []
    page.on("request", lambda request: streams.append(request.url))
    async with stage.caller() as web:
        await ask(web, "echo", prompt="while it was seen")
        await expect(
            page.locator(".signal-row", has_text="while it was seen").first
        ).to_be_visible()

        async with page.expect_event("requestfailed", timeout=10_000) as closed:
            await page.evaluate(SET_HIDDEN, True)
        assert "/api/stream" in (await closed.value).url
        await ask(web, "echo", prompt="while it was hidden")
        await page.evaluate(SET_HIDDEN, False)

    await expect(page.locator(".signal-row", has_text="while it was hidden").first).to_be_visible()
    assert any("since=" in url for url in streams)
    await expect(page.locator("#missed-tab")).to_have_text("0 missed by this tab")
