"""What `cosmo serve` tells people and the service manager while it runs."""

import pytest

from cosmonapse.cli.gateway_printer import GatewayPrinter
from cosmonapse.http_server.bound_address import BoundAddress

LOOPBACK = BoundAddress("127.0.0.1", ("127.0.0.1",), 8080)
LAN = BoundAddress("192.168.1.5", ("192.168.1.5",), 8080)


class Reporter:
    def __init__(self):
        self.states = []

    def ready(self):
        self.states.append("ready")

    def stopping(self, why):
        self.states.append(why)


@pytest.fixture
def said():
    return []


@pytest.fixture
def printer_for(said):
    def printer_for_(**changed):
        given = {
            "namespace": "home",
            "url": "cosmo://127.0.0.1:7070",
            "bound": LOOPBACK,
            "paths": {"http": "neurons", "openai": "v1"},
            "metrics_url": None,
            "has_token": False,
            "grace_s": 10.0,
            "reporter": Reporter(),
            "say": said.append,
        }
        return GatewayPrinter(**{**given, **changed})

    return printer_for_


def test_on_loopback_without_a_token_it_names_each_face_and_its_path(printer_for, said):
    printer_for().on_listening()

    assert said == [
        "Gateway of home listening on http://127.0.0.1:8080",
        "  http        http://127.0.0.1:8080/neurons",
        "  openai      http://127.0.0.1:8080/v1",
        "  token       none: loopback only",
    ]


def test_beyond_loopback_it_says_that_http_is_not_encrypted(printer_for, said):
    printer_for(bound=LAN, has_token=True, metrics_url="http://127.0.0.1:9464").on_listening()

    assert said[-3:-1] == ["  metrics     http://127.0.0.1:9464", "  token       asked for"]
    assert said[-1].startswith("  note        HTTP is not encrypted")


def test_the_service_is_ready_when_the_synapse_answers_and_not_before(printer_for, said, capsys):
    printer = printer_for()

    printer.on_listening()
    printer.on_waiting()
    before = list(printer.reporter.states)
    printer.on_connected()

    assert "no Synapse answers at cosmo://127.0.0.1:7070 yet" in capsys.readouterr().err
    assert (before, printer.reporter.states) == ([], ["ready"])
    assert said[-1] == "  connected   cosmo://127.0.0.1:7070"


@pytest.mark.parametrize(("open_count", "is_told"), [(0, False), (3, True)])
def test_at_its_end_it_tells_of_requests_that_are_under_way(
    open_count, is_told, printer_for, capsys
):
    printer = printer_for()

    printer.on_ending(open_count)

    assert printer.reporter.states == ["ending"]
    assert ("(3 under way" in capsys.readouterr().err) is is_told
