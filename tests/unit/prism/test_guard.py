"""Only Prism's own pages may ask, under its own names, and only to read."""

import pytest

from cosmonapse.http_server.bound_address import BoundAddress
from cosmonapse.prism.guard import HEADERS, METHODS, Guard

GUARD = Guard(BoundAddress("127.0.0.1", ("127.0.0.1",), 7071))
LAN = Guard(BoundAddress("prism.lan", ("192.168.1.5", "fd00::5"), 7071))
EVERY = Guard(BoundAddress("0.0.0.0", ("0.0.0.0",), 7071, machine="Laptop"))
HOME = (b"Host", b"127.0.0.1:7071")


def refusal(*headers, method="GET", path="/api/stream"):
    return GUARD.refusal(method, path, headers)


@pytest.mark.parametrize(
    "host", ["127.0.0.1:7071", "localhost:7071", "LOCALHOST:7071", "[::1]:7071"]
)
def test_this_machine_is_answered_under_each_of_its_names(host):
    assert refusal((b"host", host.encode())) is None
    assert refusal((b"host", host.encode()), (b"origin", f"http://{host}".encode())) is None


@pytest.mark.parametrize(
    "host",
    [
        *("", "evil.example", "evil.example:7071", "127.0.0.1", "localhost", "127.0.0.1:7070"),
        *("127.0.0.1:7071.evil.example", "localhost:7071@evil", "0.0.0.0:7071", "\xff"),
    ],
)
def test_a_foreign_host_is_refused_with_the_right_address(host):
    refused = refusal((b"host", host.encode("latin-1")))

    assert refused.status == 403
    assert "open http://127.0.0.1:7071" in refused.text
    assert refused.text.isprintable()


def test_a_host_must_be_there_and_only_once():
    assert refusal().status == 403
    assert refusal(HOME, HOME).status == 403
    assert refusal(HOME, (b"HOST", b"evil.example")).status == 403


@pytest.mark.parametrize(
    "origin",
    [
        *("null", "", "http://evil.example", "https://127.0.0.1:7071", "http://localhost:8000"),
        *("http://127.0.0.1", "http://localhost:7071.evil.example"),
    ],
)
def test_a_foreign_origin_is_refused(origin):
    refused = refusal(HOME, (b"origin", origin.encode()))

    assert refused.status == 403
    assert "Origin" in refused.text


@pytest.mark.parametrize("site", [b"cross-site", b"same-site"])
def test_a_foreign_page_may_link_to_prism_and_not_load_from_it(site):
    assert refusal(HOME, (b"sec-fetch-site", site)).status == 403
    assert refusal(HOME, (b"sec-fetch-site", site), path="/") is None
    assert refusal(HOME, (b"sec-fetch-site", b"same-origin")) is None


@pytest.mark.parametrize(
    "method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "get", ""]
)
def test_nothing_but_reading_is_allowed(method):
    assert refusal(HOME, method=method).status == 405


@pytest.mark.parametrize("host", ["prism.lan:7071", "192.168.1.5:7071", "[fd00::5]:7071"])
def test_on_a_network_it_answers_under_the_chosen_name_and_its_addresses(host):
    headers = [(b"host", host.encode()), (b"origin", f"http://{host}".encode())]

    assert LAN.refusal("GET", "/api/stream", headers, "192.168.1.5") is None


@pytest.mark.parametrize("host", ["127.0.0.1:7071", "localhost:7071", "laptop:7071", "192.168.1.6"])
def test_on_a_network_any_other_name_is_refused_with_the_right_one(host):
    refused = LAN.refusal("GET", "/", [(b"host", host.encode())], "192.168.1.5")

    assert refused.status == 403
    assert "under its own names" in refused.text
    assert refused.text.endswith("open http://prism.lan:7071")


@pytest.mark.parametrize("local", ["192.168.1.5", "::ffff:192.168.1.5"])
def test_on_every_interface_it_answers_at_the_address_that_was_reached(local):
    def status(host):
        refused = EVERY.refusal("GET", "/api/stream", [(b"host", host.encode())], local)
        return 200 if refused is None else refused.status

    own = ("192.168.1.5:7071", "localhost:7071", "127.0.0.1:7071", "laptop:7071")
    foreign = ("192.168.1.6:7071", "evil.example:7071", "0.0.0.0:7071", "192.168.1.5", "")
    assert [status(host) for host in own] == [200] * 4
    assert [status(host) for host in foreign] == [403] * 5


def test_on_every_interface_a_refusal_names_the_address_that_was_reached():
    refused = EVERY.refusal("GET", "/", [(b"host", b"evil.example:7071")], "192.168.1.5")

    assert refused.text.endswith("open http://192.168.1.5:7071")


def test_a_browser_omits_the_port_of_http():
    guard = Guard(BoundAddress("prism.lan", ("192.168.1.5",), 80))

    assert guard.refusal("GET", "/", [(b"host", b"prism.lan")], "192.168.1.5") is None


def test_reading_is_allowed():
    assert [refusal(HOME, method=method) for method in METHODS] == [None, None]


def test_a_page_may_load_nothing_from_elsewhere():
    rules = dict(rule.split(" ", 1) for rule in HEADERS["content-security-policy"].split("; "))

    assert rules["default-src"] == "'none'"
    assert "unsafe" not in str(rules)
    assert {"script-src", "connect-src", "frame-ancestors", "base-uri", "form-action"} <= set(rules)
