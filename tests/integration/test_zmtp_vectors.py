"""ZMTP against `docs/spec/vectors.json`: libzmq sends these bytes, and takes them from others.

Spec: docs/spec/10-zmtp.md. The proxy is a real one, the client is a plain TCP socket, and the other
way round.
"""

import contextlib
import itertools
import threading

import pytest
import zmq

from support.rude import LimitedSynapse
from support.vectors import VECTORS, each_of, message_named
from support.zmtp import COMMAND, MORE, wire_from, wire_to
from zmq_transport.sockets import options
from zmq_transport.wire import greetings as greeting_maps
from zmq_transport.wire import heads
from zmq_transport.wire.heads import Verb
from zmq_transport.zmtp import greeting, stranger

ZMTP = VECTORS["zmtp"]
GREETING = bytes.fromhex(ZMTP["greeting"])
LIMIT = 1 << 20
INSTANCE = bytes.fromhex(VECTORS["instances"][0]["instance"])
TOPIC = b"demo/t/1/"
TYPES = {"DEALER": zmq.DEALER, "SUB": zmq.SUB, "XPUB": zmq.XPUB}
CLIENTS = {
    "DEALER": lambda: options.dealer(LIMIT),
    "SUB": lambda: options.sub(LIMIT),
    "XPUB": options.publisher,
}
PROXIES = {
    "ROUTER": lambda: options.router(LIMIT),
    "XPUB": options.xpub,
    "XSUB": lambda: options.xsub(LIMIT),
}
HEADER = heads.pack_header(INSTANCE, 1, heads.NOBODY, heads.NOBODY)
OWN_PUBLICATION = b"\x01\x09demo/t/9/\x01\x38" + HEADER + b"\x00\x08question"
FAR_END = {"DEALER": "ROUTER", "SUB": "XPUB", "XPUB": "XSUB"}
NEAR_END = {far: near for near, far in FAR_END.items()}


def command(name):
    return bytes.fromhex(next(each["bytes"] for each in ZMTP["commands"] if each["name"] == name))


def message(name):
    return bytes.fromhex(next(each["bytes"] for each in ZMTP["messages"] if each["name"] == name))


def on_own_kind(data):
    """Return bytes about a kind that clients publish, from those about TASKs."""
    return data.replace(TOPIC, b"demo/t/9/")


def ready_of(kind, end):
    return command(f"READY of the {kind} of a {end}")


def greet(wire, ready):
    """Say what a peer says first; return what the far end says first."""
    wire.send(GREETING + ready)
    return wire.read(len(GREETING)), wire.frame()


def next_but_pings(wire, number=1):
    """Return the next frames that are no PING, as they are on the wire."""
    frames = (each for each in wire.frames() if each != command("PING as the proxy sends it"))
    return b"".join(itertools.islice(frames, number))


def dial(socket, endpoint):
    options.dial(socket, endpoint, 5.0, 5.0)


def end_of(kind):
    """Connect a socket of our client to a plain one, which has greeted as the proxy does."""
    return wire_from(CLIENTS[kind], dial)


def bound(kind):
    """Bind a socket of our proxy to any port; return both."""
    socket = PROXIES[kind]()
    return socket, options.port_of(options.bind(socket, "127.0.0.1", 0))


def framed(frames):
    """Return frames as they travel: flags, size, bytes."""
    last = len(frames) - 1
    made = b""
    for at, frame in enumerate(frames):
        more = MORE if at < last else 0
        size = len(frame)
        head = bytes((more, size)) if size < 256 else bytes((more | 2,)) + size.to_bytes(8, "big")
        made += head + frame
    return made


@each_of(ZMTP["commands"])
def test_a_command_is_its_name_and_its_data_in_one_frame(vector):
    data, name = bytes.fromhex(vector["data"]), vector["command"].encode()
    body = bytes((len(name),)) + name + data

    assert bytes((COMMAND, len(body))) + body == bytes.fromhex(vector["bytes"])


@each_of([each for each in ZMTP["commands"] if each["command"] == "READY"])
def test_the_properties_of_a_ready_are_its_data(vector):
    data = b"".join(
        bytes((len(name),)) + name.encode() + len(value).to_bytes(4, "big") + value.encode()
        for name, value in vector["properties"]
    )
    seen = GREETING + bytes.fromhex(vector["bytes"])

    assert data.hex() == vector["data"]
    assert stranger.socket_type(seen) == dict(vector["properties"])["Socket-Type"].encode()


@each_of([each for each in ZMTP["commands"] if each["command"] == "PING"])
def test_the_data_of_a_ping_is_its_ttl_and_its_context(vector):
    assert (vector["ttl"].to_bytes(2, "big").hex() + vector["context"]) == vector["data"]


@each_of(ZMTP["messages"])
def test_a_message_is_its_frames_one_after_the_other(vector):
    assert framed([bytes.fromhex(each) for each in vector["frames"]]).hex() == vector["bytes"]


def test_our_own_greeting_is_the_one_of_the_vectors():
    assert greeting.GREETING == GREETING


@pytest.mark.parametrize("kind", CLIENTS)
def test_a_client_greets_as_the_vectors_say(kind):
    with end_of(kind) as (wire, _):
        said = greet(wire, ready_of(FAR_END[kind], "proxy"))

    assert said == (GREETING, ready_of(kind, "client"))


@pytest.mark.parametrize("kind", PROXIES)
def test_a_proxy_greets_as_the_vectors_say(kind):
    socket, port = bound(kind)
    with socket, wire_to(port) as wire:
        said = greet(wire, ready_of(NEAR_END[kind], "client"))

    assert said == (GREETING, ready_of(kind, "proxy"))


def test_a_dealer_probes_behind_its_ready():
    with end_of("DEALER") as (wire, socket):
        greet(wire, ready_of("ROUTER", "proxy"))
        assert socket.poll(5000, zmq.POLLOUT)  # libzmq probes when its socket is looked at

        assert next_but_pings(wire) == message("the probe")


def test_a_sub_subscribes_by_commands():
    with end_of("SUB") as (wire, socket):
        greet(wire, ready_of("XPUB", "proxy"))
        socket.set(zmq.SUBSCRIBE, TOPIC)
        assert next_but_pings(wire) == command("SUBSCRIBE demo/t/1/")
        socket.set(zmq.UNSUBSCRIBE, TOPIC)

        assert next_but_pings(wire) == command("CANCEL demo/t/1/")


def test_an_xsub_subscribes_by_a_command_at_a_new_connection_and_by_messages_later():
    socket, port = bound("XSUB")
    with socket, wire_to(port) as wire:
        greet(wire, ready_of("XPUB", "client"))
        wire.send(message("a broadcast message: a copy of a TASK"))
        assert socket.poll(5000)  # libzmq subscribes when its socket is looked at
        socket.send(b"\x01" + TOPIC)
        socket.send(b"\x00" + TOPIC)

        assert next_but_pings(wire) == command("SUBSCRIBE to the sentinel")
        assert next_but_pings(wire) == message("a subscription in the form of a message")
        assert next_but_pings(wire) == message("an unsubscription in the form of a message")


@pytest.mark.parametrize("kind", ["XPUB of the proxy", "XPUB of a client"])
@pytest.mark.parametrize(
    ("subscribes", "unsubscribes"),
    [
        (command("SUBSCRIBE demo/t/1/"), command("CANCEL demo/t/1/")),
        (
            message("a subscription in the form of a message"),
            message("an unsubscription in the form of a message"),
        ),
    ],
    ids=["command", "message"],
)
def test_both_forms_of_a_subscription_are_taken(kind, subscribes, unsubscribes):
    if kind == "XPUB of a client":
        with end_of("XPUB") as (wire, socket):
            greet(wire, ready_of("XSUB", "proxy"))
            wire.send(subscribes + unsubscribes)
            taken = taken_by(socket)
    else:
        socket, port = bound("XPUB")
        with socket, wire_to(port) as wire:
            greet(wire, ready_of("SUB", "client"))
            wire.send(subscribes + unsubscribes)
            taken = taken_by(socket)

    assert taken == [b"\x01" + TOPIC, b"\x00" + TOPIC]


def taken_by(socket):
    assert socket.poll(5000)
    first = socket.recv()
    assert socket.poll(5000)
    return [first, socket.recv()]


@pytest.mark.parametrize(
    ("ping", "pong"),
    [
        ("PING as the proxy sends it", "PONG to it"),
        ("PING with a TTL of 3 s and a context", "PONG that echoes the context"),
        ("PING with the longest context", "PONG that echoes the longest context"),
    ],
)
@pytest.mark.parametrize("kind", PROXIES)
def test_a_pong_echoes_the_context_of_its_ping(kind, ping, pong):
    socket, port = bound(kind)
    with socket, wire_to(port) as wire:
        greet(wire, ready_of(NEAR_END[kind], "client"))
        wire.send(command(ping))

        assert next_but_pings(wire) == command(pong)


@each_of([each for each in ZMTP["messages"] if each["name"].startswith("a frame")])
def test_a_frame_of_either_form_arrives(vector):
    socket, port = bound("ROUTER")
    with socket, wire_to(port) as wire:
        greet(wire, ready_of("DEALER", "client"))
        wire.send(bytes.fromhex(vector["bytes"]))
        assert socket.poll(5000)
        connection, *frames = socket.recv_multipart()
        socket.send_multipart([connection, *frames])

        assert [each.hex() for each in frames] == vector["frames"]
        assert next_but_pings(wire, 2).hex() == vector["bytes"]


def test_a_peer_that_answers_no_ping_is_cut_and_one_that_does_is_not():
    socket, port = bound("ROUTER")
    with socket, wire_to(port) as silent, wire_to(port) as alive:
        for wire in (silent, alive):
            greet(wire, ready_of("DEALER", "client"))
        answering = threading.Thread(target=answer_pings, args=(alive,))
        answering.start()

        heard = list(silent.frames())

        # The one that answered is there still.
        alive.send(message("the probe"))
        assert socket.poll(5000)
        alive.hang_up()
        answering.join()
    assert set(heard) == {command("PING as the proxy sends it")}


def answer_pings(wire):
    # The test hangs up, perhaps between a PING and its answer.
    with contextlib.suppress(BrokenPipeError):
        for _ in wire.frames():
            wire.send(command("PONG to it"))


def told_by(wire):
    """Return verb and body of the next directed message but PING."""
    while True:
        head, body = (next_but_pings(wire) for _ in range(2))
        fields = heads.fields_of(head[2:])
        if fields.verb != Verb.PING:
            return Verb(fields.verb), body[2:]


def test_a_client_of_plain_sockets_is_welcomed_publishes_and_hears_itself(children):
    synapse = LimitedSynapse(children)
    with (
        wire_to(synapse.port) as directed,
        wire_to(synapse.listen_port) as listening,
        wire_to(synapse.publish_port) as publishing,
    ):
        greet(directed, ready_of("DEALER", "client"))
        greet(listening, ready_of("SUB", "client"))
        greet(publishing, ready_of("XPUB", "client"))
        directed.send(message("the probe"))
        who = told_by(directed)
        directed.send(message("a directed message: HELLO"))
        welcome = told_by(directed)
        assert next_but_pings(publishing) == command("SUBSCRIBE to the sentinel")
        listening.send(on_own_kind(command("SUBSCRIBE demo/t/1/")))
        subscription = on_own_kind(message("a subscription in the form of a message"))
        assert next_but_pings(publishing) == subscription
        publishing.send(OWN_PUBLICATION)
        heard = next_but_pings(listening, 3)

    assert who == (Verb.WHO, bytes.fromhex(message_named("WHO")["body"]))
    assert welcome[0] is Verb.WELCOME
    assert greeting_maps.unpack_welcome(welcome[1]).listen_port == synapse.listen_port
    assert heard == OWN_PUBLICATION


def test_a_client_of_plain_sockets_registers_and_answers_a_task_of_its_own(children):
    registered, sent = "REGISTER of one seat: facts, then what listeners get", "REPLY that settles"
    asked = message_named("TASK to a name, as its caller sends it")
    with wire_to(LimitedSynapse(children).port) as wire:
        greet(wire, ready_of("DEALER", "client"))
        wire.send(message("the probe") + message("a directed message: HELLO"))
        assert [told_by(wire)[0] for _ in range(2)] == [Verb.WHO, Verb.WELCOME]

        wire.send(frames_of(message_named(registered)))
        acknowledged = told_by(wire)
        wire.send(frames_of(asked))
        task = told_by(wire)
        # The vector answers another caller: this one is both.
        reply = message_named(sent)
        head = heads.with_peer(bytes.fromhex(reply["head"]), INSTANCE)
        wire.send(framed([head, bytes.fromhex(reply["body"])]))
        answer = told_by(wire)

    assert acknowledged == (Verb.REGISTER, b"")
    assert task == (Verb.TASK, bytes.fromhex(asked["body"]))
    assert answer == (Verb.REPLY, bytes.fromhex(reply["body"]))


def frames_of(vector):
    """Return the frames of a directed message of the vectors, as they travel."""
    return framed([bytes.fromhex(vector["head"]), bytes.fromhex(vector["body"])])
