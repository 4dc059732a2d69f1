"""A browser's EventSource in front of each helper: it reads one stream, and then it stops."""

from pathlib import Path
from urllib.parse import urlencode

import pytest
import pytest_asyncio

from support.edge import NAMESPACE, EdgeWorker, client_of
from support.event_source_app import PAGE
from support.node import CLIENT, node_or_skip
from support.processes import Children

pytestmark = pytest.mark.asyncio(loop_scope="session")
APP = Path(__file__).parents[1] / "support" / "event_source_app.py"
EXPRESS_APP = CLIENT / "test" / "support" / "event-source-app.js"
READY = {
    "flask": "wsgi",
    "wsgi": "wsgi",
    "fastapi": "fastapi",
    "express 4": "wsgi",
    "express 5": "wsgi",
}


def start(children, framework, url):
    """Start the page and its stream behind a framework."""
    if not framework.startswith("express"):
        return children.start(APP, framework, url, merge_stderr=True)
    version, env = framework.removeprefix("express "), {"PAGE": PAGE}
    return children.start(
        EXPRESS_APP, version, url, program=node_or_skip(), env=env, merge_stderr=True
    )


@pytest.fixture(scope="module")
def fabric():
    with Children() as children:
        _, url = children.synapse("--namespace", NAMESPACE)
        with EdgeWorker(url) as worker:
            yield children, url, worker


@pytest_asyncio.fixture(loop_scope="session")
async def tab(browser):
    context = await browser.new_context()
    page = await context.new_page()
    page.set_default_timeout(20_000)
    yield page
    await context.close()


@pytest.mark.parametrize("framework", READY)
async def test_after_the_last_event_it_stops_and_the_model_runs_no_second_time(
    framework, tab, fabric
):
    children, url, worker = fabric
    good, bad = f"Hi {framework}", f"late failure {framework}"
    app = start(children, framework, url)
    with client_of(app, READY[framework]) as client:
        await tab.goto(f"{client.base_url}?{urlencode({'prompt': [good, bad]}, doseq=True)}")

    await tab.wait_for_function("Object.values(seen).every((mine) => mine.includes('closed'))")
    seen = await tab.evaluate("seen")

    assert seen[good] == ["open", "thought", "thought", "output", "again", "closed"]
    assert seen[bad] == ["open", "thought", "error", "again", "closed"]
    assert (worker.runs[good], worker.runs[bad]) == (1, 1)
