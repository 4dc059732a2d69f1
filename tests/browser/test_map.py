"""The map of real processes: groups of callers, edges with their figures, and who asked whom."""

import contextlib

import pytest
import pytest_asyncio
from playwright.async_api import expect

from browser.scene import ask

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def played(stage):
    """Three programs ask: two of one name."""
    stage.hire("box", "echo", "assistant", "search")
    async with contextlib.AsyncExitStack() as stack:
        for n, name in enumerate(("web", "web", "jobs")):
            caller = await stack.enter_async_context(stage.caller(name))
            await ask(caller, "echo", prompt=f"question {n} of {name}")
        await ask(caller, "assistant", prompt="What is a Dendrite?")
        yield


@pytest_asyncio.fixture(loop_scope="session")
async def open_map(page, stage, played):
    await page.goto(f"{stage.page_url}#/map")
    await expect(
        page.locator(".roster .row", has_text="web \N{MULTIPLICATION SIGN} 2")
    ).to_be_visible()
    return page


async def test_a_group_of_callers_filters_by_all_of_it_and_again_by_none(open_map):
    group = open_map.locator(".roster .row", has_text="web \N{MULTIPLICATION SIGN} 2")
    await group.click()

    await expect(open_map.locator("#chips .chip")).to_contain_text("web \N{MULTIPLICATION SIGN} 2")
    await open_map.keyboard.press("2")
    await expect(open_map.locator(".choices .count")).to_contain_text("2 of 4 traces")
    for n in range(2):
        await expect(
            open_map.locator(".trace-row", has_text=f"question {n} of web")
        ).to_be_visible()
    await open_map.keyboard.press("3")
    asked = open_map.locator(".signal-row:visible", has_text="TASK")
    await expect(asked).to_have_count(2)
    await open_map.reload()
    await expect(asked).to_have_count(2)
    await open_map.keyboard.press("4")
    await group.click()
    await expect(open_map.locator("#chips .chip")).to_have_count(0)


async def test_a_group_of_callers_on_now_leads_to_the_traces_of_all_of_it(open_map):
    await open_map.keyboard.press("1")
    await open_map.locator(".caller", has_text="web \N{MULTIPLICATION SIGN} 2").click()

    await expect(open_map.locator(".choices .count")).to_contain_text("2 of 4 traces")
