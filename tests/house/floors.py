"""The floors of the house, the ground floor first. Data only: the rules stand in the tests.

A module imports from lower floors. `name.*` is a room: the package `name` and everything in it
share that floor and may import each other, in no circle.
"""

FLOORS = (
    # zmq_transport: pure
    ("zmq_transport.errors",),
    ("zmq_transport.addresses", "zmq_transport.liveness", "zmq_transport.session"),
    ("zmq_transport.wire",),
    (
        "zmq_transport.audience",
        "zmq_transport.bodies",
        "zmq_transport.bundle",
        "zmq_transport.outbox",
        "zmq_transport.parking",
        "zmq_transport.receiver",
        "zmq_transport.routing",
    ),
    ("zmq_transport.ledger", "zmq_transport.link", "zmq_transport.peers"),
    ("zmq_transport.roster", "zmq_transport.tables"),
    ("zmq_transport.listeners", "zmq_transport.tasks"),
    ("zmq_transport.presence",),
    ("zmq_transport.admission",),
    ("zmq_transport.engine",),
    # zmq_transport: shells
    ("zmq_transport.carrier", "zmq_transport.sockets"),
    ("zmq_transport.broadcast", "zmq_transport.frames"),
    ("zmq_transport.client", "zmq_transport.proxy", "zmq_transport.pump"),
    ("zmq_transport.knock",),
    ("zmq_transport.probing", "zmq_transport.zmq_carrier"),
    ("zmq_transport",),
    # cosmonapse: the ground floor
    ("cosmonapse.errors", "cosmonapse.world"),
    ("cosmonapse.deadlines", "cosmonapse.ids", "cosmonapse.names", "cosmonapse.registry"),
    ("cosmonapse.codec", "cosmonapse.transport"),
    ("cosmonapse.signals",),
    ("cosmonapse.delivery", "cosmonapse.handlers"),
    ("cosmonapse.axon", "cosmonapse.context"),
    # cosmonapse: shells
    ("cosmonapse.synapse.*",),
    ("cosmonapse.dendrite.*",),
    ("cosmonapse.neurons.*",),
    ("cosmonapse",),
    ("cosmonapse.demo.*",),
    ("cosmonapse.cli.*",),
)

# The only room above the transport that knows it.
TRANSPORT_DOORS = ("cosmonapse.synapse.*",)

PURE = (
    "zmq_transport.addresses",
    "zmq_transport.admission",
    "zmq_transport.audience",
    "zmq_transport.bodies",
    "zmq_transport.bundle",
    "zmq_transport.carrier",
    "zmq_transport.engine",
    "zmq_transport.errors",
    "zmq_transport.ledger",
    "zmq_transport.link",
    "zmq_transport.listeners",
    "zmq_transport.liveness",
    "zmq_transport.outbox",
    "zmq_transport.parking",
    "zmq_transport.peers",
    "zmq_transport.presence",
    "zmq_transport.receiver",
    "zmq_transport.roster",
    "zmq_transport.routing",
    "zmq_transport.session",
    "zmq_transport.tables",
    "zmq_transport.tasks",
    "zmq_transport.wire",
    "cosmonapse.axon",
    "cosmonapse.codec",
    "cosmonapse.deadlines",
    "cosmonapse.delivery",
    "cosmonapse.demo.retrieval",
    "cosmonapse.errors",
    "cosmonapse.handlers",
    "cosmonapse.ids",
    "cosmonapse.names",
    "cosmonapse.neurons.answers",
    "cosmonapse.neurons.chat",
    "cosmonapse.neurons.faults",
    "cosmonapse.neurons.messages",
    "cosmonapse.neurons.settings",
    "cosmonapse.neurons.sse",
    "cosmonapse.registry",
    "cosmonapse.signals",
    "cosmonapse.synapse.url",
    "cosmonapse.transport",
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
