"""Payloads that want to be more than text."""

import asyncio

import pytest
import pytest_asyncio
from playwright.async_api import expect

from browser.actor import HOSTILE
from browser.scene import ask

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def hostile_page(page, stage):
    if "villain" not in stage.workers:
        stage.hire("villain", "hostile")
        async with stage.caller() as web:
            await asyncio.gather(
                *(
                    ask(web, "hostile", prompt=text)
                    for text in HOSTILE.values()
                    if isinstance(text, str) and len(text) < 100
                )
            )
            await ask(web, "hostile", prompt={"list": [HOSTILE["script"]] * 300})
    await page.goto(stage.page_url)
    await expect(page.locator("#link")).to_contain_text("Live since")
    yield page
    assert await page.evaluate("({}).polluted === undefined")
    assert await page.locator("main script, main iframe, main img, main svg").count() == 0


async def test_hostile_text_is_shown_as_text_in_the_list(hostile_page):
    await hostile_page.keyboard.press("3")

    says = hostile_page.locator(".signal-row:visible")
    await expect(says.filter(has_text="<script>alert(1)</script>").first).to_be_visible()
    await expect(says.filter(has_text="a␀b␛[31mred␇⟨202e⟩gnp.exe⟨2066⟩").first).to_be_visible()
    await expect(says.filter(has_text="שלום").first).to_be_visible()


async def test_hostile_text_is_shown_as_text_in_a_trace_and_its_envelope(hostile_page):
    await hostile_page.keyboard.press("2")
    await hostile_page.locator(".trace-row", has_text="<script>").first.click()
    await expect(hostile_page.locator(".answer")).to_contain_text("<script>alert(1)</script>")
    await hostile_page.locator(".span-row:visible", has_text="AGENT_OUTPUT").first.click()

    body = hostile_page.locator(".envelope .body")
    await expect(body).to_contain_text('toString\\"><svg onload=alert(4)>'.replace("\\", ""))
    await expect(body).to_contain_text("⟨202e⟩gnp.exe")
    await expect(body).to_contain_text("deeper")
    await expect(body).to_contain_text("•••")
    assert "open sesame" not in await body.inner_text()


async def test_a_long_text_and_a_row_of_it_push_nothing_aside(hostile_page):
    await hostile_page.keyboard.press("3")
    await hostile_page.locator(".signal-row:visible", has_text="AGENT_OUTPUT").first.click()

    wide = await hostile_page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert wide == 0
    row = await hostile_page.locator(".signal-row:visible").first.bounding_box()
    assert row["height"] == 24
    envelope = await hostile_page.locator(".envelope").bounding_box()
    assert envelope["x"] + envelope["width"] <= 1440


async def test_hostile_names_in_the_address_are_text_too(hostile_page, stage):
    await hostile_page.goto(
        f"{stage.page_url}/#/signals?neuron=%3Cimg%20src%3Dx%20onerror%3Dalert(5)%3E&kinds=%3Cb%3E"
    )
    await hostile_page.reload()

    await expect(hostile_page.locator("#chips .chip").first).to_contain_text(
        "<img src=x onerror=alert(5)>"
    )
    await hostile_page.keyboard.press("Escape")
    await expect(hostile_page.locator("#chips .chip")).to_have_count(0)
