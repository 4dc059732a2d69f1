"""A hub does what a plain model of it does: who listens, who is told, and that nothing is lost."""

from hypothesis import given, settings
from hypothesis import strategies as st

from support.examples import examples
from support.hub_port import NOW_S, HubBench, task_id
from zmq_transport.access.origin import Origin
from zmq_transport.wire import heads
from zmq_transport.wire.heads import Verb

EARS = st.sampled_from([b"one", b"two", b"three"])
TOPICS = [
    heads.kind_topic("demo", 1),
    heads.kind_topic("other", 1),
    heads.trace_topic("demo", b"r" * 16),
]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["open", "close", "join"]), EARS, st.none()),
        st.tuples(st.just("listen"), EARS, st.sampled_from(TOPICS)),
        st.tuples(st.just("leave"), EARS, st.sampled_from(TOPICS)),
        st.tuples(st.just("flush"), st.none(), st.none()),
    ),
    max_size=40,
)


class Listeners:
    """The plain model: what each connection that is open listens to."""

    def __init__(self):
        self.open = {}

    def take(self, name, ear, topic):
        if name == "open":
            self.open[ear] = set()
        elif name == "close":
            self.open.pop(ear, None)
        elif name == "listen" and ear in self.open:
            self.open[ear].add(topic)
        elif name == "leave" and ear in self.open:
            self.open[ear].discard(topic)

    def of(self, topic):
        return {ear for ear, topics in self.open.items() if topic in topics}


def apply_step(hub, name, ear, topic):
    if name == "open":
        hub.opened(ear)
    elif name == "close":
        hub.closed(ear)
    elif name == "join":
        hub.on_join(ear)
    elif name == "listen":
        hub.on_subscribe(ear, topic, Origin("", "here", ear))
    elif name == "leave":
        hub.on_unsubscribe(ear, topic)
    else:
        hub.flush()


def hear(port, views):
    """Let the publishers that joined hear what they are told; each change must be one."""
    for entry in port.log:
        if entry[0] == "tell":
            _, joins, topic = entry
            for view in views.values():
                assert (topic in view) != joins, "it was told already"
                (view.add if joins else view.remove)(topic)
        else:
            _, publisher, _, topic = entry
            if topic != heads.LIVE_TOPIC:
                assert topic not in views[publisher]
                views[publisher].add(topic)
    port.log.clear()


@given(steps=STEPS)
@settings(max_examples=examples(800))
def test_who_listens_and_what_publishers_know_is_as_in_the_model(steps):
    bench, model, views = HubBench(), Listeners(), {b"the first": set()}
    bench.hub.on_join(b"the first")
    steps = [("open", ear, None) for ear in (b"one", b"two")] + steps
    for name, ear, topic in steps:
        if name == "join":
            views[ear] = set()
        apply_step(bench.hub, name, ear, topic)
        model.take(name, ear, topic)
        hear(bench.port, views)
        for each in TOPICS:
            assert set(bench.hub.listeners(each)) == model.of(each)
            assert all(each in view for view in views.values()) or not model.of(each)
    bench.hub.flush()
    hear(bench.port, views)

    wanted = {topic for topic in TOPICS if model.of(topic)}
    assert all(view == wanted for view in views.values())


WORKERS = st.sampled_from([b"worker", b"worker 2"])
EVERYBODY = st.sampled_from([b"caller", b"worker", b"worker 2"])
WORK = st.lists(
    st.one_of(
        st.tuples(st.just("task"), st.sampled_from([b"echo", b"nobody"])),
        st.tuples(st.just("room"), st.tuples(EVERYBODY, st.integers(0, 3))),
        st.tuples(st.just("gone"), WORKERS),
        st.tuples(st.sampled_from(["flush", "tick", "writable"]), st.none()),
    ),
    max_size=40,
)


def work(bench, steps):
    """Carry out the steps; return how many tasks there were."""
    tasks = 0
    for name, what in steps:
        if name == "task":
            bench.task(b"caller", tasks, what)
            tasks += 1
        elif name == "room":
            connection, messages = what
            bench.port.room[connection] = messages
        elif name == "gone":
            bench.port.gone.add(what)
        elif name == "tick":
            bench.hub.tick(NOW_S)
        elif name == "writable":
            bench.hub.on_writable(b"caller", NOW_S)
        else:
            bench.hub.flush()
    return tasks


@given(steps=WORK)
@settings(max_examples=examples(800))
def test_every_task_is_with_one_worker_or_back_at_its_caller_once_there_is_room(steps):
    bench = HubBench()
    bench.join("worker", "echo")
    bench.join("worker 2", "echo")
    bench.join("caller")
    tasks = work(bench, steps)
    bench.hub.flush()
    bench.port.room.clear()

    bench.hub.on_writable(b"caller", NOW_S)
    bench.hub.flush()

    given_out = [
        task
        for worker in (b"worker", b"worker 2")
        for verb, task, _ in bench.port.messages_to(worker)
        if verb is Verb.TASK
    ]
    returned = [
        task for verb, task, _ in bench.port.messages_to(b"caller") if verb is not Verb.PING
    ]
    assert sorted(given_out + returned) == [task_id(number) for number in range(tasks)]
    assert len(bench.engine.tables.notices) == 0
