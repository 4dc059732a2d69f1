"""The surroundings of an HTTP edge: a worker in this process, and the apps as processes.

The worker obeys the prompt. It lives in this process, so that a test can release it, and
can see on its own clock when a task was cancelled.
"""

import asyncio
import http.client
import json
import re
import threading
import time
from collections import Counter

import httpx

from cosmonapse import Axon, BlockingDendrite, Clarification, NeuronError
from support.processes import ROOT

NAMESPACE = "api-demo"
TIMEOUT_S = 10.0
SLOW_S = 0.7  # a server looks twice for its client in that time
READY = {"flask": " * Running on", "fastapi": "INFO:     Uvicorn running on", "wsgi": "Running on"}


class EdgeWorker:
    """The neuron "worker"; `with` runs it.

    Attributes:
        may_go_on: A "gated" task waits for it after its first text.
        runs: How often each prompt was run.
    """

    def __init__(self, url):
        self.may_go_on = threading.Event()
        self.runs, self._cancelled_at_s, self._held = Counter(), {}, set()
        self._news = threading.Condition()
        axon = Axon(neuron_id="worker", neuron_fn=self._work, capabilities=["edge"])
        self._dendrite = BlockingDendrite(
            url, namespace=NAMESPACE, dendrite_id="worker", axons=[axon]
        )

    def __enter__(self):
        self._dendrite.start()
        return self

    def __exit__(self, kind, error, trace):
        self._dendrite.stop(drain_s=0.0)

    def wait_started(self, prompt):
        with self._news:
            assert self._news.wait_for(lambda: self.runs[prompt], TIMEOUT_S), prompt

    def wait_held(self, prompt):
        """Wait until the task with this prompt does nothing but wait for its cancellation."""
        with self._news:
            assert self._news.wait_for(lambda: prompt in self._held, TIMEOUT_S), prompt

    def wait_cancelled(self, prompt):
        """Wait until the task with this prompt is cancelled; return when it was."""
        with self._news:
            assert self._news.wait_for(lambda: prompt in self._cancelled_at_s, TIMEOUT_S), prompt
            return self._cancelled_at_s[prompt]

    async def _work(self, input, context):
        prompt = input["prompt"]
        with self._news:
            self.runs[prompt] += 1
            self._news.notify_all()
        refuse(prompt)
        if prompt.startswith("bytes"):
            yield {"data": b"\xff\x00", "number": float("inf")}
            return
        yield "one\n"
        try:
            if prompt.startswith("gated"):
                await asyncio.to_thread(self.may_go_on.wait, TIMEOUT_S)
            if prompt.startswith("slow"):
                await asyncio.sleep(SLOW_S)
            if prompt.startswith("held"):
                with self._news:
                    self._held.add(prompt)
                    self._news.notify_all()
                await asyncio.Event().wait()
        except asyncio.CancelledError:
            with self._news:
                self._cancelled_at_s[prompt] = time.perf_counter()
                self._news.notify_all()
            raise
        if prompt.startswith("late failure"):
            raise NeuronError("NO_GOOD", "it went wrong half way")
        yield "two"
        yield {"response": f"echo: {prompt}"}


def refuse(prompt):
    """Raise the error that the prompt names."""
    match prompt:
        case "fails":
            raise NeuronError("OVERLOADED", "come back later")
        case "asks":
            raise Clarification("Which one?")


def start_app(children, path, url, **env):
    """Start one of the examples; `client_of` waits until it serves."""
    settings = {"COSMO_URL": url, "PORT": "0", "NO_PROXY": "127.0.0.1", **env}
    return children.start(ROOT / "examples" / path, env=settings, merge_stderr=True)


def client_of(child, framework):
    """Return an HTTP client for the app in a child, once it serves."""
    line = child.line(READY[framework]).text
    url = re.search(r"http://127\.0\.0\.1:\d+", line).group()
    return httpx.Client(base_url=url, timeout=TIMEOUT_S, trust_env=False)


def hang_up(base_url, path, body, when):
    """POST a JSON body and leave without a response, as soon as `when` returns; return the time."""
    connection = http.client.HTTPConnection(base_url.host, base_url.port, timeout=TIMEOUT_S)
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
    when()
    connection.close()
    return time.perf_counter()
