"""What a person sees of a page without scrolling, and what axe-core says of it."""

from pathlib import Path

AXE = Path(__file__).parents[2] / "clients/javascript/node_modules/axe-core/axe.min.js"
SMALL = {"width": 1366, "height": 768}
# A text that is found is inside the window, and the point in its middle belongs to it.
_SEEN = """
    (text) => {
        const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        for (let node = walker.nextNode(); node; node = walker.nextNode()) {
            const at = node.data.indexOf(text);
            if (at < 0) continue;
            const range = document.createRange();
            range.setStart(node, at);
            range.setEnd(node, at + text.length);
            const box = range.getBoundingClientRect();
            const isInside = box.width > 0 && box.left >= 0 && box.top >= 0 &&
                box.right <= innerWidth && box.bottom <= innerHeight;
            if (!isInside) continue;
            const above = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
            if (above && above.contains(node.parentElement)) return true;
        }
        return false;
    }
"""
_AUDIT = """
    async () => {
        const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"];
        const found = await axe.run(document, { runOnly: tags });
        const where = (node) => node.target.join(" ") + ": " + node.failureSummary;
        return {
            passed: found.passes.length,
            wrong: found.violations.map((each) => [each.id, each.nodes.slice(0, 3).map(where)]),
        };
    }
"""


async def wait_to_see(page, text, timeout_ms=10_000):
    """Wait until a text is in the window, covered by nothing; the error names it."""
    try:
        await page.wait_for_function(_SEEN, arg=text, timeout=timeout_ms)
    except Exception as error:
        raise AssertionError(f"nobody sees {text!r} without scrolling") from error


async def audit(page):
    """Return what axe-core finds wrong at WCAG 2.1 A and AA."""
    if not await page.evaluate("typeof axe === 'object'"):
        await page.evaluate(AXE.read_text())
    found = await page.evaluate(_AUDIT)
    assert found["passed"] > 5, "axe-core has looked at nothing"
    return found["wrong"]
