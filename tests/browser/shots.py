"""Pictures of every view in both themes: `PYTHONPATH=tests python -m browser.shots FOLDER`."""

import asyncio
import contextlib
import sys
from pathlib import Path

from browser.chromium import LAPTOP, LARGE, chromium
from browser.scene import ask, scene

SIZES = {"laptop": LAPTOP, "large": LARGE}


async def busy(dendrites):
    """Keep asking, a few times a second."""
    turn = 0
    while True:
        turn += 1
        dendrite = dendrites[turn % len(dendrites)]
        with contextlib.suppress(Exception):
            await asyncio.gather(
                ask(dendrite, "search", query=f"what is {turn}?"),
                ask(dendrite, "echo", prompt=f"hello {turn}"),
                ask(dendrite, "assistant", prompt="What is a Dendrite?")
                if turn % 7 == 0
                else asyncio.sleep(0),
            )
        await asyncio.sleep(0.15)


async def play(stage, dendrites):
    """Let everything happen once."""
    web, jobs = dendrites
    await ask(web, "translate", prompt="Good morning")
    for row in (7, 7, 9):
        await ask(jobs, "flaky", row=row)
    await ask(jobs, "nobody", prompt="is anybody there?")
    await ask(web, "assistant", prompt="How do replicas share the work of a Neuron?")


async def shoot(folder):
    with scene() as stage:
        async with chromium() as browser, stage.caller("web") as web, stage.caller("jobs") as jobs:
            page = await browser.new_page(viewport=LAPTOP)
            await page.goto(stage.page_url)
            await page.wait_for_selector("text=is being said")
            await snap(page, folder, "empty-laptop-dark", "dark")
            stage.hire("replica-1", "assistant", "search", "echo")
            stage.hire("replica-2", "assistant", "search", "echo")
            stage.hire("language", "translate", "flaky")
            stage.hire("doomed", "holder")
            held = [
                asyncio.ensure_future(ask(web, "holder", timeout_s=200, prompt="never ends"))
                for _ in range(2)
            ]
            await play(stage, (web, jobs))
            asking = asyncio.ensure_future(busy((web, jobs)))
            await asyncio.sleep(20)
            stage.workers["doomed"].kill()
            stage.hire("stuck-one", "holder")
            held.append(
                asyncio.ensure_future(ask(jobs, "holder", timeout_s=200, prompt="Sum up the year"))
            )
            await asyncio.sleep(4)
            for size, viewport in SIZES.items():
                await page.set_viewport_size(viewport)
                for theme in ("dark", "light"):
                    await views(page, folder, size, theme)
            for each in (asking, *held):
                each.cancel()


async def snap(page, folder, name, theme):
    await page.evaluate("name => { document.documentElement.dataset.theme = name }", theme)
    await page.evaluate("() => document.getElementById('theme').click()")
    for _ in range(2):
        if await page.evaluate("document.documentElement.dataset.theme") != theme:
            await page.evaluate("() => document.getElementById('theme').click()")
    await page.wait_for_timeout(500)
    await page.screenshot(path=str(folder / f"{name}.png"))


async def views(page, folder, size, theme):
    suffix = f"{size}-{theme}"
    await page.keyboard.press("1")
    await page.wait_for_timeout(1200)
    await snap(page, folder, f"constellation-{suffix}", theme)
    await page.keyboard.press("2")
    await page.wait_for_timeout(300)
    await page.locator(".trace-row", has_text="What is a Dendrite").first.click()
    await page.wait_for_timeout(2500)
    await snap(page, folder, f"traces-{suffix}", theme)
    await page.keyboard.press("w")
    await page.locator(".tree-row").nth(2).click()
    await snap(page, folder, f"tree-{suffix}", theme)
    await page.keyboard.press("Escape")
    await page.keyboard.press("w")
    await page.keyboard.press("3")
    await page.wait_for_timeout(300)
    await snap(page, folder, f"signals-{suffix}", theme)
    await page.keyboard.press("k")
    await page.wait_for_timeout(300)
    await snap(page, folder, f"envelope-{suffix}", theme)
    await page.keyboard.press("Escape")
    await page.keyboard.press("4")
    await page.wait_for_timeout(1500)
    await snap(page, folder, f"health-{suffix}", theme)


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/screenshots")
    target.mkdir(parents=True, exist_ok=True)
    asyncio.run(shoot(target))
