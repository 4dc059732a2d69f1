"""Hears what is announced on the LAN, while it is open. Spec: docs/spec/13-discovery.md."""

from __future__ import annotations

import contextlib
import threading
from types import TracebackType
from typing import Any, Final, Self

from ..runtime.addresses import lan_addresses
from .choice import MAX_RECORDS
from .lan_record import SERVICE, Record, record_of
from .zeroconf_use import zeroconf

_MAX_NAMES: Final = 4 * MAX_RECORDS
_REQUEST_MS: Final = 1000


class NoMulticast(Exception):
    """This machine has no network on which anything could be announced."""


class Browser:
    """Asks for announcements, and hears them until it is closed. Blocking; for one thread.

    Raises:
        MissingExtra: The package `zeroconf` is not installed.
    """

    def __init__(self) -> None:
        self._library = zeroconf()
        self._changed = threading.Event()
        self._names: dict[str, None] = {}
        self._asked: set[str] = set()
        self._opened: list[Any] = []
        self._browsers: list[Any] = []

    def __enter__(self) -> Self:
        """Begin to listen, and ask.

        Raises:
            NoMulticast: There is no network; the text says what was seen.
        """
        own = lan_addresses()
        if not own:
            raise NoMulticast("this machine has no network address besides loopback")
        kinds = self._library.DNSQuestionType
        try:
            # The answer to a question of this kind reaches all on the network. But it is held back
            # where there was one just now, and zeroconf takes no notice of a question that it has
            # seen within a second, whoever asked.
            self._ask(kinds.QM, interfaces=own)
            # The answer to this one comes at once, and only here. A firewall may stop it.
            self._ask(kinds.QU, interfaces=own, unicast=True)
        except OSError as error:
            self._close()
            raise NoMulticast(f"nothing can be heard on UDP port 5353: {error.strerror}") from None
        return self

    def _ask(self, kind: Any, **options: Any) -> None:
        """Ask on the network, and listen."""
        library = self._library
        opened = library.Zeroconf(**options)  # no loop runs in this thread
        self._opened.append(opened)
        self._browsers.append(
            library.ServiceBrowser(opened, SERVICE, handlers=[self._on_change], question_type=kind)
        )

    def _close(self) -> None:
        for browser in self._browsers:
            browser.cancel()  # else its thread stays
        for opened in self._opened:
            opened.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        """Hear nothing more."""
        self._close()

    def wait(self, timeout_s: float) -> None:
        """Return when something was heard, or after a time."""
        self._changed.wait(max(0.0, timeout_s))
        self._changed.clear()

    def records(self) -> list[Record]:
        """Return what is announced, as far as it is complete."""
        read = [self._read(name) for name in list(self._names)]
        return [each for each in read if each is not None]

    def _on_change(self, *, name: str, state_change: Any, **_: Any) -> None:
        if state_change is self._library.ServiceStateChange.Removed:
            self._names.pop(name, None)
        elif len(self._names) < _MAX_NAMES:
            self._names[name] = None
        self._changed.set()

    def _read(self, name: str) -> Record | None:
        info = self._library.ServiceInfo(SERVICE, name)
        with contextlib.suppress(ValueError, self._library.Error):  # it may be anything
            if any(info.load_from_cache(each) for each in self._opened):
                return record_of(
                    name, info.parsed_scoped_addresses(), info.port or 0, info.properties
                )
            self._ask_for(name, info)
        return None

    def _ask_for(self, name: str, info: Any) -> None:
        """Ask for the parts of an announcement that did not come with it, once."""
        if name in self._asked:
            return
        self._asked.add(name)

        def ask() -> None:
            with contextlib.suppress(ValueError, OSError, self._library.Error):
                info.request(self._opened[0], _REQUEST_MS)
            self._changed.set()

        threading.Thread(target=ask, name="lan announcement", daemon=True).start()
