"""The floors of the house, the ground floor first. Data only: the rules stand in the tests.

A module imports from lower floors. `name.*` is a room: the package `name` and everything in it
share that floor and may import each other, in no circle.
"""

FLOORS = (
    # zmq_transport
    ("zmq_transport.errors",),
    ("zmq_transport.wire", "zmq_transport.liveness", "zmq_transport.session"),
    ("zmq_transport.routing", "zmq_transport.ledger"),
    ("zmq_transport.engine", "zmq_transport.link"),
    ("zmq_transport.sockets",),
    ("zmq_transport.proxy", "zmq_transport.client"),
    ("zmq_transport",),
    # cosmonapse
    ("cosmonapse.errors", "cosmonapse.world"),
    ("cosmonapse.ids",),
    ("cosmonapse.signals",),
    ("cosmonapse.codec", "cosmonapse.transport"),
    ("cosmonapse.handlers", "cosmonapse.delivery"),
    ("cosmonapse.axon", "cosmonapse.context"),
    ("cosmonapse.synapse.*",),
    ("cosmonapse.dendrite.*",),
    ("cosmonapse.neurons.*",),
    ("cosmonapse",),
    ("cosmonapse.demo.*", "cosmonapse.testing"),
    ("cosmonapse.cli.*",),
)

# The only ones above the transport that know it.
TRANSPORT_DOORS = ("cosmonapse.synapse.*", "cosmonapse.cli.synapse")

PURE = (
    "zmq_transport.errors",
    "zmq_transport.wire",
    "zmq_transport.routing",
    "zmq_transport.ledger",
    "zmq_transport.liveness",
    "zmq_transport.session",
    "zmq_transport.engine",
    "zmq_transport.link",
    "cosmonapse.errors",
    "cosmonapse.ids",
    "cosmonapse.signals",
    "cosmonapse.codec",
    "cosmonapse.transport",
    "cosmonapse.handlers",
    "cosmonapse.delivery",
    "cosmonapse.demo.retrieval",
    "cosmonapse.neurons.chat",
    "cosmonapse.neurons.sse",
)

# The one door to clock and dice: pure modules may knock, it is not pure itself.
WORLD = "cosmonapse.world"

IMPURE_IMPORTS = frozenset(
    {
        "asyncio",
        "click",
        "concurrent",
        "flask",
        "http",
        "httpx",
        "io",
        "logging",
        "multiprocessing",
        "os",
        "pathlib",
        "queue",
        "random",
        "secrets",
        "select",
        "selectors",
        "shutil",
        "signal",
        "socket",
        "ssl",
        "subprocess",
        "sys",
        "tempfile",
        "threading",
        "time",
        "urllib.request",
        "uuid",
        "zmq",
    }
)
IMPURE_CALLS = frozenset({"breakpoint", "input", "open", "print"})
