"""Whatever is done to them, all registry stores hold the same."""

import contextlib
import tempfile
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from cosmonapse import MemoryRegistryStore, NeuronRecord, SqliteRegistryStore

NAMES = st.sampled_from(["n1", "n2", "n3"])
INSTANCES = st.sampled_from(["", "a", "b"])
TIMES = st.floats(-100.0, 100.0)
TEXT = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
COUNTS = st.integers(0, 2**63 - 1)
CAPABILITIES = st.lists(st.sampled_from(["x", "y"]), unique=True).map(tuple)
RECORDS = st.builds(
    NeuronRecord,
    neuron_id=NAMES,
    instance=INSTANCES,
    capabilities=CAPABILITIES,
    state=st.sampled_from(["alive", "stuck", "away", "deregistered"]),
    running=COUNTS,
    version=TEXT,
    first_seen_ts=st.none() | TIMES,
    last_seen_ts=st.none() | TIMES,
    reason=TEXT,
)


def call(name, *arguments, **options):
    """Return what is done to each store."""
    return st.tuples(
        st.just(name), st.tuples(*arguments), st.fixed_dictionaries({}, optional=options)
    )


STEPS = st.lists(
    call("upsert", RECORDS)
    | call("touch_heartbeat", NAMES, INSTANCES, running=COUNTS, queued=COUNTS, at_ts=TIMES)
    | call("mark_deregistered", NAMES, st.none() | INSTANCES, reason=TEXT, at_ts=TIMES)
    | call("get", NAMES, st.none() | INSTANCES)
    | call("list", st.none() | st.sampled_from(["x", "y"]), st.booleans()),
    max_size=25,
)


@contextlib.contextmanager
def stores(max_records):
    """Give one store of each kind, with the same clock."""
    settings = {"max_records": max_records, "clock": lambda: 7.0}
    with (
        tempfile.TemporaryDirectory() as folder,
        SqliteRegistryStore(Path(folder) / "x.db", **settings) as in_file,
    ):
        yield MemoryRegistryStore(**settings), in_file


@given(steps=STEPS, max_records=st.integers(1, 10))
def test_all_stores_hold_the_same(steps, max_records):
    with stores(max_records) as (one, two):
        for name, arguments, options in steps:
            answers = [getattr(each, name)(*arguments, **options) for each in (one, two)]
            assert answers[0] == answers[1]

        kept = one.list(include_deregistered=True)

        assert kept == two.list(include_deregistered=True)
        assert len(kept) <= max_records
        assert all(each.first_seen_ts is not None for each in kept)
