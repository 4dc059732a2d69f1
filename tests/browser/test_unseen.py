"""A task whose outcome was never seen: the page says so, and does not count it as running."""

import pytest
from playwright.async_api import expect

from browser.scene import recorded
from cosmonapse import NeuronRecord, SignalType
from cosmonapse.recordings.lines import end_line, table_line
from support.observed import WORKER, observed, reply, task
from support.recorded import BEGAN_TS, heard, recording

pytestmark = pytest.mark.asyncio(loop_scope="session")


def roster(after_s, open):
    worker = NeuronRecord(neuron_id="worker", instance=WORKER.hex(), dendrite_id="box", open=open)
    return table_line(BEGAN_TS + after_s, "roster", [worker])


@pytest.fixture
def page_url(tmp_path):
    """A recording in which one of two tasks has no outcome, though its worker has no open task."""
    done, lost = (task(payload={"input": {"prompt": each}}) for each in ("answered", "forgotten"))
    beats = [heard(10.0 + n, observed(SignalType.HEARTBEAT, worker=WORKER)) for n in range(20)]
    lines = (roster(0, 2), heard(0.5, done), heard(0.6, lost), heard(1.0, reply(done)))
    end = end_line(BEGAN_TS + 30.0, 23)
    path = recording(tmp_path / "a.jsonl", *lines, roster(9.0, 0), *beats, end)
    with recorded(path) as url:
        yield url


async def test_a_trace_without_a_seen_outcome_says_so_and_is_not_running(page, page_url):
    await page.goto(f"{page_url}#/traces")

    row = page.locator(".trace-row", has_text="forgotten")
    await expect(row.locator(".state")).to_have_text("no outcome seen")
    await expect(page.locator(".trace-row", has_text="answered").locator(".state")).to_have_text(
        "done"
    )
    state, remark = [await row.locator(each).bounding_box() for each in (".state", ".remark")]
    assert state["x"] + state["width"] <= remark["x"]
    await page.get_by_role("button", name="Running", exact=True).click()
    await expect(page.locator(".choices .count")).to_contain_text("0 of ")


async def test_on_now_it_is_told_and_not_counted(page, page_url):
    await page.goto(f"{page_url}#/now")

    await expect(page.locator(".of-tasks .count").first).to_have_text(
        "0 tasks, 1 without a seen outcome"
    )
    await expect(page.locator(".of-tasks .below")).to_have_text("no outcome seen")
    await expect(page.locator("[data-figure=open]")).to_have_text("0 tasks open")
