"""What was seen on the way to a proxy."""

import pytest

from zmq_transport.client.diagnosis import FailedAttempts, Fault
from zmq_transport.errors import Cause
from zmq_transport.sockets.endpoints import TcpEndpoint

A, B = TcpEndpoint("10.0.0.1", 7070), TcpEndpoint("10.0.0.2", 7070)


@pytest.mark.parametrize(
    ("faults", "cause", "text"),
    [
        ([], Cause.NO_ANSWER, "no connection came about yet"),
        ([(A, Fault.CLOSED_PORT)] * 2, Cause.NOBODY, f"no process listens at {A} (2 tries)"),
        ([(A, Fault.NO_ANSWER)], Cause.NO_ANSWER, f"{A} does not accept a connection (1 tries)"),
        (
            [(A, Fault.NO_ANSWER), (B, Fault.CLOSED_PORT)],
            Cause.NOBODY,
            f"no process listens at {B}, and {A} does not accept a connection (2 tries)",
        ),
        (
            [(A, Fault.CLOSED_PORT), (B, Fault.CLOSED_PORT)],
            Cause.NOBODY,
            f"no process listens at {A} and {B} (2 tries)",
        ),
        ([(A, Fault.STRANGER), (B, Fault.NO_ANSWER)], Cause.STRANGER, f"answers at {A}, not"),
        ([(A, Fault.STRANGER), (A, Fault.CLOSED_PORT)], Cause.NOBODY, f"no process listens at {A}"),
    ],
)
def test_the_faults_of_all_addresses_give_one_cause_and_one_text(faults, cause, text):
    attempts = FailedAttempts()
    for address, fault in faults:
        attempts.add(address, fault)

    diagnosis = attempts.diagnosis()

    assert diagnosis.cause is cause
    assert text in diagnosis.text


def test_a_name_without_an_address_is_told_beside_the_others():
    attempts = FailedAttempts()
    attempts.add(A, Fault.CLOSED_PORT)

    diagnosis = attempts.diagnosis(["b", "c"])

    assert diagnosis.cause is Cause.NOBODY
    assert diagnosis.text.endswith("(1 tries), and the names b and c do not resolve")


def test_all_that_standbys_name_are_in_the_text_once():
    attempts = FailedAttempts()
    attempts.add_standby(A, ["cosmo://c:1"])
    attempts.add_standby(B, ["cosmo://d:1", "cosmo://c:1"])
    attempts.add_standby(A, [])

    diagnosis = attempts.diagnosis()

    assert diagnosis.cause is Cause.STANDBY
    assert diagnosis.text == (
        f"{B} and {A} stand by and let nobody in, the others of its fabric are cosmo://d:1 and "
        "cosmo://c:1"
    )


def test_the_text_names_the_stranger():
    attempts = FailedAttempts()
    attempts.add(A, Fault.STRANGER)
    attempts.stranger = "a ZeroMQ socket of type PUB"

    assert attempts.diagnosis().text == f"a ZeroMQ socket of type PUB answers at {A}, not a proxy"


def test_a_connection_makes_all_faults_forgotten():
    attempts = FailedAttempts()
    attempts.add(A, Fault.STRANGER)
    attempts.stranger = "a ZeroMQ socket of type PUB"

    attempts.clear()

    assert attempts == FailedAttempts()
