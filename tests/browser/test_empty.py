"""What an empty Prism says, and how the page looks to those who see little."""

import re

import pytest
from playwright.async_api import expect

pytestmark = pytest.mark.asyncio(loop_scope="session")
# WCAG 2.2, success criterion 1.4.3: text of this size.
LEAST_CONTRAST = 4.5
TEXTS = (
    *("text", "soft", "faint", "accent", "s-alive", "s-stuck", "s-gone", "s-draining", "s-away"),
    *("t-task", "t-reply", "t-error", "t-question", "t-stream", "t-tool", "t-auction", "t-stop"),
)
GROUNDS = ("bg", "panel", "raised", "chosen")
TOKEN = """
    (name) => {
        document.body.style.color = `var(--${name})`;
        return getComputedStyle(document.body).color;
    }
"""


def luminance(colour):
    parts = [int(each) / 255 for each in re.findall(r"\d+", colour)[:3]]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one, other):
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("key", ["1", "2", "3", "4", "5"])
async def test_every_empty_view_says_what_to_type_with_the_real_address(page, stage, key):
    await page.goto(stage.page_url)
    await page.keyboard.press(key)

    empty = page.locator("main > section:not(.away) .empty")
    await expect(empty).to_contain_text("Nothing is being said in api-demo yet")
    await expect(empty).to_contain_text(f"cosmo dispatch --url={stage.url} -n api-demo --neuron")
    await expect(empty).to_contain_text("cosmo demo")


@pytest.mark.parametrize("theme", ["dark", "light"])
async def test_every_text_stands_out_from_what_it_stands_on(page, stage, theme):
    await page.goto(stage.page_url)
    await page.evaluate("theme => localStorage.setItem('prism.theme', theme)", theme)
    await page.reload()
    assert await page.evaluate("document.documentElement.dataset.theme") == theme

    colours = {name: await page.evaluate(TOKEN, name) for name in (*TEXTS, *GROUNDS)}

    weak = {
        (text, ground): round(contrast(colours[text], colours[ground]), 2)
        for text in TEXTS
        for ground in GROUNDS
        if contrast(colours[text], colours[ground]) < LEAST_CONTRAST
    }
    assert not weak


async def test_the_theme_of_the_system_is_the_theme_until_one_is_chosen(page, stage):
    await page.emulate_media(color_scheme="light")
    await page.goto(stage.page_url)

    ground = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert luminance(ground) > 0.8


async def test_with_reduced_motion_nothing_flies(page, stage):
    await page.emulate_media(reduced_motion="reduce")
    await page.goto(f"{stage.page_url}#/map")

    await expect(page.locator(".sampling")).to_contain_text("nothing flies")


async def test_everything_that_can_be_pressed_has_a_name(page, stage):
    await page.goto(stage.page_url)
    await expect(page.locator("#link")).to_contain_text("Live since")

    nameless = await page.evaluate("""
        [...document.querySelectorAll("button, input, select, [role=listbox]")]
            .filter((each) => !(each.textContent.trim() || each.ariaLabel || each.title))
            .filter((each) => !each.labels?.length)
            .map((each) => each.outerHTML)
    """)

    assert not nameless
