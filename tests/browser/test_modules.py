"""The parts of the page that draw nothing, run in the browser: bounds, lineage, places."""

from pathlib import Path

import pytest
import pytest_asyncio

pytestmark = pytest.mark.asyncio(loop_scope="session")
CASES = Path(__file__).with_name("modules.js")
RUN = """
    async (name) => {
        const names = [
            "store", "lineage", "places", "maplayout", "mapnodes", "journeys", "filters", "format",
            "types",
        ];
        const modules = await Promise.all(names.map((each) => import(`/static/js/${each}.js`)));
        let n = 0;
        const record = (values) => ({
            n: ++n, id: `evt_${n}`, trace_id: "trc_1", parent_id: null, type: "TASK", ts: n,
            neuron: "worker", capabilities: [], caller: "c", worker: "w", bytes: 1, payload: {},
            ...values,
        });
        return window.prismCases[name](Object.assign({ record }, ...modules));
    }
"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def run(browser, stage):
    """Run a case of modules.js; return what it returns."""
    page = await browser.new_page()
    await page.goto(stage.page_url)
    await page.evaluate(f"void (window.prismCases = {CASES.read_text()})")
    yield lambda name: page.evaluate(RUN, name)
    await page.close()


async def test_the_store_and_all_that_follows_from_it_are_bounded(run):
    held = await run("bounded")

    assert held["size"] == held["held"] == 10_000
    assert held["tasks"] == 10_000
    assert held["traces"] <= 3_335
    assert held["order"] <= 2 * held["traces"] + 512


async def test_a_trace_that_never_ends_keeps_no_more_than_the_store(run):
    assert await run("longTrace") == {"size": 10_000, "slots": True, "cut": True}


async def test_what_a_reconnect_brings_again_is_kept_once(run):
    assert await run("twice") == 2


async def test_a_pause_keeps_the_newest_of_what_waits(run):
    assert await run("paused") == [1, 20_000, 10_000, True]


async def test_summaries_stand_still_in_a_pause_and_are_bounded(run):
    assert await run("summaries") == [
        *(["a 1", "b 1"], ["a 1", "b 1"], ["a 3"], ["b", "c"]),
        *(2_000, True, 1_000, True),
    ]


async def test_a_pause_holds_state_and_figures_and_not_what_the_line_of_state_needs(run):
    assert await run("heldStill") == [100, 200, 1, 100, 200, 200, 2, 200]


async def test_the_status_of_a_trace_follows_from_how_its_last_task_was_settled(run):
    assert await run("status") == {
        "": "running",
        "AGENT_OUTPUT": "done",
        "FINAL": "done",
        "ERROR": "failed",
        "CLARIFICATION": "asking",
        "CANCELLED": "stopped",
    }


async def test_a_ring_of_parents_loses_nobody_and_ends(run):
    assert await run("ring") == [3, 3]


async def test_a_chain_of_ten_thousand_parents_is_walked(run):
    assert await run("chain") == [10_000, 9_999]


async def test_whoever_joins_the_map_moves_nobody_while_there_is_room(run):
    assert await run("places") == {"free": True, "moved": 0, "most": 40, "apart": 40}


async def test_no_label_of_the_map_touches_another_an_edge_or_the_border(run):
    assert await run("mapLayout") == {"bad": [], "all": [15, 60, 60], "some": True}


async def test_replicas_and_callers_of_one_name_are_one_node_of_the_map(run):
    assert await run("mapNodes") == {
        "neurons": [
            "chat \N{MULTIPLICATION SIGN} 2: 2 running, 1 gone",
            "payments: missing: asked for, and nobody serves it",
            "slow: stuck: no response",
        ],
        "callers": ["jobs", "unnamed", "web \N{MULTIPLICATION SIGN} 2"],
        "watchers": ["prism"],
        "trace": ["neuron chat: 2 tasks, 2.50 s", "caller web: 2 tasks, 2.50 s"],
    }


async def test_an_edge_stays_red_for_a_minute_and_a_stopped_task_did_not_fail(run):
    assert await run("mapFailed") == ["BAD row 7", None, None, 500]


async def test_what_is_under_way_is_bounded_and_sampled_at_ten_thousand_a_second(run):
    assert await run("journeys") == {"most": True, "byTask": True, "seen": True, "drawn": True}


async def test_request_and_reply_are_one_journey(run):
    assert await run("journey") == [
        *("task 0", "task 1", "task 1 held", "task 1 held"),
        *("error 1", "error 0", "over"),
    ]


async def test_text_for_people_is_short_and_shows_its_control_characters(run):
    assert await run("plain") == [
        *("a␀b⟨202e⟩c⟨0085⟩", True, True),
        *("12.3 ms", "1 m 15 s", "1 h 01 m"),
    ]
