"""The front page: how it reads, how it is used, and how it holds very much."""

import json

import pytest
import pytest_asyncio
from playwright.async_api import expect

pytestmark = pytest.mark.asyncio(loop_scope="session")
NOW = 1_700_000_000.0
LAPTOP = {"width": 1366, "height": 768}
HELLO = {
    "run": "a",
    "namespace": "api-demo",
    "url": "cosmo://one",
    "version": "0",
    "kept": 10_000,
    "first": 1,
    "last": 0,
    "mode": "live",
    "replay": None,
    "traces_kept": 1000,
}
STATE = {
    "at": NOW,
    "missed": 0,
    "evicted": 0,
    "behind": None,
    "synapse": {"url": "cosmo://one", "connected": True, "counters": {}, "peers": []},
    "dendrites": [
        {
            "instance": f"{n:032x}",
            "dendrite_id": name,
            "role": "orchestrator",
            "does": "caller",
            "state": "alive",
            "age_s": 9,
            "open": 0,
            "neurons": [],
        }
        for n, name in enumerate(("web", "web", "jobs"))
    ],
}
WEB = {"instance": f"{0:032x}", "name": "web"}


def task(n=0, **facts):
    return {
        "id": f"evt_{n}",
        "trace_id": f"trc_{n:04d}",
        "parent_id": None,
        "neuron": "chat",
        "capabilities": [],
        "caller": WEB,
        "worker": {"instance": "f" * 32, "name": "box-1"},
        "prompt": f"question {n}",
        "age_s": 5.0,
        "state": "running",
        "first_thought_s": None,
        "queue_s": None,
        "deadline_s": None,
        "thoughts": 0,
        "characters": 0,
        "stuck": None,
        **facts,
    }


def cause(n=0, **facts):
    return {
        "key": f"k{n}",
        "neuron": f"n{n}",
        "code": "NO_ROUTE",
        "message": "nobody serves it",
        "count": 1,
        "above": 0,
        "per_minute": 0,
        "first_ts": NOW,
        "last_ts": NOW,
        "trace_id": f"trc_9{n:03d}",
        "callers": [],
        "recovered": 0,
        **facts,
    }


def neuron(n=0, **facts):
    replicas = {"alive": 1, "stuck": 0, "draining": 0, "away": 0, "gone": 0}
    return {
        "neuron_id": f"n{n}",
        "capabilities": [],
        "replicas": replicas,
        "running": 0,
        "queued": 0,
        "open": 0,
        "rate": 0,
        "errors_per_minute": 0,
        "error_rate": None,
        "p50_ms": None,
        "p99_ms": None,
        "loop_lag_ms": 1,
        "gone": None,
        "missing": False,
        **facts,
    }


@pytest_asyncio.fixture(loop_scope="session")
async def show(page, stage):
    """Show the front page of a made-up fabric."""

    async def shown(tasks=(), causes=(), neurons=(), more=0, **size):
        now = {"tasks": tasks, "more": more, "open": len(tasks) + more, "causes": causes}
        now |= {"neurons": neurons, "series": {}, "total_rate": [], "signals_per_s": 0}
        events = {"hello": HELLO, "state": STATE, "now": now}
        body = "".join(
            f"event: {name}\ndata: {json.dumps(each)}\n\n" for name, each in events.items()
        )
        await page.route(
            "**/api/stream*",
            lambda route: route.fulfill(body=body, content_type="text/event-stream"),
        )
        await page.set_viewport_size(size or LAPTOP)
        await page.goto(f"{stage.page_url}#/now")
        await expect(page.locator(".now")).to_be_visible()
        return page

    yield shown
    await page.unroute("**/api/stream*")


def rows(page, name):
    return page.get_by_role("table", name=name, exact=True).locator("tbody")


async def test_a_running_task_tells_who_asks_whom_for_what_and_since_when(show):
    told = {"first_thought_s": 0.24, "queue_s": 0.5, "deadline_s": 55, "thoughts": 1}
    page = await show([task(**told), task(1, thoughts=3, deadline_s=-4)])

    first = await rows(page, "Running tasks").first.locator("td").all_inner_texts()
    assert first[:6] == ["running", "5 s", "web", "chat", "box-1", "question 0"]
    assert first[6:] == ["240 ms", "500 ms", "in 55 s", "1 piece"]
    second = rows(page, "Running tasks").nth(1)
    await expect(second).to_contain_text("4 s over")
    await expect(second).to_contain_text("3 pieces")


async def test_a_stuck_task_says_why_and_one_that_asks_says_what(show):
    asking = {"state": "asking", "asks": "permission", "question": "May I delete it?"}
    page = await show([task(stuck="its worker is gone"), task(1, **asking)])

    stuck = rows(page, "Running tasks").first
    await expect(stuck).to_have_class("link loud")
    await expect(stuck.locator(".below")).to_have_text("its worker is gone")
    question = rows(page, "Running tasks").nth(1).locator(".below")
    await expect(question).to_have_text("asks for permission: May I delete it?")
    await expect(page.locator("[data-figure=stuck]")).to_have_text("1 stuck")


async def test_a_root_cause_tells_its_rate_and_who_only_passed_it_on(show):
    told = {"count": 124, "above": 248, "per_minute": 12, "callers": ["web"], "recovered": 3}
    page = await show(causes=[cause(**told)])

    row = rows(page, "Failures by root cause").first
    for text in ("124", "n0", "NO_ROUTE", "12/min", "trc_9000", "nobody serves it", "asked by web"):
        await expect(row).to_contain_text(text)
    await expect(row).to_contain_text("passed on by 248 tasks above")
    await expect(row).to_contain_text("3 made good by a retry")
    await row.click()
    await expect(page).to_have_url(f"{page.url.split('#', maxsplit=1)[0]}#/traces/trc_9000")


async def test_a_dead_replica_tells_when_and_why_and_whether_another_one_serves(show):
    gone = {"ts": NOW - 130, "reason": "killed", "dendrite_id": "box-2", "again": True}
    page = await show(neurons=[neuron(), neuron(1, gone=gone), neuron(2, missing=True)])

    first = rows(page, "Neurons").first
    await expect(first).to_contain_text("n2")
    await expect(first).to_contain_text("none there")
    below = rows(page, "Neurons").filter(has_text="n1").locator(".below")
    await expect(below).to_contain_text("box-2 gone at")
    await expect(below).to_contain_text("2 m 1")
    await expect(below).to_contain_text("ago: killed; another replica serves it")


async def test_the_callers_are_named_and_lead_to_their_traces(show):
    page = await show([task()])

    callers = page.get_by_role("group", name="Callers").get_by_role("button")
    await expect(callers).to_have_text(["web \u00d7 2 1 open", "jobs nothing open"])
    await callers.first.click()
    await expect(page.locator("#tab-traces")).to_have_attribute("aria-selected", "true")
    await expect(page.locator("#chips")).to_contain_text("web")


async def test_with_nothing_wrong_the_page_is_calm(show):
    page = await show(neurons=[neuron()])

    await expect(page.locator(".of-tasks")).to_contain_text("Nothing runs")
    await expect(page.locator(".of-causes")).to_contain_text("Nothing failed")
    await expect(page.locator(".of-neurons")).to_contain_text("1, all alive")
    await expect(page.locator(".figure.loud")).to_have_count(0)


@pytest.mark.parametrize("size", [(1366, 768), (1920, 1080)])
async def test_all_of_a_big_fabric_is_there_without_scrolling_the_page(show, size):
    width, height = size
    page = await show(
        *([task(n) for n in range(200)], [cause(n) for n in range(100)]),
        *([neuron(n) for n in range(300)], 37),
        width=width,
        height=height,
    )

    await expect(page.locator(".of-tasks")).to_contain_text("and 37 more")
    await expect(rows(page, "Neurons")).to_have_count(300)
    for card in await page.locator(".now .card").all():
        box = await card.bounding_box()
        assert box["y"] + box["height"] <= height
        assert await card.locator(".scroll").evaluate("it => it.scrollHeight > it.clientHeight")
    assert await page.evaluate("document.scrollingElement.scrollHeight") <= height


async def test_at_800_no_row_is_wider_than_its_card(show):
    page = await show(
        [task(stuck="its worker is gone")], [cause()], [neuron()], width=800, height=900
    )

    for table in await page.locator(".now .scroll").all():
        assert await table.evaluate("it => it.scrollWidth <= it.clientWidth")


async def test_keys_alone_move_in_a_table_and_open_what_they_are_on(show):
    page = await show([task(n) for n in range(3)], [cause()])

    await page.keyboard.press("ArrowDown")
    await expect(rows(page, "Running tasks").nth(0).locator("tr")).to_be_focused()
    await page.keyboard.press("ArrowDown")
    await expect(rows(page, "Running tasks").nth(1).locator("tr")).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(rows(page, "Running tasks").nth(1).get_by_role("button")).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(rows(page, "Failures by root cause").locator("tr").first).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator("#tab-traces")).to_have_attribute("aria-selected", "true")


@pytest.mark.parametrize(("old", "new"), [("constellation", "map"), ("health", "fabric")])
async def test_an_address_of_before_leads_to_the_view_that_it_is_now(page, stage, old, new):
    await page.goto(f"{stage.page_url}#/{old}")

    await expect(page.locator(f"#tab-{new}")).to_have_attribute("aria-selected", "true")
