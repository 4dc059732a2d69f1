"""The counts of tasks in C are those of the specification, whatever ends how."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosmonapse import SignalType
from cosmonapse.kernel import task_ends as plain

compiled = pytest.importorskip("cosmonapse.kernel._compiled", exc_type=ImportError)
TIMES = st.floats(-10.0, 1000.0)
VALUES = TIMES | st.sampled_from([float("inf"), float("-inf"), float("nan")])
TYPES = st.sampled_from([SignalType.AGENT_OUTPUT, SignalType.FINAL, SignalType.ERROR])
NAMES = st.sampled_from(["known", "unknown"])
ENDS = st.lists(
    st.tuples(st.just("end"), NAMES, TYPES, st.none() | TIMES, TIMES)
    | st.tuples(st.just("settled"), NAMES, TYPES | st.just("ABANDONED"), TIMES, TIMES),
    max_size=30,
)


def read(histogram):
    counts = histogram.counts(), histogram.cumulative(), histogram.count
    return *counts, repr(histogram.total), histogram.bounds


def counted(kernel, ends):
    """Return what a kernel has counted, and what it has handed on."""
    others = []
    now_s = iter(range(100)).__next__
    tasks = kernel.TaskEnds(now_s, lambda *got: others.append(got), lambda *got: others.append(got))
    known = tasks.neurons["known"] = tasks.addresses[b"known"] = kernel.Ends()
    for what, name, kind, first, second in ends:
        if what == "end":
            axon = SimpleNamespace(axon=SimpleNamespace(neuron_id=name))
            job = SimpleNamespace(slots=axon, started_at_s=first, arrived_at_s=second)
            tasks.on_end(job, kind, {})
        else:
            times = {"expires_at_s": first, "timeout_s": second}
            signal = kind if kind == "ABANDONED" else SimpleNamespace(type=kind)
            tasks.on_settled(SimpleNamespace(address=name.encode(), **times), signal)
    figures = known.ok, dict(known.others), *map(read, (known.took, known.waited, known.first))
    return figures, [str(each) for each in others]


@given(ends=ENDS)
def test_both_kernels_count_and_hand_on_the_same(ends):
    assert counted(compiled, ends) == counted(plain, ends)


@given(values=st.lists(VALUES), bounds=st.lists(TIMES, max_size=31, unique=True).map(sorted))
def test_both_histograms_are_equal_for_any_bounds(values, bounds):
    found = []
    for kernel in (compiled, plain):
        one, two = kernel.Histogram(bounds), kernel.Histogram(bounds)
        for value in values:
            one.add(value)
        two.merge(one)
        two.merge(one)
        found.append((read(one), read(two)))

    assert found[0] == found[1]
    assert found[0][0][2] == len(values)


@pytest.mark.parametrize("kernel", [compiled, plain], ids=["compiled", "plain"])
def test_more_bounds_than_a_histogram_has_room_for_are_refused(kernel):
    with pytest.raises(ValueError, match="at most 31 bounds, not 32"):
        kernel.Histogram(range(32))


@pytest.mark.parametrize("kernel", [compiled, plain], ids=["compiled", "plain"])
def test_histograms_of_other_bounds_are_not_merged(kernel):
    small, large = kernel.Histogram([1, 2]), kernel.Histogram([1, 2, 3])
    large.add(2.5)

    for one, other in ((small, large), (large, small)):
        with pytest.raises(ValueError, match="same bounds"):
            one.merge(other)

    assert (small.count, large.count) == (0, 1)


@pytest.mark.parametrize("kernel", [compiled, plain], ids=["compiled", "plain"])
def test_bounds_are_numbers(kernel):
    with pytest.raises(ValueError, match="could not convert string to float"):
        kernel.Histogram("ab")
