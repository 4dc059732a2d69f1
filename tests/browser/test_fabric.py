"""What the view Fabric says of Synapses, Dendrites and counters."""

import pytest
import pytest_asyncio

pytestmark = pytest.mark.asyncio(loop_scope="session")
CALL = """
    async ([name, values]) => (await import("/static/js/fabricrows.js"))[name](...values)
"""
NONE = "\u2013"
WORDS = """
    async (dendrites) => {
        const rows = await import("/static/js/fabricrows.js");
        const text = (cell) => (typeof cell === "string" ? cell : cell.text);
        return rows.dendritesOf(dendrites).map((each) => rows.dendriteCells(each).map(text));
    }
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def fabric(browser, stage):
    page = await browser.new_page()
    await page.goto(stage.page_url)
    yield page
    await page.close()


async def call(page, name, *values):
    return await page.evaluate(CALL, [name, list(values)])


def dendrite(name, does, state="alive", neurons=()):
    return {
        "instance": f"{name}-instance",
        "dendrite_id": name,
        "does": does,
        "state": state,
        "age_s": 75.0,
        "open": 2,
        "neurons": [{"neuron_id": each} for each in neurons],
    }


async def test_every_dendrite_says_what_it_does_and_the_unwell_come_first(fabric):
    told = await fabric.evaluate(
        WORDS,
        [
            dendrite("prism", "watcher"),
            dendrite("box-1", "worker", neurons=("chat", "search")),
            dendrite("web", "caller"),
            dendrite("box-2", "worker+caller", "gone"),
            dendrite("box-3", "worker", "stuck"),
        ],
    )

    assert [row[:4] for row in told] == [
        ["stuck", "box-3", "answers tasks", NONE],
        ["gone", "box-2", "answers, and asks", NONE],
        ["alive", "web", "asks", NONE],
        ["alive", "box-1", "answers tasks", "chat, search"],
        ["alive", "prism", "watches", NONE],
    ]
    assert told[0][4:] == ["2", "1 m 15 s"]


async def test_who_left_says_when_and_why(fabric):
    told = await call(fabric, "whyBelow", {"left": {"ts": 1_700_000_000, "reason": "killed"}})

    assert told.startswith("left at ")
    assert told.endswith(": killed")
    assert await call(fabric, "whyBelow", {"reason": None}) == ""
    stuck = {"neurons": [{"reason": None}, {"reason": "its event loop does not respond"}]}
    assert await call(fabric, "whyBelow", stuck) == "its event loop does not respond"


async def test_the_standbys_are_listed_beside_the_synapse(fabric):
    peers = [
        {"url": "cosmo://two", "role": "standby", "heard_s": 1, "clients": 1},
        {"url": "cosmo://three", "role": "silent"},
        {"url": "cosmo://one", "role": "own"},
    ]
    synapse = {"url": "cosmo://one", "connected": True, "role": "leader", "peers": peers}

    told = await call(fabric, "synapsesOf", synapse)

    assert [(each["url"], each["does"], each["isBad"]) for each in told] == [
        ("cosmo://one", "leads", False),
        ("cosmo://two", "stands by", False),
        ("cosmo://three", "does not answer", True),
    ]
    assert told[1]["more"] == "heard 1 s ago, 1 client"


async def test_counters_are_in_groups_and_only_what_grew_is_bad(fabric):
    counters = {
        "uptime_s": 75.0,
        "parked": 0,
        "release": "1",
        "published": 12_345,
        "peers": [],
        "lost.worker_lost": 3,
        "bounce.no_route": 7,
        "prism.displaced_tabs": 1,
        "recent": {"bounce.no_route": 2, "published": 80},
        "recent_s": 60,
    }

    groups = await call(fabric, "counterGroups", counters, [["missed by Prism", 0, True]])

    told = {each["title"]: each["figures"] for each in groups}
    assert list(told)[:2] == ["Right now", "What is not shown"]
    assert told["Right now"][0] == {
        "name": "runs for",
        "value": "1 m 15 s",
        "grew": 0,
        "isBad": False,
    }
    (returned,) = told["Tasks that went back to their caller"]
    assert returned == {"name": "no route", "value": "7", "grew": 2, "isBad": True}
    (lost,) = told["Tasks that were lost"]
    assert not lost["isBad"]
    (routed,) = told["What went through"]
    assert routed["name"] == "broadcasts"
    assert (routed["value"], routed["grew"], routed["isBad"]) == ("12,345", 80, False)
    assert [each["name"] for each in told["Of this Prism"]] == ["displaced tabs"]


async def test_ten_thousand_counters_are_cut_to_two_hundred(fabric):
    counters = {f"drop.{n}": n for n in range(10_000)}

    groups = await call(fabric, "counterGroups", counters, [])

    assert sum(len(each["figures"]) for each in groups) == 200
