"""The card of a Neuron: what it takes and gives, one click or one key away."""

import contextlib
import re

import pytest
import pytest_asyncio
from playwright.async_api import expect

from browser.scene import NAMESPACE
from browser.seen import AXE, audit
from cosmonapse import Axon, Dendrite, connect_synapse

pytestmark = pytest.mark.asyncio(loop_scope="session")
NARROW = {"width": 800, "height": 900}
STREET = {"type": "string", "description": "With the number <b>in it</b>"}
ADDRESS = {"type": "object", "properties": {"street": STREET}, "required": ["street"]}
NIGHTS = {"type": "integer", "minimum": 1, "maximum": 30}
BOOK = {
    "neuron_id": "book",
    "description": "Books a room\nin a hotel \u202eevil",
    "input": {"type": "object", "properties": {"to": ADDRESS, "nights": NIGHTS}},
    "output": {"type": "object", "properties": {"text": {"type": "string"}}},
    "capabilities": ["travel", "x" * 100],
}


async def book(input, context):
    return {"text": "booked"}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def hotel(stage):
    """Two replicas of different versions, and a Neuron that tells nothing."""
    async with contextlib.AsyncExitStack() as stack:
        for name, version in (("east", "1"), ("west", "2")):
            synapse = await connect_synapse(stage.url)
            dendrite = Dendrite(synapse=synapse, namespace=NAMESPACE, dendrite_id=name)
            dendrite.attach_axon(Axon(**BOOK, neuron_fn=book, version=version))
            dendrite.attach_axon(Axon(neuron_id="plain", neuron_fn=book))
            await stack.enter_async_context(dendrite)
        yield


@pytest_asyncio.fixture(loop_scope="session")
async def front(page, stage, hotel):
    await page.set_viewport_size(NARROW)
    await page.goto(f"{stage.page_url}#/now")
    await expect(page.get_by_role("table", name="Neurons")).to_contain_text("2 versions")
    return page


def card_of(page):
    return page.get_by_role("dialog")


async def test_the_name_of_a_neuron_opens_its_card_and_closing_it_leads_back(front):
    name = front.get_by_role("button", name="book", exact=True)
    await name.click()

    card = card_of(front)
    await expect(card).to_have_accessible_name("book")
    await expect(card.get_by_role("status")).to_have_text(
        "Books a room\nin a hotel \u27e8202e\u27e9evil"
    )
    rows = card.get_by_role("table", name="Input").get_by_role("row")
    await expect(rows).to_have_text(
        [
            "nametyperequireddescription",
            "toobjectno",
            "to.streetstringyesWith the number <b>in it</b>",
            "nightsinteger (1 to 30)no",
        ]
    )
    await expect(card.get_by_role("table", name="Output")).to_contain_text("text")
    await expect(card).to_contain_text("travel")
    await expect(card).to_contain_text(re.compile(r"east[0-9a-f]{16}, 1, alive"))
    await expect(card).to_contain_text("2 versions of its card: update the older replicas")
    await expect(card.get_by_role("button", name="Close")).to_be_focused()
    await front.keyboard.press("Escape")
    await expect(card).to_be_hidden()
    await expect(name).to_be_focused()
    await expect(front.locator("#chips .chip")).to_have_count(0)


async def test_a_key_opens_the_card_of_the_chosen_neuron_and_other_keys_wait(front):
    await front.get_by_role("table", name="Neurons").locator("tr", has_text="plain").focus()
    await front.keyboard.press("i")

    card = card_of(front)
    await expect(card).to_have_accessible_name("plain")
    await expect(card.get_by_role("status")).to_have_text("It does not tell what it is for.")
    await expect(card).to_contain_text("InputIt does not tell.")
    await front.keyboard.press("2")
    await expect(front.locator("#tab-now")).to_have_attribute("aria-selected", "true")
    await card.get_by_role("button", name="Close").click()
    await expect(card).to_be_hidden()


async def test_the_table_of_the_map_leads_to_the_card_by_click_and_by_key(front):
    await front.keyboard.press("4")
    row = front.locator(".roster .row", has_text="book")

    await row.click()
    await front.get_by_role("button", name="Card", exact=True).click()
    await expect(card_of(front)).to_have_accessible_name("book")
    await front.keyboard.press("Escape")
    await front.keyboard.press("Escape")
    await expect(front.locator("#chips .chip")).to_have_count(0)

    await row.dblclick()
    await expect(card_of(front)).to_have_accessible_name("book")
    await front.keyboard.press("Escape")
    await expect(front.locator("#chips .chip")).to_have_count(0)
    await front.get_by_role("button", name=re.compile("^plain ")).focus()
    await front.keyboard.press("i")
    await expect(card_of(front)).to_have_accessible_name("plain")
    await front.keyboard.press("Escape")


async def test_a_card_that_cannot_be_had_says_why(front, stage):
    await front.goto(f"{stage.page_url}#/signals?neuron=nobody")
    await front.get_by_role("button", name="Card", exact=True).click()

    told = card_of(front).get_by_role("status")
    await expect(told).to_have_text("no live Axon serves nobody")
    await front.keyboard.press("Escape")


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is missing: `make test` installs it, by npm")
@pytest.mark.parametrize("theme", ["dark", "light"])
async def test_a_card_is_fit_for_everybody_on_800_px(front, theme):
    await front.emulate_media(color_scheme=theme, reduced_motion="reduce")
    await front.get_by_role("button", name="book", exact=True).click()
    await expect(card_of(front).get_by_role("table", name="Input")).to_be_visible()

    assert await audit(front) == []
    for box in (card_of(front), card_of(front).get_by_role("region")):
        assert await box.evaluate("each => each.scrollWidth <= each.clientWidth")
    await front.keyboard.press("Escape")
