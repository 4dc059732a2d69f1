"""The floors of the house, the ground floor first. Data only: the rules stand in the tests.

A module imports from lower floors. `name.*` is a room: the package `name` and everything in it
share that floor and may import each other, in no circle. Two rooms on one floor do not know each
other.
"""

FLOORS = (
    # zmq_transport: what both ends share, then one room for each process
    ("zmq_transport.errors", "zmq_transport.counters", "zmq_transport.loggers"),
    ("zmq_transport.kernel_sources",),
    ("zmq_transport.kernel.*",),
    ("zmq_transport.zmtp.*",),
    ("zmq_transport.access.*",),
    ("zmq_transport.wire.*",),
    ("zmq_transport.sockets.*",),
    ("zmq_transport.failover.*",),
    ("zmq_transport.client.*", "zmq_transport.proxy.*"),
    ("zmq_transport",),
    # cosmonapse: the ground floor
    ("cosmonapse.error_codes", "cosmonapse.error_roots"),
    ("cosmonapse.file_errors", "cosmonapse.question_errors", "cosmonapse.tool_server_errors"),
    ("cosmonapse.errors", "cosmonapse.raised"),
    ("cosmonapse.runtime.*",),
    ("cosmonapse.defaults", "cosmonapse.ids", "cosmonapse.names", "cosmonapse.registry"),
    ("cosmonapse.cards",),
    ("cosmonapse.follow_up_input", "cosmonapse.rate_limit"),
    ("cosmonapse.codec", "cosmonapse.transport"),
    ("cosmonapse.signals",),
    ("cosmonapse.kernel.*",),
    (
        "cosmonapse.contexts",
        "cosmonapse.counters",
        "cosmonapse.health",
        "cosmonapse.keys",
        "cosmonapse.memory_ops",
        "cosmonapse.payloads",
        "cosmonapse.rights",
        "cosmonapse.tasks",
        "cosmonapse.tool_errors",
    ),
    ("cosmonapse.schemas.*",),
    (
        "cosmonapse.axon",
        "cosmonapse.configuration",
        "cosmonapse.key_ring",
        "cosmonapse.tool_definitions",
    ),
    ("cosmonapse.neuron_decorator", "cosmonapse.axon_source"),
    ("cosmonapse.telemetry.*",),
    ("cosmonapse.logs",),
    ("cosmonapse.tracing.*",),
    ("cosmonapse.trace_export",),
    # cosmonapse: shells
    ("cosmonapse.stores.*", "cosmonapse.lan.*"),
    ("cosmonapse.synapse.*",),
    ("cosmonapse.dendrite.own_rights", "cosmonapse.dendrite.senders"),
    ("cosmonapse.dendrite.watch.*",),
    ("cosmonapse.dendrite.caller.*",),
    ("cosmonapse.dendrite.worker.*",),
    (
        "cosmonapse.dendrite.event_router",
        "cosmonapse.dendrite.stop_receiver",
        "cosmonapse.dendrite.stop_sender",
    ),
    ("cosmonapse.dendrite.verbs.*",),
    ("cosmonapse.dendrite.dendrite",),
    ("cosmonapse.dendrite",),
    ("cosmonapse.doppler.*",),
    ("cosmonapse.recordings.*",),
    ("cosmonapse.http_server.*",),
    ("cosmonapse.prism.*",),
    ("cosmonapse.neurons.*",),
    ("cosmonapse.exposition.*",),
    ("cosmonapse.edge.*",),
    ("cosmonapse.metrics",),
    ("cosmonapse.memory.*",),
    ("cosmonapse.mcp_tools.*",),
    ("cosmonapse.serve.*",),
    ("cosmonapse.worker_runner.*",),
    ("cosmonapse",),
    ("cosmonapse.testing.*",),
    ("cosmonapse.demo.*",),
    ("cosmonapse.bench.*",),
    ("cosmonapse.cli.*",),
)

# The only rooms above the transport that know it.
TRANSPORT_DOORS = (
    "cosmonapse.kernel",  # its C has files in common with that of the transport
    "cosmonapse.synapse.*",
    "cosmonapse.testing.cuttable_carrier",
)

# Rooms whose files are one of a kind each (a verb, a framework, a vendor): there a file or a class
# may have the name that another room has too.
ROOMS_OF_A_KIND = (
    "cosmonapse.cli",
    "cosmonapse.edge",
    "cosmonapse.neurons",
    "cosmonapse.stores",
    "cosmonapse.synapse",
)

# The one door to clock and randomness: pure modules may import it, it is not pure itself.
CLOCK = "cosmonapse.runtime.clock"

# Pure functions, in C or in Python: which ones, the environment says when they are imported.
KERNELS = frozenset({"zmq_transport.kernel", "cosmonapse.kernel"})

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
