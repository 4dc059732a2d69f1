"""Pictures of every view in both themes: `PYTHONPATH=tests python -m browser.shots FOLDER`."""

import asyncio
import itertools
import os
import signal
import sys
from pathlib import Path

from browser.chromium import LAPTOP, LARGE, chromium
from browser.scene import ask, scene

SIZES = {"laptop": LAPTOP, "large": LARGE}


QUESTIONS = (
    "What is a Dendrite?",
    "How do replicas share the work of a Neuron?",
    "What happens when a worker dies?",
    "Who keeps the ledger of open tasks?",
    "When is a TASK sent again?",
)


async def busy(dendrites):
    """Keep asking, a few times a second."""
    for turn in itertools.count():
        dendrite = dendrites[turn % len(dendrites)]
        question = QUESTIONS[turn % len(QUESTIONS)]
        asked = [ask(dendrite, "search", query=question)]
        if turn % 3 == 0:
            asked.append(ask(dendrite, "echo", prompt="Are you there?"))
        if turn % 5 == 0:
            asked.append(ask(dendrite, "assistant", prompt=question))
        if turn % 11 == 0:
            asked.append(ask(dendrite, "translate", prompt="Good morning"))
        await asyncio.gather(*asked)
        await asyncio.sleep(0.15)  # a pace that the eye can follow


async def play(stage, dendrites):
    """Let everything happen once."""
    web, jobs = dendrites
    await ask(web, "translate", prompt="Good morning")
    for row in (7, 7, 9):
        await ask(jobs, "flaky", row=row)
    await ask(jobs, "nobody", prompt="is anybody there?")
    await ask(web, "assistant", prompt="How do replicas share the work of a Neuron?")


async def shoot(folder):
    os.environ["ACTOR_HEARTBEAT_S"] = "1"
    with scene() as stage:
        async with chromium() as browser, stage.caller("web") as web, stage.caller("jobs") as jobs:
            page = await browser.new_page(viewport=LAPTOP)
            await page.goto(stage.page_url)
            await page.wait_for_selector("text=is being said")
            await snap(page, folder, "empty-laptop-dark", "dark")
            stage.hire("replica-1", "assistant", "search", "echo")
            stage.hire("replica-2", "assistant", "search", "echo")
            stage.hire("language", "translate", "flaky").may_complain = True
            stage.hire("batch-1", "holder")
            held = [
                asyncio.ensure_future(ask(web, "holder", timeout_s=200, prompt="never ends"))
                for _ in range(2)
            ]
            await play(stage, (web, jobs))
            frozen = stage.hire("frozen", "echo")
            frozen.send(signal.SIGSTOP)
            asking = asyncio.ensure_future(busy((web, jobs)))
            await asyncio.sleep(20)
            stage.workers["batch-1"].kill()
            stage.hire("batch-2", "holder")
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
    await page.keyboard.press("4")
    await page.wait_for_timeout(1200)
    await snap(page, folder, f"map-{suffix}", theme)
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
    await page.keyboard.press("5")
    await page.wait_for_timeout(1500)
    await snap(page, folder, f"fabric-{suffix}", theme)


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "docs/screenshots")
    target.mkdir(parents=True, exist_ok=True)
    asyncio.run(shoot(target))
