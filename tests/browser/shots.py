"""Pictures of every view of the scene: `PYTHONPATH=tests python -m browser.shots FOLDER`.

The scene is that of `cosmo demo --scene`. Each view is taken in both themes and each size, then
an open trace, an envelope, and the front page while the Synapse is gone.
"""

import asyncio
import sys
from pathlib import Path

from browser.chromium import chromium
from browser.seen import SMALL
from support.processes import Children

SIZES = {
    "laptop": SMALL,
    "large": {"width": 1920, "height": 1080},
    "narrow": {"width": 800, "height": 900},
}
VIEWS = {"1": "now", "2": "traces", "3": "signals", "4": "map", "5": "fabric"}
SETTLED_MS = 700


async def shoot(folder, *options):
    with Children() as children:
        played = children.cosmo("demo", "--scene", "--no-browser", *options)
        address = played.line("look at it: ", timeout_s=90.0).text
        async with chromium() as browser:
            page = await browser.new_page(viewport=SMALL)
            await page.goto(address)
            await asyncio.to_thread(played.says, "one of three replicas is killed", 60.0)
            for size, viewport in SIZES.items():
                await page.set_viewport_size(viewport)
                for theme in ("dark", "light"):
                    await page.emulate_media(color_scheme=theme)
                    await views(page, folder, f"{size}-{theme}")
            await page.set_viewport_size(SMALL)
            await page.keyboard.press("1")
            await asyncio.to_thread(played.says, "the Synapse is killed", 90.0)
            await page.wait_for_selector("text=The Synapse is gone")
            await snap(page, folder, "synapse-gone")


async def views(page, folder, suffix):
    for key, view in VIEWS.items():
        await page.keyboard.press(key)
        await snap(page, folder, f"{view}-{suffix}")
    await page.keyboard.press("3")
    await page.keyboard.press("k")
    await snap(page, folder, f"envelope-{suffix}")
    await page.keyboard.press("Escape")
    await page.keyboard.press("1")
    await page.locator("table[aria-label='Running tasks'] tbody").first.click()
    await snap(page, folder, f"trace-{suffix}")


async def snap(page, folder, name):
    await page.wait_for_timeout(SETTLED_MS)
    await page.screenshot(path=str(folder / f"{name}.png"))


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    asyncio.run(shoot(target, *sys.argv[2:]))
