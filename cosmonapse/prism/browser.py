"""Opening a page in the person's browser, without waiting for it."""

from __future__ import annotations

import threading
import webbrowser


def open_browser(address: str) -> None:
    """Open a page; where there is no browser nothing happens: the address is printed too."""
    threading.Thread(target=webbrowser.open, args=(address,), name="browser", daemon=True).start()
