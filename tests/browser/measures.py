"""What is measured of a page: frame times, memory, time from Signal to pixel."""

import attrs

FRAMES = """
    () => {
        const own = (window.frames_ms = []);
        let before = performance.now();
        const note = (at) => {
            own.push(at - before);
            before = at;
            if (own === window.frames_ms) requestAnimationFrame(note);
        };
        requestAnimationFrame(note);
    }
"""
# The second of two frames: what the first one drew is on the screen by then.
PIXEL = """
    (mark) => new Promise((found) => {
        const rows = ".signal-row:not([hidden]) span:last-child";
        const isThere = () =>
            [...document.querySelectorAll(rows)].some((row) => row.textContent.includes(mark));
        const look = () => {
            if (isThere()) requestAnimationFrame(() => found(Date.now() / 1000));
            else requestAnimationFrame(look);
        };
        look();
    })
"""


@attrs.frozen
class Frames:
    """Times between frames, in ms.

    Args:
        count: How many.
        p50_ms: The median.
        p95_ms: What 95 % stay under.
        worst_ms: The longest.
    """

    count: int
    p50_ms: float
    p95_ms: float
    worst_ms: float

    def __str__(self):
        return (
            f"{self.count} frames, p50 {self.p50_ms:.1f} ms, p95 {self.p95_ms:.1f} ms, "
            f"worst {self.worst_ms:.0f} ms"
        )


async def frames(page, for_s):
    """Return the frame times of the next seconds."""
    await page.evaluate(FRAMES)
    await page.wait_for_timeout(for_s * 1000)
    taken = sorted(await page.evaluate("window.frames_ms"))
    return Frames(len(taken), taken[len(taken) // 2], taken[int(len(taken) * 0.95)], taken[-1])


async def memory_mb(page):
    """Return what the page holds after its garbage is collected, in MB."""
    session = await page.context.new_cdp_session(page)
    await session.send("HeapProfiler.collectGarbage")
    held = await session.send("Runtime.getHeapUsage")
    await session.detach()
    return held["usedSize"] / 1e6


async def seen(page):
    """Return how many Signals the page has been sent."""
    return await page.evaluate("Number(document.documentElement.dataset.seen)")
