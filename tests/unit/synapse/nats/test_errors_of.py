"""What the errors of nats-py mean. Those of a real nats-server are in the integration tests."""

import ssl

import pytest
from nats import errors

from cosmonapse.synapse.nats.errors_of import Fault, fault_of, refused
from cosmonapse.synapse.nats.place import NatsPlace

WHO = "authorization"


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (errors.Error("nats: 'Authorization Violation'"), WHO),
        (errors.AuthorizationError(), WHO),
        (errors.Error("nats: user authentication expired"), WHO),
        (errors.Error("nats: 'User Authentication Revoked'"), WHO),
        (errors.Error("nats: account authentication expired"), WHO),
        (errors.InvalidUserCredentialsError(), WHO),
        (errors.SecureConnWantedError(), "tls"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"), "tls"),
        (errors.Error("nats: 'maximum connections exceeded'"), "other"),
        (errors.Error("nats: maximum account active connections exceeded"), "other"),
        (errors.Error("nats: empty response from server when expecting INFO message"), "other"),
        (errors.MaxPayloadError(), "other"),
    ],
)
def test_an_error_that_stays_has_a_kind(error, kind):
    assert fault_of(error).kind == kind


@pytest.mark.parametrize(
    "error",
    [
        errors.UnexpectedEOF(),
        errors.StaleConnectionError(),
        errors.ConnectionClosedError(),
        errors.NoServersError(),
        errors.FlushTimeoutError(),
        errors.TimeoutError(),
        errors.OutboundBufferLimitError(),
        ConnectionRefusedError(111, "Connect call failed"),
        ConnectionResetError("Connection lost"),
        TimeoutError(),
        ValueError("not of nats-py"),
    ],
)
def test_a_lost_connection_is_no_fault(error):
    assert fault_of(error) is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('publish to "cosmo.red.up.a.b.c"', "may not send to cosmo.red.up.a.b.c"),
        ('subscription to "cosmo.red.t.*"', "may not subscribe to cosmo.red.t.*"),
        ('subscription to "cosmo.x" using queue "y"', "may not subscribe to cosmo.x"),
        ('publish with reply of "cosmo.x"', "may not send to cosmo.x"),
    ],
)
def test_a_missing_right_names_its_subject(text, says):
    fault = fault_of(errors.Error(f"nats: permissions violation for {text}"))

    assert (fault.kind, fault.subject) == ("permission", says.split()[-1])
    assert says in fault.text


def test_a_wrong_password_is_refused_with_what_to_do():
    error = refused(NatsPlace.of("nats://ben:secret@host"), Fault(WHO, "denied"), "red")

    assert "does not let in the user ben" in error.reason
    assert "check the user ben" in error.fix
    assert error.endpoint == "nats://ben:***@host:4222"
    assert "secret" not in str(error) + error.reason + error.fix


def test_who_shows_nothing_learns_how_to():
    error = refused(NatsPlace.of("nats://host"), Fault(WHO, "denied"), "red")

    assert "nats://user:password@host" in error.fix
    assert "COSMO_CREDS" in error.fix


def test_a_missing_right_is_refused_and_names_the_namespace():
    fault = Fault("permission", "it may not send to cosmo.red.up", "cosmo.red.up")

    error = refused(NatsPlace.of("nats://ben:p@host"), fault, "Red")

    assert "the namespace Red" in error.reason
    assert "nats-conf" in error.fix
    assert "?user=" not in error.fix


def test_who_has_no_name_in_the_subjects_learns_how_to_say_one():
    fault = Fault("permission", "it may not send to cosmo.red.up", "cosmo.red.up")

    error = refused(NatsPlace.of("nats://token@host"), fault, "red")

    assert "?user=NAME" in error.fix
    assert "token@" not in str(error)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("it does not speak TLS, and the URL wants it", "write nats://"),
        ("the encryption could not begin: tlsv13 alert certificate required", "?cert=FILE"),
        ("its certificate is not trusted: self-signed certificate", "?ca=FILE"),
    ],
)
def test_a_fault_of_the_encryption_says_what_to_do(text, says):
    assert says in refused(NatsPlace.of("tls://host"), Fault("tls", text), "red").fix


def test_any_other_fault_points_to_the_log():
    error = refused(NatsPlace.of("nats://host"), Fault("other", "maximum connections"), "")

    assert "maximum connections" in error.reason
    assert "log" in error.fix
