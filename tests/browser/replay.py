"""A Prism that plays records at a set rate: `python replay.py RATE`, from the real static files.

It prints `replaying URL`, and answers as docs/prism.md says. A page that opens the stream gets
RATE Signals a second until it goes; so the page can be measured without a fabric behind it that
takes the same processors.
"""

import asyncio
import json
import socket
import sys
import time

import uvicorn
from starlette.applications import Starlette
from starlette.responses import FileResponse, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from cosmonapse.prism.app import STATIC
from cosmonapse.prism.guard import HEADERS

BATCH_S = 0.05
CHANGES_S = 0.25
SHAPE = ("TASK", *["THOUGHT_DELTA"] * 4, "TOOL_CALL", "TOOL_RESULT", "AGENT_OUTPUT")
PAYLOADS = {
    "TASK": {"input": {"prompt": "What is a Dendrite, and how do replicas share its work?"}},
    "THOUGHT_DELTA": {"delta": "A Dendrite is the asyncio client of a program. ", "seq": 0},
    "TOOL_CALL": {"tool_name": "glossary", "args": {"term": "Dendrite"}, "call_id": "c"},
    "TOOL_RESULT": {"tool_name": "glossary", "result": ["it connects"], "call_id": "c"},
    "AGENT_OUTPUT": {"output": {"response": "It connects a program to the Synapse.", "n": 42}},
}
BODIES = {name: json.dumps(payload) for name, payload in PAYLOADS.items()}
WORKERS = [f"{n:032x}" for n in range(1, 9)]
CALLERS = [f"{n:032x}" for n in range(101, 105)]


def record(n, ts):
    """Return one record as JSON: eight in a row make a trace."""
    number, step = divmod(n, len(SHAPE))
    kind = SHAPE[step]
    neuron = number % len(WORKERS)
    task = f"evt_{number:026d}"
    own = task if step == 0 else f"evt_{n:025d}s"
    parent = "null" if step == 0 else f'"{task}"'
    return (
        f'{{"n":{n},"id":"{own}","trace_id":"trc_{number % 10**8:08d}{number:018d}",'
        f'"parent_id":{parent},"type":"{kind}","ts":{ts:.6f},"neuron":"worker-{neuron}",'
        f'"capabilities":[],"caller":"{CALLERS[number % 4]}","worker":"{WORKERS[neuron]}",'
        f'"bytes":180,"payload":{BODIES[kind]}}}'
    )


def event(name, data, last=None):
    number = "" if last is None else f"id: {last}\n"
    return f"event: {name}\n{number}data: {data}\n\n"


def state(at):
    neuron = {"version": None, "state": "alive", "open": 3, "running": 3, "queued": 0}
    more = {"concurrency": 8, "loop_lag_ms": 1, "last_seen_s": 0.5, "reason": None}
    dendrites = [
        {
            "instance": instance,
            "dendrite_id": f"replica-{n}",
            "role": "worker",
            "does": "worker",
            "state": "alive",
            "age_s": 9,
            "open": 3,
            "left": None,
            "neurons": [{"neuron_id": f"worker-{n}", "capabilities": ["chat"], **neuron, **more}],
        }
        for n, instance in enumerate(WORKERS)
    ]
    synapse = {"url": "cosmo://replay", "connected": True, "reason": None, "counters": {}}
    synapse |= {"since_ts": at - 60, "warning": None, "role": None, "peers": []}
    whole = {"at": at, "synapse": synapse, "dendrites": dendrites, "missed": 0, "evicted": 0}
    whole["behind"] = None
    return json.dumps(whole)


def now(rate):
    """Return a `now` event: a full front page, as a busy fabric has it."""
    caller, worker = {"instance": CALLERS[0], "name": "web"}, {"instance": WORKERS[0], "name": "w"}
    tasks = [
        {
            "id": f"evt_{n}",
            "trace_id": f"trc_{n:08d}",
            "parent_id": None,
            "neuron": f"worker-{n % 8}",
            "capabilities": [],
            "caller": caller,
            "worker": worker,
            "prompt": "What is a Dendrite?",
            "age_s": 200.0 - n,
            "state": "running",
            "first_thought_s": 0.2,
            "queue_s": None,
            "deadline_s": 30.0,
            "thoughts": 12,
            "characters": 480,
            "attempt": 1,
            "stuck": None,
        }
        for n in range(200)
    ]
    charts = {"rate": [rate / 64] * 120, "p50_ms": [9] * 120, "p99_ms": [21] * 120}
    replicas = {"alive": 1, "stuck": 0, "draining": 0, "away": 0, "gone": 0}
    strip = [
        {
            "neuron_id": f"worker-{n}",
            "capabilities": ["chat"],
            "replicas": replicas,
            "running": 3,
            "queued": 0,
            "open": 3,
            "rate": rate / 64,
            "errors_per_minute": 0,
            "error_rate": 0.0,
            "p50_ms": 9,
            "p99_ms": 21,
            "loop_lag_ms": 1,
            "gone": None,
            "missing": False,
        }
        for n in range(len(WORKERS))
    ]
    series = {each["neuron_id"]: {**charts, "errors": 0, "done": 9} for each in strip}
    whole = {"tasks": tasks, "more": 0, "open": 200, "causes": [], "neurons": strip}
    return json.dumps(
        {**whole, "series": series, "total_rate": [rate] * 120, "signals_per_s": rate}
    )


def traces(number, ts):
    """Return a `traces` event: the 200 traces that changed last, up to this number."""
    caller = {"instance": CALLERS[0], "name": "web"}
    return json.dumps(
        {
            "items": [
                {
                    "id": f"trc_{n % 10**8:08d}{n:018d}",
                    "v": number,
                    "began_ts": ts,
                    "last_ts": ts,
                    "took_s": 0.1,
                    "first_thought_s": 0.02,
                    "status": "done",
                    "prompt": "What is a Dendrite?",
                    "caller": caller,
                    "neuron": f"worker-{n % 8}",
                    "neurons": [f"worker-{n % 8}"],
                    "more_neurons": 0,
                    "tasks": 1,
                    "signals": 8,
                    "errors": 0,
                    "retries": 0,
                    "beginning": "seen",
                    "dropped": 0,
                    "pinned": "",
                    "cause": None,
                    "ask": None,
                    "model": None,
                }
                for n in range(max(1, number - 199), number + 1)
            ],
            "gone": [
                f"trc_{n % 10**8:08d}{n:018d}" for n in range(max(1, number - 1200), number - 999)
            ],
        }
    )


async def play(rate):
    """Yield the events of one tab for as long as it listens."""
    hello = {"run": f"{time.time_ns():x}", "namespace": "replay", "url": "cosmo://replay"}
    hello |= {"mode": "live", "replay": None, "prices": False, "traces_kept": 1000}
    yield event(
        "hello", json.dumps({**hello, "version": "0", "kept": 10_000, "first": 1, "last": 0})
    )
    began_s, sent, told_s, changed_s = time.monotonic(), 0, 0.0, 0.0
    while True:
        now_s = time.monotonic()
        due = int((now_s - began_s) * rate)
        if due > sent:
            ts = time.time()
            records = ",".join(record(n, ts) for n in range(sent + 1, due + 1))
            yield event("signals", f"[{records}]", due)
            sent = due
        if now_s - told_s >= 1:
            told_s = now_s
            yield event("state", state(time.time())) + event("now", now(rate))
        if now_s - changed_s >= CHANGES_S:
            changed_s = now_s
            yield event("traces", traces(sent // len(SHAPE), time.time()))
        await asyncio.sleep(BATCH_S)  # as the server: a batch at most every 50 ms


def main(rate):
    async def index(request):
        return FileResponse(STATIC / "index.html", headers=HEADERS)

    async def stream(request):
        return StreamingResponse(play(rate), media_type="text/event-stream", headers=HEADERS)

    routes = [Route("/", index), Route("/api/stream", stream)]
    app = Starlette(routes=[*routes, Mount("/static", StaticFiles(directory=STATIC))])
    with socket.create_server(("127.0.0.1", 0)) as listening:
        sys.stdout.write(f"replaying http://127.0.0.1:{listening.getsockname()[1]}\n")
        sys.stdout.flush()
        config = uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1)
        asyncio.run(uvicorn.Server(config).serve([listening]))


if __name__ == "__main__":
    main(float(sys.argv[1]))
