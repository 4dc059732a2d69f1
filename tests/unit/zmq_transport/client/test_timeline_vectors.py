"""The workers that a caller names for its open tasks, against `docs/spec/vectors.json`.

Spec: docs/spec/09-resync.md, "Who may have had a task". Each timeline is a caller: its news of
workers, its tasks, and the pages that it sends at each WELCOME.
"""

from support.vectors import VECTORS, each_of
from zmq_transport.client.resync_pages import ResyncPages
from zmq_transport.wire import heads, resync_messages
from zmq_transport.wire.heads import Verb
from zmq_transport.wire.resync_messages import Opened, ResendKind, WorkersFlag

NOBODY = bytes(16)


class Caller:
    """A caller with open tasks: what `ResyncPages` needs of its source."""

    def __init__(self):
        self.tasks = {}
        self.pages = ResyncPages()
        self.pages.source = self

    def open_tasks(self):
        return list(self.tasks.values())

    def workers(self, step):
        flags = sum(WorkersFlag[each] for each in step["flags"])
        instances = [bytes.fromhex(each) for each in step["instances"]]
        self.pages.on_workers(flags, instances, step["at_s"])

    def opens(self, step):
        task = bytes.fromhex(step["task"])
        self.tasks[task] = Opened(task, NOBODY, 0, 1000, keep=False)

    def ends(self, step):
        del self.tasks[bytes.fromhex(step["task"])]

    def welcome(self, step):
        unsent = {bytes.fromhex(each) for each in step["unsent"]}
        is_new = step["is_new_proxy"]
        sent = self.pages.listing(unsent, step["at_s"], is_new_proxy=is_new)

        assert [said(*message) for message in sent] == step["sends"]


def said(head, body):
    """Return what a page says, in the words of the vectors."""
    _, items, _ = heads.unpack_items(head)
    verb, _, kind, _, _, _, _ = items[0]
    if verb == Verb.WORKERS:
        flags = [each.name for each in WorkersFlag if kind & each]
        instances = sorted(each.hex() for each in resync_messages.read_workers(body))
        return {"verb": "WORKERS", "flags": flags, "instances": instances}
    if kind == ResendKind.END:
        return {"verb": "RESEND", "kind": "END"}
    return {
        "verb": "RESEND",
        "kind": "OPEN",
        "tasks": [task.hex() for _, _, _, _, task, *_ in items],
    }


@each_of(VECTORS["timelines"])
def test_a_caller_names_the_workers_of_its_timeline(vector):
    caller = Caller()

    for step in vector["steps"]:
        getattr(caller, step["event"])(step)
