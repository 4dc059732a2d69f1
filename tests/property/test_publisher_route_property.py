"""Publications keep their order and get lost nowhere while a client opens a socket for them."""

from hypothesis import given
from hypothesis import strategies as st

from zmq_transport.client import publisher_route
from zmq_transport.client.publisher_route import PublisherRoute, PublisherState

STEPS = st.lists(
    st.sampled_from(
        ["publish", "publish", "publish", "seldom", "joins", "leaves", "ask", "answer", "late"]
    ),
    max_size=60,
)


class FarEnd:
    """What a listener gets, if the socket is as fast as it can be and the proxy as slow."""

    def __init__(self):
        self.route = PublisherRoute()
        self.on_the_way = []  # handed over, and perhaps not yet published
        self.heard = []
        self.questions = []  # (turn, how many were handed over before it)
        self.handed_over_count = 0
        self.count = 0

    def hand_over(self, publications):
        self.on_the_way += publications
        self.handed_over_count += len(publications)

    def by_socket(self, publications):
        assert not publications or self.route.state is PublisherState.LIVE
        self.heard += publications

    def publish(self, seldom=False):
        """Do as the shell does."""
        self.count += 1
        publication = 1, b"", b"%d" % self.count
        if self.route.state is PublisherState.LIVE:
            self.by_socket([publication])
            return
        if not seldom or self.route.is_often(0.0):
            self.route.open()
        if self.route.state is PublisherState.ASKING:
            if self.route.hold(publication):
                return
            self.hand_over(self.route.overflow())
        self.hand_over([publication])

    def ask(self):
        if self.route.ask():
            self.questions.append((self.route.turn, self.handed_over_count))

    def answer(self, question):
        """Answer: by then the proxy has published all that was handed over before."""
        turn, before = question
        published = self.handed_over_count - len(self.on_the_way)
        fresh = self.on_the_way[: max(0, before - published)]
        self.heard += fresh
        del self.on_the_way[: len(fresh)]
        self.by_socket(self.route.on_answer(turn))

    def end(self):
        """Let all arrive."""
        self.hand_over(self.route.give_up())
        self.heard += self.on_the_way
        return [int(body) for _, _, body in self.heard]


@given(STEPS, st.integers(1, 4))
def test_all_is_heard_once_and_in_order(steps, room):
    publisher_route.MAX_HELD, before = room, publisher_route.MAX_HELD
    try:
        far = FarEnd()
        for step in steps:
            if step in ("publish", "seldom"):
                far.publish(seldom=step == "seldom")
            elif step in ("joins", "leaves"):
                far.hand_over(far.route.on_sentinel(step == "joins", hands_over=True))
            elif step == "ask":
                far.ask()
            elif far.questions:
                far.answer(far.questions.pop(0))

        heard = far.end()
    finally:
        publisher_route.MAX_HELD = before

    assert heard == list(range(1, far.count + 1))
