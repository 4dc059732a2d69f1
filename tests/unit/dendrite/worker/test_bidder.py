"""An offer goes out, bids come in, the best of them gets the task."""

import asyncio
import threading

import pytest

from cosmonapse import Axon, DendriteProtocolError, InvalidName, SignalType, new_trace_id
from support.processes import until
from support.watching import kept

pytestmark = pytest.mark.asyncio
CHAT = ["chat"]
LONG_S = 60.0  # no test waits for it: it moves the clock of the loop on


def bidder(neuron_id, bid, capabilities=CHAT, neuron_fn=None):
    """Return an Axon that answers with its id; `bid` is its bid, or its `bid_fn`."""

    async def says_who(input, context):
        return {"by": neuron_id, "input": input}

    bid_fn = bid if callable(bid) or bid is None else lambda input, offer: bid
    return Axon(
        neuron_id=neuron_id,
        neuron_fn=neuron_fn or says_who,
        capabilities=capabilities,
        bid_fn=bid_fn,
    )


@pytest.fixture
def market(join):
    """Start a worker for each Axon, and a caller; return the caller."""

    async def make(*axons):
        for axon in axons:
            await join(axon, dendrite_id=axon.neuron_id, role="worker").start()
        return await join(dendrite_id="caller").__aenter__()

    return make


async def offered(caller, **options):
    """Offer a task with much time for bids, and return its reply."""
    defaults = {"input": {"n": 1}, "capabilities": CHAT, "deadline_ms": LONG_S * 1000}
    return await caller.dispatch_offer(**{**defaults, "timeout_s": 2 * LONG_S, **options})


async def auctioned(caller, clock, may_end, **options):
    """Offer a task, end the time for bids once `may_end(bids)`, and return its reply."""
    trace_id = options.setdefault("trace_id", new_trace_id())
    bids = kept(caller.on_trace(trace_id, SignalType.BID))
    offering = asyncio.create_task(offered(caller, **options))
    await until(lambda: may_end(bids))
    clock.advance(LONG_S)
    return await offering


@pytest.mark.parametrize(
    ("select", "winner"), [("lowest_cost", "cheap"), ("highest_confidence", "sure")]
)
async def test_the_best_bid_gets_the_task_at_the_deadline(select, winner, market, clock):
    caller = await market(
        bidder("dear", 9),
        bidder("cheap", {"cost": 1, "confidence": 0.2}),
        bidder("sure", {"cost": 5, "confidence": 0.9}),
    )

    reply = await auctioned(caller, clock, lambda bids: len(bids) == 3, select=select)

    assert reply.output == {"by": winner, "input": {"n": 1}}


async def test_the_first_bid_wins_at_once_and_a_late_one_is_declined(market):
    late = asyncio.Event()

    async def slow(input, offer):
        await late.wait()
        return 0

    caller = await market(bidder("slow", slow), bidder("quick", 5))
    declined = kept(caller.on_task_declined)

    reply = await offered(caller)
    late.set()
    await until(lambda: declined)

    assert reply.output["by"] == "quick"
    assert [sig.directed.id for sig in declined] == ["slow"]


async def test_every_signal_of_an_auction_names_what_it_follows(market, clock):
    caller = await market(bidder("cheap", 1), bidder("dear", 2))
    trace_id, meta = new_trace_id(), {"note": "so"}
    seen = kept(caller.on_trace(trace_id))

    options = {"select": "lowest_cost", "trace_id": trace_id, "meta": meta}
    reply = await auctioned(caller, clock, lambda bids: len(bids) == 2, **options)
    await until(lambda: reply in seen)

    of = {(sig.type.value, sig.directed.id): sig for sig in seen}
    offer = of["TASK_OFFER", "caller"]
    cheap, dear = of["BID", "cheap"], of["BID", "dear"]
    awarded, declined = of["TASK_AWARDED", "cheap"], of["TASK_DECLINED", "dear"]
    task = of["TASK", "cheap"]
    assert offer.payload == {"input": {"n": 1}, "capabilities": CHAT, "deadline_ms": LONG_S * 1000}
    assert (cheap.parent_id, dear.parent_id) == (offer.id, offer.id)
    assert cheap.payload == {"cost": 1}
    assert awarded.payload == {"input": {"n": 1}, "winning_bid": cheap.id}
    assert (awarded.parent_id, declined.parent_id) == (cheap.id, dear.id)
    assert set(declined.payload) == {"reason"}
    assert (task.parent_id, task.meta, reply.parent_id) == (awarded.id, meta, task.id)


@pytest.mark.parametrize("others", [[], [("deaf", None, CHAT)], [("other", 1, ["image"])]])
async def test_when_nobody_bids_it_is_a_timeout_that_names_the_capabilities(others, market):
    caller = await market(*(bidder(*each) for each in others))

    with pytest.raises(TimeoutError, match=r"chat, fr made a bid .* within 30 ms"):
        await offered(caller, capabilities=["chat", "fr"], deadline_ms=30)


def raises(input, offer):
    raise RuntimeError("no idea")


async def exits(input, offer):
    raise SystemExit


@pytest.mark.parametrize(
    "bid_fn", [raises, exits, lambda input, offer: "cheap", lambda input, offer: {"eta_ms": 1}]
)
async def test_a_bid_fn_that_fails_makes_no_bid_and_is_counted(bid_fn, join, caplog, clock):
    worker = join(bidder("bad", bid_fn), bidder("good", 7), dendrite_id="worker", role="worker")
    await worker.start()
    caller = await join(dendrite_id="caller").__aenter__()

    reply = await auctioned(
        caller,
        clock,
        lambda bids: bids and worker.counts.get("bid_failed"),
        select="lowest_cost",
    )

    assert reply.output["by"] == "good"
    assert worker.counts["bid_failed"] == 1
    assert "neuron bad" in caplog.text


async def test_a_bid_fn_is_given_up_at_the_deadline_in_whatever_shape_it_is(join):
    release = threading.Event()

    async def waits(input, offer):
        await asyncio.Event().wait()

    worker = join(
        bidder("waits", waits),
        bidder("blocks", lambda input, offer: release.wait()),
        dendrite_id="worker",
        role="worker",
    )
    await worker.start()
    caller = await join(dendrite_id="caller").__aenter__()

    with pytest.raises(TimeoutError):
        await offered(caller, deadline_ms=30)
    await until(lambda: worker.counts.get("bid_late") == 2)

    release.set()


async def test_a_bid_fn_sees_the_input_and_the_offer_and_may_decline(market, clock):
    seen = []

    async def looks(input, offer):
        seen.append((input, offer.type, offer.payload["capabilities"]))

    caller = await market(bidder("choosy", looks))

    with pytest.raises(TimeoutError):
        await auctioned(caller, clock, lambda bids: seen)

    assert seen == [({"n": 1}, SignalType.TASK_OFFER, CHAT)]


async def test_axons_without_bid_fn_bid_by_their_load_at_half_the_deadline(join, clock):
    works, release = asyncio.Event(), asyncio.Event()

    async def gated(input, context):
        works.set()
        await release.wait()
        return {"by": "busy"}

    workers = [join(bidder("busy", None, neuron_fn=gated)), join(bidder("idle", None))]
    for worker in workers:
        await worker.start()
    caller = await join(dendrite_id="caller").__aenter__()
    working = asyncio.create_task(caller.ask(neuron="busy", input={}, timeout_s=99 * LONG_S))
    await works.wait()
    bids = kept(caller.on_bid)
    offering = asyncio.create_task(offered(caller, select="lowest_cost", timeout_s=99 * LONG_S))
    await until(lambda: all(worker._bidder._tasks for worker in workers))
    await asyncio.sleep(0)  # the tasks begin to wait before the clock moves on
    clock.advance(LONG_S / 2)
    await until(lambda: len(bids) == 2)
    clock.advance(LONG_S)
    reply = await offering
    release.set()
    await working

    assert reply.output["by"] == "idle"
    assert {bid.directed.id: bid.payload["cost"] for bid in bids} == {"busy": 1 / 64, "idle": 0.0}


async def test_a_bid_fn_is_first_where_another_axon_bids_by_its_load(market, clock):
    caller = await market(bidder("loaded", None), bidder("keen", 9))

    reply = await offered(caller)

    assert reply.output["by"] == "keen"


async def test_an_axon_that_is_full_makes_no_bid_by_its_load(join, clock):
    async def held(input, context):
        await asyncio.Event().wait()

    axon = Axon(neuron_id="full", neuron_fn=held, capabilities=CHAT, concurrency=1, max_queued=0)
    dendrite = await join(axon).__aenter__()
    working = asyncio.create_task(dendrite.ask(neuron="full", input={}, timeout_s=10 * LONG_S))
    await until(lambda: dendrite._inbox.load("full") == (1, 0))
    offering = asyncio.create_task(offered(dendrite, timeout_s=99 * LONG_S))
    await until(lambda: dendrite._bidder._tasks)
    clock.advance(LONG_S * 0.75)
    await until(lambda: not dendrite._bidder._tasks)
    clock.advance(LONG_S)

    with pytest.raises(TimeoutError, match="no neuron that offers chat made a bid"):
        await offering
    working.cancel()


async def test_a_program_bids_by_hand_for_an_axon_without_bid_fn(join):
    worker = join(bidder("worker", None), dendrite_id="worker", role="worker")

    @worker.on_task_offer
    async def on_offer(offer):
        await worker.emit_bid(about=offer, cost=3, neuron="worker")

    await worker.start()
    caller = await join(dendrite_id="caller").__aenter__()

    reply = await offered(caller)

    assert reply.output["by"] == "worker"


@pytest.mark.parametrize(
    ("bid", "kind"),
    [
        ({"cost": 1}, ValueError),
        ({"cost": "1", "neuron": "worker"}, TypeError),
        ({"cost": 1, "confidence": 2, "neuron": "worker"}, ValueError),
        ({"neuron": "worker"}, TypeError),
    ],
)
async def test_a_bid_by_hand_that_makes_no_sense_is_refused(bid, kind, market):
    caller = await market()

    with pytest.raises(kind, match=r"."):
        await caller.emit_bid(**bid)


async def test_an_axon_of_the_caller_itself_may_win(join):
    both = await join(bidder("near", 1), dendrite_id="both").__aenter__()

    reply = await offered(both)

    assert reply.output["by"] == "near"


async def test_offers_are_listened_to_only_while_an_axon_can_bid(join):
    worker = join(bidder("mute", None, capabilities=()), dendrite_id="worker")
    await worker.start()
    caller = await join(dendrite_id="caller").__aenter__()

    def listens():
        return worker._subscriptions.may_want(SignalType.TASK_OFFER, "")

    assert not listens()
    await worker.add_axon(bidder("late", 1))
    reply = await offered(caller)
    assert reply.output["by"] == "late"
    await worker.detach_axon("late")
    assert not listens()


async def test_a_winner_that_is_gone_is_an_error_that_is_returned(market):
    caller = await market()

    @caller.on_task_offer
    async def on_offer(offer):
        await caller.emit_bid(about=offer, cost=1, neuron="ghost")

    reply = await offered(caller)

    assert reply.payload["code"] == "NO_SUCH_NEURON"


async def test_an_offer_on_a_trace_that_is_stopped_ends_and_no_task_is_sent(market):
    caller = await market(bidder("worker", 1))
    bids, tasks = kept(caller.on_bid), kept(caller.on_task_signal)
    declined, trace_id = kept(caller.on_task_declined), new_trace_id()
    offering = asyncio.create_task(offered(caller, select="lowest_cost", trace_id=trace_id))
    await until(lambda: bids)

    await caller.stop_trace(trace_id)
    reply = await offering
    await until(lambda: declined)

    assert reply.payload["code"] == "CANCELLED"
    assert tasks == []


async def test_a_caller_that_is_cancelled_takes_the_offer_back(market):
    caller = await market(bidder("worker", 1))
    bids, declined = kept(caller.on_bid), kept(caller.on_task_declined)
    offering = asyncio.create_task(offered(caller, select="lowest_cost"))
    await until(lambda: bids)

    offering.cancel()
    await until(lambda: declined)

    assert declined[0].payload["reason"] == "the offer was withdrawn"


@pytest.mark.parametrize(
    ("options", "kind"),
    [
        ({"capabilities": []}, ValueError),
        ({"capabilities": ["a b"]}, InvalidName),
        ({"deadline_ms": 0}, ValueError),
        ({"select": "cheapest"}, ValueError),
        ({"timeout_s": 0.25}, ValueError),
        ({"trace_id": "mine"}, ValueError),
        ({"meta": [1]}, TypeError),
        ({"input": object()}, TypeError),
    ],
)
async def test_arguments_that_make_no_sense_are_refused_before_anything_leaves(
    options, kind, market
):
    caller = await market()
    offers = kept(caller.on_task_offer)

    with pytest.raises(kind, match=r"."):
        await offered(caller, **options)

    assert offers == []


async def test_a_worker_and_a_dendrite_that_does_not_run_offer_nothing(join):
    worker = await join(role="worker").__aenter__()

    with pytest.raises(DendriteProtocolError, match="does not dispatch"):
        await offered(worker)
    with pytest.raises(DendriteProtocolError, match="async with"):
        await offered(join())
