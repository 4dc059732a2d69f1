"""The long figures: `PYTHONPATH=tests python -m browser.flood [SIGNALS]`.

Frame times of each view at 10,000 Signals a second, memory along the way to SIGNALS (1,000,000 if
none is given), and the time from Signal to pixel behind a real Synapse and a real Prism.
"""

import asyncio
import sys
import time

from browser import measures
from browser.chromium import LAPTOP, chromium
from browser.scene import REPLAY, ask, scene
from support.processes import Children

RATE = 10_000
PROBES = 50
VIEWS = {"1": "Now", "2": "Traces", "3": "Signals", "4": "Map", "5": "Fabric"}


def say(text):
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def flood(browser, signals):
    with Children() as children:
        page = await browser.new_page(viewport=LAPTOP)
        await page.goto(children.start(REPLAY, RATE).line("replaying").text)
        await page.wait_for_selector("#link.well")
        began_s = time.monotonic()
        for key, view in VIEWS.items():
            await page.keyboard.press(key)
            frames = await measures.frames(page, 10)
            per_s = await measures.seen(page) / (time.monotonic() - began_s)
            say(f"{view:14} {per_s:7,.0f}/s  {frames}")
        say(f"{await measures.seen(page):9,} Signals: {await measures.memory_mb(page):.1f} MB")
        await page.keyboard.press("3")
        came = 0
        while came < signals:
            await page.wait_for_timeout(10_000)
            came = await measures.seen(page)
            say(f"{came:9,} Signals: {await measures.memory_mb(page):.1f} MB")
        say(await page.locator("#missed-tab").inner_text())
        await page.close()


async def pixels(browser):
    with scene() as stage:
        stage.hire("replica-1", "echo")
        page = await browser.new_page(viewport=LAPTOP)
        await page.goto(f"{stage.page_url}#/signals")
        await page.wait_for_selector("#link.well")
        async with stage.caller() as web:
            await ask(web, "echo", prompt="warm")
            took_ms = sorted([await probe(page, web, number) for number in range(PROBES)])
        say(
            f"from Signal to pixel: p50 {took_ms[PROBES // 2]:.0f} ms, "
            f"p95 {took_ms[int(PROBES * 0.95)]:.0f} ms ({PROBES} Signals, one at a time)"
        )
        await page.close()


async def probe(page, dendrite, number):
    """Return the ms from a dispatch to the frame that shows its TASK."""
    mark = f"probe {number:04}"
    seeing = asyncio.ensure_future(page.evaluate(measures.PIXEL, mark))
    await page.wait_for_timeout(100 + number * 7 % 50)  # spread over the 50 ms of a batch
    sent_ts = time.time()
    await ask(dendrite, "echo", prompt=mark)
    return (await seeing - sent_ts) * 1000


async def main(signals):
    async with chromium() as browser:
        await pixels(browser)
        await flood(browser, signals)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
