"""What each view shows of a scripted workflow of real processes."""

import asyncio
import json
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from browser import chromium
from browser.scene import ask

pytestmark = pytest.mark.asyncio(loop_scope="session")
QUESTION = "What is a Dendrite?"
FAULT = "ValueError: row 7 of the table is empty"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def played(stage):
    """The workflow: two replicas, a stream, a tool call, a question, an error, a killed worker."""
    stage.hire("replica-1", "assistant", "search")
    stage.hire("replica-2", "assistant", "search")
    language = stage.hire("language", "translate", "flaky")
    language.may_complain = True
    doomed = stage.hire("doomed", "holder")
    async with stage.caller() as web:
        replies = await asyncio.gather(
            *(ask(web, "assistant", prompt=f"{QUESTION} ({n})") for n in range(4)),
            ask(web, "translate", prompt="Good morning"),
            ask(web, "flaky"),
            ask(web, "flaky"),
        )
        lost = asyncio.ensure_future(ask(web, "holder", prompt="Sum up the year"))
        await asyncio.to_thread(doomed.line, "holding")
        doomed.kill()
        await lost
        stage.hire("patient", "holder")
        held = asyncio.ensure_future(ask(web, "holder", 120.0, prompt="This one stays open"))
        await asyncio.to_thread(stage.workers["patient"].line, "holding")
        yield replies
        held.cancel()
        await asyncio.gather(held, return_exceptions=True)


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(page, stage, played):
    await page.goto(stage.page_url)
    await expect(page.locator("#link")).to_contain_text("Live since")
    return page


async def trace_of(page, text):
    await page.keyboard.press("2")
    row = page.locator(".trace-row", has_text=text).first
    await row.click()
    await expect(page.locator(".detail h2")).to_contain_text(text)
    return row


async def test_the_table_beside_the_map_groups_replicas_and_puts_the_dead_on_top(open_page):
    await open_page.keyboard.press("4")
    rows = open_page.locator(".roster .row:visible")

    for name in (
        "assistant \N{MULTIPLICATION SIGN} 2",
        "search \N{MULTIPLICATION SIGN} 2",
        "translate",
        "flaky",
        "web",
    ):
        await expect(rows.filter(has_text=name)).to_have_count(1)
    await expect(rows.filter(has_text="flaky")).to_contain_text("failed: ")


async def test_a_label_of_the_map_tells_about_its_node_and_filters_by_keys_alone(open_page):
    await open_page.keyboard.press("4")
    label = open_page.locator(".map-label", has_text="assistant")
    await label.focus()

    tip = open_page.locator(".tip")
    for word in ("state", "replicas", "2 alive", "load", "replica-1", "last seen"):
        await expect(tip).to_contain_text(word)
    await open_page.keyboard.press("ArrowDown")
    await expect(label).not_to_be_focused()
    await expect(open_page.locator(".map-label:focus")).to_have_count(1)
    await open_page.keyboard.press("ArrowUp")
    await open_page.keyboard.press("Enter")
    await expect(open_page.locator("#chips .chip")).to_contain_text("assistant")


async def test_the_map_of_one_trace_shows_only_who_took_part(open_page):
    await trace_of(open_page, f"{QUESTION} (1)")
    await open_page.get_by_role("button", name="Map", exact=True).click()

    labels = open_page.locator(".map-label.right")
    await expect(labels).to_have_count(2)
    await expect(labels.filter(has_text="assistant")).to_contain_text("1 task, ")
    await open_page.get_by_role("button", name="Whole fabric").click()
    await expect(labels.filter(has_text="translate")).to_have_count(1)


async def test_a_neuron_of_the_table_filters_everything_else(open_page):
    await open_page.keyboard.press("4")
    await open_page.locator(".roster .row.neuron", has_text="flaky").click()
    await open_page.keyboard.press("3")

    await expect(open_page.locator("#chips .chip")).to_contain_text("flaky")
    await expect(open_page.locator(".signal-row:visible").first).to_be_visible()
    neurons = await open_page.locator(".signal-row:visible span:nth-child(4)").all_inner_texts()
    assert neurons
    assert set(neurons) == {"flaky"}


async def test_a_trace_opens_as_a_waterfall_with_all_that_happened_in_it(open_page):
    await trace_of(open_page, f"{QUESTION} (2)")

    rows = open_page.locator(".span-row:visible")
    await expect(rows).to_have_count(8)
    labels = await rows.locator(".kind").all_inner_texts()
    assert labels == [
        *("TASK", "PLAN", "THOUGHTS", "TOOL_CALL", "TOOL_RESULT"),
        *("TASK", "AGENT_OUTPUT", "AGENT_OUTPUT"),
    ]
    await expect(open_page.locator(".detail .line .state")).to_have_text("done")
    child = rows.nth(5)
    outer = await rows.nth(0).locator(".piece:not(.wait)").bounding_box()
    inner = await child.locator(".piece:not(.wait)").bounding_box()
    assert outer["x"] < inner["x"]
    assert inner["x"] + inner["width"] < outer["x"] + outer["width"]
    await expect(child).to_contain_text("search")


# The width that a list would take for what is chosen in it, beside the one that it has.
WANTS = """
    (select) => {
        const free = select.cloneNode();
        free.append(select.selectedOptions[0].cloneNode(true));
        Object.assign(free.style, { position: "fixed", width: "auto", maxWidth: "none" });
        select.after(free);
        const wanted = free.getBoundingClientRect().width;
        free.remove();
        return [select.getBoundingClientRect().width, wanted];
    }
"""


@pytest.mark.parametrize(
    ("width", "is_open"), [(800, False), (1000, False), (1101, False), (1101, True), (1366, False)]
)
async def test_the_choices_of_traces_are_not_cut_off(open_page, width, is_open):
    await open_page.set_viewport_size({"width": width, "height": 700})
    await open_page.keyboard.press("2")
    await expect(open_page.locator(".trace-row").first).to_be_visible()

    if is_open:
        await open_page.locator(".span-row:visible").first.click()
        await expect(open_page.locator(".envelope")).to_be_visible()
    column = await open_page.locator(".traces .half.left").bounding_box()
    boxes = [await each.bounding_box() for each in await open_page.locator(".choices select").all()]
    for select in await open_page.locator(".choices select").all():
        has, wants = await select.evaluate(WANTS)
        assert wants <= has
    for button in await open_page.locator(".choices .segments button").all():
        assert await button.evaluate("it => it.scrollWidth <= it.clientWidth")
    for n, box in enumerate(boxes):
        assert column["x"] <= box["x"]
        assert box["x"] + box["width"] <= column["x"] + column["width"]
        for other in boxes[:n]:
            assert (
                other["x"] + other["width"] <= box["x"] or other["y"] + other["height"] <= box["y"]
            )
    await open_page.set_viewport_size(chromium.LAPTOP)


async def test_the_streamed_text_of_a_trace_stands_above_it(open_page):
    await trace_of(open_page, f"{QUESTION} (0)")

    answer = open_page.locator(".answer")
    await expect(answer).to_contain_text("Let me see. I look into the glossary first.")
    await expect(answer).to_contain_text("It reconnects by itself.")


async def test_streaming_text_appears_as_it_comes(open_page, stage):
    await open_page.keyboard.press("2")
    async with stage.caller("second") as second:
        asked = asyncio.ensure_future(ask(second, "assistant", prompt="Tell me slowly"))
        await trace_of(open_page, "Tell me slowly")
        await expect(open_page.locator(".answer")).to_contain_text("Let me see.")
        early = await open_page.locator(".answer").inner_text()
        await asked

    assert "It reconnects by itself." not in early
    await expect(open_page.locator(".answer")).to_contain_text("It reconnects by itself.")


async def test_a_trace_opens_as_the_tree_of_its_signals(open_page):
    await trace_of(open_page, f"{QUESTION} (1)")
    await open_page.get_by_role("button", name="Tree", exact=True).click()

    kinds = open_page.locator(".tree-row:visible .kind")
    await expect(kinds.nth(2)).to_be_visible()
    assert (await kinds.all_inner_texts())[:3] == ["TASK", "PLAN", "THOUGHT_DELTA"]
    await expect(kinds).to_have_count(9)
    await expect(open_page.locator(".detail .count")).to_have_text("26 Signals")


async def test_a_signal_opens_as_its_envelope_with_secrets_masked(open_page):
    await trace_of(open_page, f"{QUESTION} (3)")
    await open_page.locator(".span-row:visible", has_text="search").first.click()

    envelope = open_page.locator(".envelope")
    await expect(envelope).to_contain_text("TASK")
    await expect(envelope).to_contain_text("api_key")
    await expect(envelope.get_by_title("Show only this worker")).to_contain_text("replica-")
    await expect(envelope).to_contain_text("•••")
    assert "sk-secret-1" not in await open_page.content()
    await open_page.keyboard.press("Escape")
    await expect(envelope).to_be_hidden()


async def test_a_question_and_its_answer_are_one_trace_that_is_done(open_page):
    await trace_of(open_page, "Good morning")

    kinds = open_page.locator(".span-row:visible .kind")
    await expect(kinds.nth(3)).to_be_visible()
    labels = await kinds.all_inner_texts()
    assert labels[:2] == ["TASK", "CLARIFICATION"]
    assert labels.count("TASK") == 2
    assert "AGENT_OUTPUT" in labels
    await expect(open_page.locator(".detail .line .state")).to_have_text("done")
    await expect(open_page.locator(".answer")).to_contain_text("into French: Good morning")


async def test_failed_traces_can_be_listed_alone_and_say_why(open_page):
    await open_page.keyboard.press("2")
    await open_page.get_by_role("button", name="Failed", exact=True).click()

    rows = open_page.locator(".trace-row:visible")
    await expect(rows).to_have_count(3)
    await rows.filter(has_text="flaky").first.click()
    await expect(open_page.locator(".answer")).to_contain_text(FAULT)


async def test_a_running_trace_says_so_and_since_when(open_page):
    await open_page.keyboard.press("2")
    await open_page.get_by_role("button", name="Running", exact=True).click()

    rows = open_page.locator(".trace-row:visible")
    await expect(rows).to_have_count(1)
    await expect(rows).to_contain_text("This one stays open")


async def test_signals_can_be_filtered_by_kind_and_by_text(open_page):
    await open_page.keyboard.press("3")
    await open_page.get_by_role("button", name="Errors", exact=True).click()

    types = open_page.locator(".signal-row:visible .kind")
    await expect(types).to_have_count(3)
    assert set(await types.all_inner_texts()) == {"ERROR"}
    await open_page.keyboard.press("/")
    await open_page.keyboard.type("row 7")
    await expect(types).to_have_count(2)
    await open_page.keyboard.press("Escape")  # leaves the field
    await open_page.keyboard.press("Escape")  # drops the filters
    await expect(open_page.locator("#chips .chip")).to_have_count(0)


async def test_a_pause_holds_what_is_shown_and_counts_what_waits(open_page):
    await open_page.keyboard.press("3")
    count, waits = open_page.locator(".signals .bar .count"), open_page.locator("#link")
    await open_page.keyboard.press("p")
    await expect(waits).to_contain_text("Paused at ")
    await expect(waits).not_to_contain_text("0 Signals wait")
    before = await waits.inner_text()
    await expect(waits).not_to_have_text(before)  # what had come before the pause is painted by now
    shown, waiting = await count.inner_text(), await waits.inner_text()

    await expect(waits).not_to_have_text(waiting)
    assert await count.inner_text() == shown
    await open_page.keyboard.press("p")
    await expect(count).not_to_have_text(shown)


async def test_what_is_shown_can_be_saved_as_json_lines(open_page):
    await open_page.keyboard.press("3")
    await open_page.get_by_role("button", name="Errors", exact=True).click()
    await expect(open_page.locator(".signal-row:visible")).to_have_count(3)

    async with open_page.expect_download() as saving:
        await open_page.keyboard.press("e")
    path = await (await saving.value).path()
    text = await asyncio.to_thread(Path(path).read_text)

    records = [json.loads(line) for line in text.splitlines()]
    assert [record["type"] for record in records] == ["ERROR"] * 3


async def test_now_and_fabric_show_what_is_open_what_failed_and_who_is_gone(open_page):
    await open_page.keyboard.press("5")

    alive = open_page.get_by_role("table", name="Neurons", exact=True).last.locator("tbody")
    await expect(alive.first).to_contain_text("gone")
    await expect(alive.first).to_contain_text("holder")
    await expect(open_page.locator(".charts canvas")).to_have_count(2)
    await open_page.keyboard.press("1")
    tasks = open_page.get_by_role("table", name="Running tasks").locator("tbody")
    await expect(tasks).to_have_count(1)
    await expect(tasks).to_contain_text("holder")
    errors = open_page.get_by_role("table", name="Failures by root cause").locator("tbody")
    await expect(errors.filter(has_text=FAULT)).to_contain_text("2")
    await expect(errors.filter(has_text="holder")).to_contain_text("WORKER_LOST")
    await errors.filter(has_text=FAULT).click()
    await expect(open_page.locator(".answer")).to_contain_text(FAULT)


async def test_the_keys_are_told_and_the_view_survives_a_reload(open_page):
    await open_page.keyboard.press("?")
    await expect(open_page.locator("#keys")).to_contain_text("Now, Traces, Signals, Map, Fabric")
    await open_page.keyboard.press("Escape")
    await trace_of(open_page, "Good morning")

    await open_page.reload()

    await expect(open_page.locator(".detail h2")).to_contain_text("Good morning")


async def test_the_theme_is_switched_and_remembered(open_page):
    await open_page.keyboard.press("t")
    await open_page.reload()

    assert await open_page.evaluate("document.documentElement.dataset.theme") == "light"
    assert (
        await open_page.evaluate("getComputedStyle(document.body).backgroundColor")
        == "rgb(244, 246, 248)"
    )
