"""Build the site into site/ and look at it: `python -m tools.docs`."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

from . import api, browser, links, pages

SITE = pages.ROOT / "site"
PAGES = pages.ROOT / "build" / "pages"
SCRIPT = Path(__file__).with_name("frame_worker.js")
# The builder puts this into every page for search from disk; it would be loaded from a host.
REMOTE_SCRIPT = "https://unpkg.com/iframe-worker/shim"


def main() -> int:
    """Build, check the links, open pages from disk; return the exit code."""
    began_at_s = time.monotonic()
    pages.gather(PAGES)
    shutil.rmtree(SITE, ignore_errors=True)
    ended = build()
    if ended.returncode:
        print(ended.stdout, ended.stderr, sep="", file=sys.stderr)
        return ended.returncode
    use_own_worker(SITE)
    faults = [*links.faults(SITE), *api.faults(SITE), *browser.faults(SITE)]
    print(*faults, sep="\n", end="\n" if faults else "", file=sys.stderr)
    count = sum(1 for _ in SITE.rglob("*.html"))
    print(f"{count} pages in {time.monotonic() - began_at_s:.0f} s: file://{SITE}/index.html")
    return 1 if faults else 0


def build() -> subprocess.CompletedProcess[str]:
    """Run the builder; a dead link or anchor in the Markdown fails it."""
    return subprocess.run(
        [Path(sys.executable).with_name("zensical"), "build", "--clean", "--strict"],
        cwd=pages.ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def use_own_worker(site: Path) -> None:
    """Put our script for search from disk in the place of the one from another host."""
    target = site / "assets" / "javascripts" / SCRIPT.name
    shutil.copy(SCRIPT, target)
    for page in site.rglob("*.html"):
        depth = len(page.relative_to(site).parts) - 1
        own = "../" * depth + target.relative_to(site).as_posix()
        page.write_text(page.read_text().replace(REMOTE_SCRIPT, own))


if __name__ == "__main__":
    sys.exit(main())
