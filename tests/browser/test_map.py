"""The map of real processes: groups of callers, edges with their figures, and who asked whom."""

import contextlib
import re

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


async def test_an_edge_tells_its_tasks_of_the_last_minute_where_it_is_focused_or_pointed_at(
    open_map,
):
    label = open_map.get_by_role(
        "button", name=re.compile(r"^echo .*edge 3 tasks in the last minute")
    )
    await expect(label).to_have_accessible_name(re.compile(r"usually [\d.]+ (µs|ms|s)$"))
    await label.focus()
    tip = open_map.locator(".tip")
    await expect(tip).to_contain_text("3 tasks in the last minute, usually ")
    await label.blur()
    await expect(tip).to_be_hidden()
    asking = open_map.get_by_role("button", name=re.compile(r"^jobs .*edge 2 tasks in the last"))
    await expect(asking).to_have_count(1)

    # The edge leaves its node towards the Synapse, away from the label.
    box, canvas = await label.bounding_box(), open_map.locator(".sky canvas")
    y = box["y"] + box["height"] / 2
    found = [
        await tip.inner_text() for x in range(8, 120, 2) if await points(open_map, box["x"] - x, y)
    ]
    assert any("3 tasks in the last minute" in each for each in found[10:])
    await expect(canvas).to_be_visible()


async def points(page, x, y):
    await page.mouse.move(x, y)
    return await page.locator(".tip").is_visible()


async def test_the_map_of_a_trace_says_and_draws_who_asked_whom(open_map):
    await open_map.keyboard.press("2")
    await open_map.locator(".trace-row", has_text="What is a Dendrite?").click()
    await expect(open_map.locator(".detail h2")).to_contain_text("What is a Dendrite?")
    await open_map.get_by_role("button", name="Map", exact=True).click()

    told = open_map.get_by_role("list", name="Who asked whom").get_by_role("listitem")
    words = re.compile(r"^jobs asked assistant: 1 task, [\d.]+ (ms|s)$")
    await expect(told).to_have_text([words, re.compile(r"^assistant asked search: 1 task, ")])
    label = open_map.locator(".map-label.right", has_text="assistant")
    await expect(label).to_have_accessible_name(re.compile(r"asked search: 1 task, "))
    await label.focus()
    await expect(open_map.locator(".tip")).to_contain_text("search: 1 task, ")
    await label.blur()
    middle = [
        await open_map.locator(".map-label b", has_text=name).bounding_box()
        for name in ("assistant", "search")
    ]
    x, y = middle[0]["x"], (middle[0]["y"] + middle[1]["y"] + middle[0]["height"]) / 2
    found = [
        await open_map.locator(".tip").inner_text()
        for step in range(0, 160, 3)
        if await points(open_map, x - step, y)
    ]
    assert any(each.startswith("assistant → search") for each in found), found
    await open_map.get_by_role("button", name="Whole fabric").click()
    await expect(told).to_have_count(0)
