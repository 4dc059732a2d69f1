"""The demonstration itself: five processes, one question over HTTP, the answer as it comes."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from typing import Any

import attrs

from ..dendrite import Dendrite
from ..errors import RemoteError
from ..payloads import response_text
from ..runtime.extras import missing_extra
from ..signals import Signal
from ..synapse import connect_synapse
from ..synapse.url import masked
from .processes import Processes, Say, start_fabric

NAMESPACE = "demo"
QUESTION = "What is a Dendrite?"
_MORE = (
    "What is a Synapse?",
    "What is an Axon?",
    "What is a Neuron?",
    "How do replicas share the work?",
)
_UNKNOWN = "Who won the world cup in 1998?"
_HTTP_TIMEOUT_S = 70.0
_QUIET_S = 2.0


@attrs.define
class Watched:
    """What an observer saw of one trace: the instants of its Signals, on the wall clock."""

    task_ts: float | None = None
    first_thought_ts: float | None = None
    output_ts: float | None = None
    thoughts: int = 0
    done: asyncio.Event = attrs.field(factory=asyncio.Event)


def _client() -> Any:
    try:
        import httpx
    except ImportError as error:
        raise missing_extra("httpx", "llm", error) from None
    return httpx.AsyncClient(timeout=_HTTP_TIMEOUT_S, trust_env=False)


async def show(question: str, keep: bool, say: Say, nats_url: str | None = None) -> None:
    """Run the whole main job once.

    Args:
        question: What is asked over HTTP.
        keep: Stay up afterwards until interrupted.
        say: Prints; takes text and `nl`.
        nats_url: A nats-server without a Synapse, over which everything goes; None for a Synapse
            that listens itself.

    Raises:
        MissingExtra: httpx or Flask is not installed.
        RemoteError: The question got no answer.
    """
    async with _client() as client, Processes() as processes:
        started_s = time.perf_counter()
        url, edge_url = await _bring_up(processes, say, nats_url)
        say(f"five processes up in {time.perf_counter() - started_s:.1f} s\n")
        synapse = await connect_synapse(url)
        observer = Dendrite(synapse=synapse, namespace=NAMESPACE, dendrite_id="observer")
        watched = _watch(observer, say)
        async with observer:
            await _ask_and_tell(client, edge_url, question, watched, say)
        await _ask_more(client, edge_url, say)
        if keep:
            say(f"\nup until Ctrl-C:\n  Synapse  {masked(url)}  (namespace {NAMESPACE})")
            say(f"  edge     {edge_url}/ask\n  try      {_curl(edge_url)}")
            await asyncio.Event().wait()
    say("every process has ended")


async def _bring_up(processes: Processes, say: Say, nats_url: str | None) -> tuple[str, str]:
    url = await start_fabric(processes, NAMESPACE, say, nats_url)
    pid, edge_url = await processes.start("edge", "ready", "cosmonapse.demo.edge", url, NAMESPACE)
    say(f"  edge       pid {pid:<7} {edge_url}/ask (Flask)")
    return url, edge_url


def _watch(observer: Dendrite, say: Say) -> Watched:
    """Show the thoughts as they arrive, and record when each part of the way ended."""
    watched = Watched()

    @observer.on_task_signal
    async def on_task(sig: Signal) -> None:
        watched.task_ts = sig.ts

    @observer.on_thought_delta
    async def on_thought(sig: Signal) -> None:
        watched.first_thought_ts = watched.first_thought_ts or sig.ts
        watched.thoughts += 1
        say(response_text(sig) or "", nl=False)

    @observer.on_agent_output
    @observer.on_error_signal
    async def on_end(sig: Signal) -> None:
        watched.output_ts = sig.ts
        watched.done.set()

    return watched


async def _ask_and_tell(
    client: Any, edge_url: str, question: str, watched: Watched, say: Say
) -> None:
    say(f"POST {edge_url}/ask   {question}\n")
    asked_ts = time.time()
    response = await client.post(f"{edge_url}/ask", json={"prompt": question})
    answered_ts = time.time()
    reply = response.json()
    if response.status_code != 200:
        raise RemoteError(f"the edge answered {response.status_code}: {reply.get('error')}")
    async with asyncio.timeout(_QUIET_S):
        await watched.done.wait()
    answer = reply["answer"]
    if not watched.thoughts:
        say(answer["response"], nl=False)
    say(f"\n\nanswered by {reply['replica']}, {answer.get('source') or answer.get('model')}")
    instants = [
        (asked_ts, ""),
        (watched.task_ts, "HTTP request -> TASK leaves the edge"),
        (watched.first_thought_ts, "edge -> Synapse -> replica -> first thought"),
        (watched.output_ts, f"the other thoughts ({watched.thoughts} in all) -> output"),
        (answered_ts, "replica -> Synapse -> edge -> HTTP response"),
    ]
    seen = [(ts, leg) for ts, leg in instants if ts is not None]
    for (before_ts, _), (ts, leg) in itertools.pairwise(seen):
        say(f"  {(ts - before_ts) * 1000:9.1f} ms  {leg}")
    say(f"  {(answered_ts - asked_ts) * 1000:9.1f} ms  in all")


async def _ask_more(client: Any, edge_url: str, say: Say) -> None:
    """Show that the replicas share the load, and that an unknown answer is not invented."""
    questions = (*_MORE, _UNKNOWN)
    responses = await asyncio.gather(
        *(client.post(f"{edge_url}/ask", json={"prompt": each}) for each in questions)
    )
    replies = [response.json() for response in responses]
    shares = Counter(reply.get("replica", "nobody") for reply in replies)
    shown = ", ".join(f"{name} answered {count}" for name, count in sorted(shares.items()))
    say(f"\n{len(questions)} more questions at once: {shown}")
    last = replies[-1].get("answer", {}).get("response", replies[-1].get("error"))
    say(f"  {_UNKNOWN}\n  {last}")


def _curl(edge_url: str) -> str:
    json = '{"prompt": "What is an Axon?"}'
    return f"curl -X POST {edge_url}/ask -H 'Content-Type: application/json' -d '{json}'"
