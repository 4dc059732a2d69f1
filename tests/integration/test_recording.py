"""`Dendrite(registry_store=...)`: who came, lives and went, replica by replica."""

import asyncio

import pytest

from cosmonapse import MemoryRegistryStore, SqliteRegistryStore
from support.processes import axon, until

pytestmark = pytest.mark.asyncio


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
async def test_a_store_tells_replicas_apart_also_when_one_is_killed(
    kind, url, namespace, children, join, tmp_path
):
    store = MemoryRegistryStore() if kind == "memory" else SqliteRegistryStore(tmp_path / "r.db")
    before = children.worker(url, namespace, axon(capabilities=["recorded"]))
    recorder = join("recorder", registry_store=store)
    await recorder.start()
    after = children.worker(url, namespace, axon(capabilities=["recorded"]))
    await until(lambda: len(store.list("recorded")) == 2)

    before.kill()

    def states():
        return sorted(each.state for each in store.list(include_deregistered=True))

    await until(lambda: states() == ["alive", "deregistered"])
    gone = next(e for e in store.list(include_deregistered=True) if e.state == "deregistered")
    assert gone.reason == "lost"
    assert gone.last_seen_ts >= gone.first_seen_ts > 0
    after.kill()
    await asyncio.to_thread(after.wait, 10)
