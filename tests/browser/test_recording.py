"""What a Prism remembers, shown by another one: also who died before the first Signal of it."""

import asyncio

import pytest
from playwright.async_api import expect

from browser.scene import ask, recorded

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_neuron_that_died_is_gone_in_the_recording_of_a_prism_too(page, stage, tmp_path):
    doomed = stage.hire("doomed", "holder")
    stage.hire("box", "echo")
    gone = page.get_by_role("table", name="Neurons", exact=True).last.locator(
        "tbody", has_text="holder"
    )
    await page.goto(f"{stage.page_url}#/fabric")
    await expect(gone).to_contain_text("alive")
    doomed.kill()
    await expect(gone).to_contain_text("left at", timeout=15_000)
    async with stage.caller() as web:
        await ask(web, "echo", prompt="after the death")

    answer = await page.request.get(f"{stage.page_url}/api/recording")
    path = tmp_path / "prism.jsonl"
    await asyncio.to_thread(path.write_bytes, await answer.body())
    with recorded(str(path)) as url:
        await page.goto(f"{url}#/fabric")
        await expect(gone).to_contain_text("gone")
        await expect(gone).to_contain_text("its process or its connection vanished")
