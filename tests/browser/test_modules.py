"""The parts of the page that draw nothing, run in the browser: bounds, lineage, places."""

from pathlib import Path

import pytest
import pytest_asyncio

pytestmark = pytest.mark.asyncio(loop_scope="session")
CASES = Path(__file__).with_name("modules.js")
RUN = """
    async (name) => {
        const names = [
            "store", "lineage", "places", "maplayout", "mapnodes", "edges", "journeys", "filters",
            "format", "types", "shown", "folds", "timespent", "tracelist", "tracewords",
            "wholetrace",
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


async def test_the_store_is_bounded(run):
    assert await run("bounded") == 10_000


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


async def test_streams_are_one_growing_row_each_and_presence_waits_to_be_asked_for(run):
    assert await run("folded") == {
        "first": [
            *("TASK", "TASK", "2 one two ", "2 eins zwei ", "1 hm", "TOOL_CALL"),
            "1 drei",
        ],
        "later": "2 drei vier",
        "text": "one two ",
        "hidden": 0,
        "anew": None,
        "unfolded": 11,
    }


async def test_folded_streams_are_bounded_and_go_with_their_first_piece(run):
    assert await run("foldsAreBounded") == dict.fromkeys(("open", "rows", "text", "first"), True)


async def test_the_time_of_a_trace_belongs_to_what_was_waited_for(run):
    assert await run("spent") == {
        "words": "1.00 s: 560 ms assistant thinking, 220 ms tool glossary, 200 ms search, "
        "20.0 ms queued",
        "sum": 1000,
        "rate": 20,
    }


async def test_waiting_for_an_answer_or_another_attempt_is_told_as_such(run):
    assert await run("spentAsking") == [
        "5.00 s: 3.00 s waiting to try again, 2.00 s flaky",
        "9.00 s: 7.00 s waiting for an answer, 2.00 s translate",
        "3.00 s: 3.00 s slow",
        "6.00 s: 6.00 s other",
        "",
    ]


async def test_attempts_stand_together_and_tell_when_they_waited_ran_and_thought(run):
    assert await run("attempts") == {
        "rows": [
            "0 TASK worker",
            "1 TASK flaky, attempt 1 of 3",
            "2 ERROR X  no",
            "1 TASK flaky, attempt 2 of 3",
            "1 TASK flaky, attempt 3 of 3",
            "2 THOUGHTS 3 pieces",
            "1 TASK search",
        ],
        "first": [1.25, 1.5, 0.25],
        "thought": 5.5,
        "ticks": [5.5, 5.75, 6],
    }


async def test_traces_are_filtered_by_all_that_is_known_of_them_and_sorted(run):
    assert await run("listed") == {
        "newest": "231",
        "longest": "312",
        "thought": "123",
        "status": "2",
        "caller": "3",
        "neuron": "2",
        "cause": "2",
        "short": "1",
        "trace": "1",
        "payload": "3",
        "instance": "3",
        "kinds": "3",
    }


async def test_callers_get_the_names_that_are_known_by_now(run):
    assert await run("namedCallers") == {
        "neurons": ["chat", "search"],
        "callers": ["bb", "web"],
    }


async def test_a_trace_is_fetched_whole_once_and_then_what_changed(run):
    assert await run("wholeTrace") == {
        "asked": [
            *("/api/traces/trc_15la", "/api/traces/trc_15lab?after=5", "/api/traces/trc_9"),
        ],
        "first": [1, 2],
        "early": 150,
        "second": [[1, 1], [2, 9], [3, 1]],
        "told": "gone",
        "ring": 1,
    }


async def test_the_head_of_a_trace_says_what_failed_what_is_asked_and_what_models_did(run):
    assert await run("headed") == [
        "flaky failed, NO: row 7",
        "translate asks: Which?\nMay answer: its caller. Prism only looks.",
        None,
        (
            "m-1  ·  1,200 tokens in  ·  40 out  ·  61 tokens/s  ·  1 retry  ·  ended: stop  ·  "
            "cost 0.00125 USD"
        ),
        "",
        "2 retries · beginning gone · kept: slow",
        (
            "1 Signal, 2 errors, its beginning is gone: Prism came later, "
            "1,200 Signals of the middle not kept, kept longer, because it failed"
        ),
    ]


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
