"""Prism as a process, and a tab of it: a thread reads the events of its stream."""

import json
import threading
import time

import httpx

from support.processes import TIMEOUT_S


def prism(children, url, namespace, *options, verb=("prism",)):
    """Start Prism on any free port; return the child and its address."""
    arguments = ("--url", url, "-n", namespace, "--port", 0, "--no-browser")
    child = children.cosmo(*verb, *arguments, *options, merge_stderr=True)
    return child, child.line(f"Prism shows {namespace} on").text


class Tab:
    """One open stream.

    Args:
        address: Of Prism, with a slash at its end.
        since: The id of the last event that it has seen.
    """

    def __init__(self, address, since=None):
        self.events = []
        self.ended = False
        self._news = threading.Condition()
        self._closing = False
        query = "" if since is None else f"?since={since}"
        self._client = httpx.Client(timeout=httpx.Timeout(5.0, read=None), trust_env=False)
        self._url = f"{address}api/stream{query}"
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self._closing = True
        self._client.close()
        self._thread.join(TIMEOUT_S)

    def _read(self):
        name = None
        try:
            with self._client.stream("GET", self._url) as answer:
                for line in answer.iter_lines():
                    if self._closing:
                        return
                    if line.startswith("event: "):
                        name = line.removeprefix("event: ")
                    elif line.startswith("data: "):
                        with self._news:
                            self.events.append((name, json.loads(line.removeprefix("data: "))))
                            self._news.notify_all()
        except (httpx.HTTPError, RuntimeError, OSError):
            pass  # it was closed, by one of the two sides
        with self._news:
            self.ended = True
            self._news.notify_all()

    def of(self, name):
        """Return the data of all events of a name so far."""
        return [data for each, data in self.events if each == name]

    @property
    def records(self):
        return [record for batch in self.of("signals") for record in batch]

    def until(self, condition, what="what was awaited"):
        """Wait until `condition()` is true; return its result."""
        end_s = time.monotonic() + TIMEOUT_S
        with self._news:
            while not (value := condition()):
                if not self._news.wait(end_s - time.monotonic()) or self.ended:
                    value = condition()
                    assert value, f"{what} did not come; the last: {self.events[-3:]!r:.2000}"
                    return value
        return value

    def newest(self, name, condition=lambda data: True):
        """Wait for an event of a name whose data fits; return the data."""
        return self.until(
            lambda: next((d for d in reversed(self.of(name)) if condition(d)), None), name
        )

    def types(self):
        """Return the types of its Signals, without those of presence."""
        presence = ("REGISTER", "HEARTBEAT", "DEREGISTER")
        return [each["type"] for each in self.records if each["type"] not in presence]
