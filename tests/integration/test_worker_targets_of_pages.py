"""The modules of the pages, loaded as `cosmo worker` does by the names that the pages tell."""

import importlib
import sys

import pytest

from cosmonapse import BlockingDendrite, SynapseServer
from cosmonapse.worker_runner.targets import hosted_of
from house import pages

HOSTED = {
    ("gateways.md", "agents"): 1,
    ("mcp-tools.md", "app"): 1,
    ("memory.md", "memories"): 1,
    ("tools.md", "desk"): 1,
    ("tools.md", "shop:axons"): 2,
    ("workers.md", "app"): 1,
}


@pytest.fixture
def hosted(tmp_path, monkeypatch):
    """Save the module of a page, and return what `cosmo worker TARGET` hosts of it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", "k")

    def loaded(page, target):
        module = target.partition(":")[0]
        blocks = [each.code for each in pages.blocks(pages.DOCS / page)]
        (code,) = [each for each in blocks if each.startswith(f"# {module}.py\n")]
        (tmp_path / f"{module}.py").write_text(code, encoding="utf-8")
        monkeypatch.delitem(sys.modules, module, raising=False)
        importlib.invalidate_caches()
        try:
            return hosted_of([target])
        finally:
            sys.modules.pop(module, None)

    return loaded


@pytest.mark.parametrize(("page", "target"), HOSTED, ids=":".join)
def test_the_worker_of_a_page_hosts_its_module(hosted, page, target):
    assert f"cosmo worker {target}" in (pages.DOCS / page).read_text(encoding="utf-8")
    assert len(hosted(page, target)) == HOSTED[page, target]


def test_the_chat_of_the_page_about_gateways_repeats_what_was_said(hosted):
    axons = hosted("gateways.md", "agents")
    with SynapseServer(port=0) as server, BlockingDendrite(server.url, axons=axons) as dendrite:
        answer = dendrite.ask(neuron="chat", input={"prompt": "hello there"})

    assert answer == {"response": "hello there "}
