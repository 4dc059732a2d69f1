"""The outage of `cosmo demo --scene` on the page: the Synapse dies, is back, and all goes on."""

import asyncio
import re
from pathlib import Path

import pytest
from playwright.async_api import expect

from support.processes import Children

pytestmark = pytest.mark.asyncio(loop_scope="session")
SOON = Path(__file__).with_name("outage_soon.py")
SINCE = re.compile(r"since (\d\d:\d\d:\d\d)")


@pytest.fixture
def outage():
    """The scene until its Synapse dies: its process and the address of its page."""
    with Children() as children:
        played = children.start(SOON, "demo", "--scene", "--no-browser", "--minutes", "5")
        yield played, played.line("look at it: ", timeout_s=60.0).text


async def test_the_return_of_the_synapse_ends_its_story_and_the_fabric_is_well_again(page, outage):
    played, address = outage
    story = page.locator("#link")
    await page.goto(address)
    await expect(story).to_contain_text("the fabric is well")
    before = SINCE.search(await story.inner_text()).group(1)

    await expect(story).to_contain_text("The Synapse is gone", timeout=90_000)
    gone = SINCE.search(await story.inner_text()).group(1)
    assert await asyncio.to_thread(played.says, "the Synapse is back", 60.0)
    await expect(story).not_to_contain_text("The Synapse is gone", timeout=15_000)
    await expect(story).to_contain_text("the fabric is well", timeout=75_000)

    after = SINCE.search(await story.inner_text()).group(1)
    assert len({before, gone, after}) == 3
    await page.keyboard.press("5")
    await expect(page.locator(".synapses")).to_contain_text("serves alone")
    await expect(page.locator("[data-figure=rate]")).not_to_have_text("0 Signals/s")
    await page.keyboard.press("1")
    callers = page.get_by_role("group", name="Callers")
    for name in ("web", "jobs", "nightly"):
        await expect(callers).to_contain_text(name)
