"""What people ask, answered within one click, on the scene of `cosmo demo --scene`."""

import os
import re
import signal

import pytest
import pytest_asyncio
from playwright.async_api import expect

from browser.seen import AXE, SMALL, audit, wait_to_see
from support.processes import Children

pytestmark = pytest.mark.asyncio(loop_scope="session")
VIEWS = {"1": "now", "2": "traces", "3": "signals", "4": "map", "5": "fabric"}
SYNAPSE = re.compile(r"^  Synapse  pid (\d+)", re.MULTILINE)


@pytest.fixture(scope="module")
def acted():
    """The scene after its first deaths: its process and the address of its page."""
    with Children() as children:
        played = children.cosmo("demo", "--scene", "--steady", "--no-browser")
        address = played.line("look at it: ", timeout_s=60.0).text
        assert played.says("one of three replicas is killed", 40.0)
        yield played, address


@pytest_asyncio.fixture(loop_scope="session")
async def front(page, acted):
    await page.set_viewport_size(SMALL)
    await page.goto(acted[1])
    await wait_to_see(page, "Live since")
    return page


async def open_an_envelope(page):
    await page.keyboard.press("3")
    await expect(page.locator(".signal-row:visible").first).to_be_visible()
    await page.keyboard.press("k")
    await expect(page.locator(".envelope")).to_be_visible()


async def test_who_is_calling_is_told_on_the_front_page(front):
    for name in ("web", "jobs", "nightly"):
        await wait_to_see(front, name)


async def test_what_is_stuck_is_told_on_the_front_page_with_the_reason(front):
    await wait_to_see(front, "importer")
    await wait_to_see(front, "the event loop is blocked")
    await wait_to_see(front, "Into which language?")


async def test_what_fails_most_and_why_is_told_by_its_root(front):
    await wait_to_see(front, "ocr")
    await wait_to_see(front, "no live Axon serves neuron 'ocr'")
    causes = front.get_by_role("table", name="Failures by root cause")

    await expect(causes).to_contain_text("asked by nightly")
    await expect(causes).to_contain_text("made good by a retry")
    named = await causes.locator("tbody td:nth-child(2)").all_inner_texts()
    assert "ocr" in named
    assert not {"archive", "report"} & set(named)  # they only pass it on


async def test_where_the_time_of_a_trace_went_is_one_click_away(front):
    tasks = front.get_by_role("table", name="Running tasks").locator("tbody")

    await tasks.filter(has_text="importer").first.click()

    await expect(front.locator(".detail h2")).to_contain_text("Read the old customers in")
    await wait_to_see(front, "importer")
    await wait_to_see(front, "reading 40,000 rows")


async def test_whether_the_fabric_is_well_is_told_in_one_line_and_one_click_on(front):
    await wait_to_see(front, "the fabric is well")

    await front.keyboard.press("5")

    await wait_to_see(front, "Synapse")
    await wait_to_see(front, "cosmo://127.0.0.1")


async def test_the_keyboard_alone_reaches_every_view_a_trace_and_its_envelope(front):
    for key, view in VIEWS.items():
        await front.keyboard.press(key)
        await expect(front.locator(f"#tab-{view}")).to_have_attribute("aria-selected", "true")
    await front.keyboard.press("1")
    await expect(front.get_by_role("table", name="Running tasks")).to_be_visible()

    await front.keyboard.press("j")
    await front.keyboard.press("Enter")

    await expect(front.locator(".detail h2")).to_be_visible()
    await open_an_envelope(front)
    await front.keyboard.press("Escape")
    await expect(front.locator(".envelope")).to_be_hidden()
    await front.keyboard.press("1")
    await expect(front.locator("#tab-now")).to_have_attribute("aria-selected", "true")


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is missing: `make test` installs it, by npm")
@pytest.mark.parametrize("theme", ["dark", "light"])
async def test_every_view_is_fit_for_everybody(front, theme):
    await front.emulate_media(color_scheme=theme, reduced_motion="reduce")
    wrong = {}

    for key, view in VIEWS.items():
        await front.keyboard.press(key)
        await expect(front.locator(f"#tab-{view}")).to_have_attribute("aria-selected", "true")
        wrong[view] = await audit(front)
    await open_an_envelope(front)
    wrong["envelope"] = await audit(front)
    await front.keyboard.press("Escape")
    await front.keyboard.press("1")
    tasks = front.get_by_role("table", name="Running tasks").locator("tbody")
    await tasks.filter(has_text="importer").first.click()
    await wait_to_see(front, "reading 40,000 rows")
    wrong["trace"] = await audit(front)

    assert {name: each for name, each in wrong.items() if each} == {}


async def test_a_killed_synapse_is_one_story_on_the_page(front, acted):
    """The last one: it ends the scene's Synapse."""
    played, _ = acted
    os.kill(int(SYNAPSE.search(played.said).group(1)), signal.SIGKILL)

    await expect(front.locator("#link")).to_contain_text("The Synapse is gone", timeout=15_000)

    story = await front.locator("#link").inner_text()
    assert "Live" not in story
    assert "well" not in story
