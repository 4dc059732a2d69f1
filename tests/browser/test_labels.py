"""The labels of the map with the names of `cosmo demo --scene`: none lies on another one."""

import pytest
from playwright.async_api import expect

from browser import chromium
from browser.scene import recorded
from cosmonapse import NeuronRecord, SignalType
from cosmonapse.demo.scene_script import ASKED, CALLERS, WORKERS, quiet_workers
from cosmonapse.recordings.lines import end_line, table_line
from cosmonapse.registry import DendriteRecord
from support.observed import reply, task
from support.recorded import BEGAN_TS, heard, recording

pytestmark = pytest.mark.asyncio(loop_scope="session")
SIZES = ((1366, 768), (1920, 1080), (800, 900))
BOXES = """
    () => [...document.querySelectorAll(".map-label")].map((each) => {
        const { left, top, right, bottom } = each.getBoundingClientRect();
        return { text: each.firstChild.textContent, left, top, right, bottom };
    })
"""
SKY = "() => document.querySelector('.sky').getBoundingClientRect().toJSON()"


def hosted(count):
    """Return (dendrite_id, neuron_id) of the scene until there are so many Neurons."""
    named, found = set(), []
    for name, neurons in {**WORKERS, **quiet_workers(count)}.items():
        for neuron in neurons:
            if len(named | {neuron}) <= count:
                named.add(neuron)
                found.append((name, neuron))
    return found


def scene_of(path, count):
    """Write what a Prism tells of the scene with so many Neurons, some of which fail."""
    pairs = hosted(count)
    numbers = {name: f"{n:032x}" for n, name in enumerate([*dict(pairs), *CALLERS], 1)}
    roster = [
        NeuronRecord(
            neuron_id=neuron, instance=numbers[name], dendrite_id=name, running=2, queued=3
        )
        for name, neuron in pairs
    ]
    callers = [
        DendriteRecord(dendrite_id=name, instance=numbers[name], calls=True) for name in CALLERS
    ]
    lines = [table_line(BEGAN_TS, "roster", roster), table_line(BEGAN_TS, "dendrites", callers)]
    there = {neuron for _, neuron in pairs}
    for asked in ASKED[1::2]:
        if asked.neuron not in there:
            continue
        sent = task(asked.neuron, payload={"input": {"prompt": asked.prompt}})
        failed = {"code": "NEURON_EXCEPTION", "message": f"it could not do this: {asked.prompt}"}
        lines += [heard(5, sent), heard(6, reply(sent, SignalType.ERROR, failed, asked.neuron))]
    return recording(path, *lines, end_line(BEGAN_TS + 10, len(lines) - 2))


def touching(boxes):
    """Return the pairs of labels that lie on each other."""
    seen = [each for each in boxes if each["right"] > each["left"]]
    return [
        (one["text"], other["text"])
        for n, one in enumerate(seen)
        for other in seen[:n]
        if one["left"] < other["right"]
        and other["left"] < one["right"]
        and one["top"] < other["bottom"]
        and other["top"] < one["bottom"]
    ]


@pytest.mark.parametrize("count", [3, 15, 60, 300])
async def test_no_label_lies_on_another_or_outside_and_each_neuron_counts(page, tmp_path, count):
    with recorded(scene_of(tmp_path / "scene.jsonl", count)) as url:
        await page.goto(f"{url}#/map")
        await expect(page.locator(".roster .count")).to_contain_text(f"{count} Neurons")
        for width, height in SIZES:
            await page.set_viewport_size({"width": width, "height": height})
            # It is laid out anew within 250 ms; a label moves at once, without an animation.
            await page.wait_for_function(
                "wide => document.querySelector('.sky').clientWidth > 0 && innerWidth === wide",
                arg=width,
            )
            await page.wait_for_timeout(600)
            boxes, sky = await page.evaluate(BOXES), await page.evaluate(SKY)

            assert touching(boxes) == []
            for each in boxes:
                assert sky["left"] <= each["left"] <= each["right"] <= sky["right"], each
                assert sky["top"] <= each["top"] <= each["bottom"] <= sky["bottom"], each
            labels = page.locator(".map-label.right")
            more = labels.filter(has_text="in the table")
            hidden = 0
            if await more.count():
                told = await more.locator("b").inner_text()
                hidden = int(told.split()[1].replace(",", ""))
            assert await labels.count() - await more.count() + hidden == count
    await page.set_viewport_size(chromium.LAPTOP)
