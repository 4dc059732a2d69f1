"""One registry file, several processes, and a kill."""

from pathlib import Path

import pytest

from cosmonapse import NeuronRecord, SqliteRegistryStore

KEEPER = Path(__file__).resolve().parents[1] / "support" / "storekeeper.py"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "neurons.db"


def test_several_processes_open_one_new_file_and_none_loses_a_record(children, path):
    keepers = [children.start(KEEPER, path, name, 100) for name in "abc"]
    for each in keepers:
        each.line("ready")
        each.tell("go")

    codes = [each.wait() for each in keepers]

    with SqliteRegistryStore(path) as store:
        assert codes == [0, 0, 0]
        assert {each.neuron_id for each in store.list()} == {
            f"{name}-{number}" for name in "abc" for number in range(100)
        }


def test_what_was_written_before_a_kill_is_there_and_others_go_on(children, path):
    source = children.start(KEEPER, path, "k", 0)
    source.line("ready")
    with SqliteRegistryStore(path) as store:
        store.upsert(NeuronRecord(neuron_id="shared"))
        source.tell("go")
        numbers = source.lines("wrote", 50)

        source.kill()

        numbers = source.lines("wrote", len(numbers))
        assert store.get("shared").running >= int(numbers[-1])
        store.upsert(NeuronRecord(neuron_id="after"))
    with SqliteRegistryStore(path) as store:
        kept = {each.neuron_id for each in store.list()}
    assert kept >= {f"k-{number}" for number in numbers} | {"shared", "after"}
