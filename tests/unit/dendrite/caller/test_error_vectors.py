"""The ERROR that a caller makes itself, against `docs/spec/vectors.json`."""

from cosmonapse import Directed, Signal, SignalType
from cosmonapse.dendrite.caller.open_tasks import OpenTask
from cosmonapse.dendrite.caller.task_errors import code_of, error_for
from support.vectors import VECTORS, each_of


@each_of(VECTORS["caller_errors"])
def test_a_reason_is_an_error_with_these_fields(vector):
    fields = vector["task"]
    task = Signal(
        type=SignalType.TASK,
        payload={"input": {}},
        directed=Directed(*fields["directed"]),
        id=fields["id"],
        trace_id=fields["trace_id"],
    )
    opened = OpenTask.of(task, 30.0)

    error = error_for(opened, code_of(vector["reason"], opened))

    directed = error.directed
    assert {
        "trace_id": error.trace_id,
        "parent_id": error.parent_id,
        "directed": [directed.id, directed.type, list(directed.capabilities)],
        "code": error.payload["code"],
        "recoverable": error.payload["recoverable"],
        "meta": error.meta,
    } == vector["error"]
