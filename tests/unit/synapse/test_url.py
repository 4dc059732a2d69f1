"""Synapse URLs."""

import pytest

from cosmonapse import InvalidUrl
from cosmonapse.synapse.url import (
    DEFAULT_URL,
    MAX_PLACES,
    Endpoint,
    Endpoints,
    IpcEndpoint,
    parse_url,
    url_of,
)


@pytest.mark.parametrize(
    ("url", "host", "port"),
    [
        ("cosmo://127.0.0.1:7070", "127.0.0.1", 7070),
        ("cosmo://example.org", "example.org", 7070),
        ("cosmo://example.org/", "example.org", 7070),
        ("cosmo://localhost:1", "localhost", 1),
        ("COSMO://Example.org:65535", "example.org", 65535),
        ("cosmo://[::1]:7071", "::1", 7071),
        ("cosmo://[FE80::1%eth0]", "fe80::1%eth0", 7070),
        ("cosmo://[fe80::1%25eth0]:1", "fe80::1%eth0", 1),
    ],
)
def test_a_url_names_host_and_port(url, host, port):
    assert parse_url(url) == Endpoint(host, port)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "no scheme"),
        ("127.0.0.1:7070", "scheme"),
        ("http://host:1", "'http' is unknown"),
        ("cosmo://", "no host"),
        ("cosmo:host", "no host"),
        ("cosmo://:7070", "no host"),
        ("cosmo://host:0", "port 0"),
        ("cosmo://host:99999", "port"),
        ("cosmo://host:x", "port"),
        ("cosmo://host/path", "nothing may follow"),
        ("cosmo://host?a=b", "nothing may follow"),
        ("cosmo://host#a", "nothing may follow"),
        ("cosmo://[::1]7070", "in brackets"),
        ("cosmo://::1", "in brackets"),
        ("cosmo://fe80::1:7070", "in brackets"),
        ("cosmo://[::1", "in brackets"),
        ("cosmo://[here]:7070", "ipv6"),
        ("cosmo://host:1:2", "brackets"),
        (None, "NoneType"),
        (b"cosmo://host", "bytes"),
    ],
)
def test_a_bad_url_is_refused_with_its_bad_part(url, says):
    with pytest.raises(InvalidUrl) as caught:
        parse_url(url)

    assert says in str(caught.value)
    assert DEFAULT_URL in str(caught.value)


@pytest.mark.parametrize(
    "url", ["cosmo://user:s3cret@host", "http://user:s3cret@host", "cosmo://s3cret@host:99999"]
)
def test_a_password_is_refused_and_not_shown(url):
    with pytest.raises(InvalidUrl) as caught:
        parse_url(url)

    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "places"),
    [
        ("cosmo://a:7070,b:7071", [("a", 7070), ("b", 7071)]),
        ("cosmo://a,B", [("a", 7070), ("b", 7070)]),
        ("COSMO://a,b/", [("a", 7070), ("b", 7070)]),
        ("cosmo://[::1],[fe80::1%25eth0]:1,c", [("::1", 7070), ("fe80::1%eth0", 1), ("c", 7070)]),
        ("cosmo://a:1,b:1,A:1,a:2", [("a", 1), ("b", 1), ("a", 2)]),
        ("cosmo://" + ",".join("abcdefghijklmnop"), [(each, 7070) for each in "abcdefghijklmnop"]),
        ("cosmo://" + ",".join("abcdefghijklmnopa"), [(each, 7070) for each in "abcdefghijklmnop"]),
    ],
)
def test_a_list_names_places_in_their_order_and_each_once(url, places):
    endpoints = parse_url(url)

    assert endpoints == Endpoints(tuple(Endpoint(*each) for each in places))
    assert parse_url(endpoints.url) == endpoints


@pytest.mark.parametrize("url", ["cosmo://a,a", "cosmo://a:7070,A", "cosmo://a,a:7070,a"])
def test_a_list_of_one_place_is_that_place(url):
    assert parse_url(url) == Endpoint("a", 7070)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("cosmo://a,", "place 2 of the list is empty"),
        ("cosmo://,b", "place 1 of the list is empty"),
        ("cosmo://a,,c", "place 2 of the list is empty"),
        ("cosmo://a, b", "place 2 of the list has a space beside it"),
        ("cosmo://a,cosmo://b", "place 2 of the list repeats the scheme"),
        ("cosmo://a,b:99999", "place 2 of the list, 'b:99999': port"),
        ("cosmo://a:x,b", "place 1 of the list, 'a:x': port"),
        ("cosmo://a,:7070", "place 2 of the list, ':7070': it names no host"),
        ("cosmo://a,b:0", "place 2 of the list, 'b:0': port 0"),
        ("cosmo://a,::1", "place 2 of the list, '::1': an IPv6 address stands in brackets"),
        ("cosmo://a/x,b", "place 1 of the list, 'a/x': nothing may follow the port"),
        ("cosmo://a,b?c=d", "place 2 of the list, 'b?c=d': nothing may follow the port"),
        ("cosmo://a,AUTO", "place 2 of the list is 'auto', which stands alone"),
        ("cosmo://auto:7070,b", "place 1 of the list is 'auto', which stands alone"),
        ("http://a,b", "the scheme 'http' is unknown"),
        ("cosmo://" + ",".join("abcdefghijklmnopq"), f"17 places, and at most {MAX_PLACES}"),
    ],
)
def test_a_bad_list_is_refused_with_its_bad_place(url, says):
    with pytest.raises(InvalidUrl) as caught:
        parse_url(url)

    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("address", "url"),
    [
        ("tcp://10.0.0.2:7070", "cosmo://10.0.0.2:7070"),
        ("ipc:///run/cosmo.sock", "cosmo+ipc:///run/cosmo.sock"),
        ("memory://demo", "memory://demo"),
    ],
)
def test_an_address_of_the_transport_has_a_url(address, url):
    assert url_of(address) == url


def test_a_password_in_a_list_is_not_shown():
    with pytest.raises(InvalidUrl) as caught:
        parse_url("cosmo://a,user:s3cret@b")

    assert "s3cret" not in str(caught.value)


def test_an_endpoint_is_a_url_again():
    assert parse_url(DEFAULT_URL).url == DEFAULT_URL


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("cosmo+ipc:///run/cosmo.sock", "/run/cosmo.sock"),
        ("COSMO+IPC:///Run/Cosmo.sock", "/Run/Cosmo.sock"),
        ("cosmo+ipc:///a b/50%25?x=1#y@z", "/a b/50%25?x=1#y@z"),
        ("cosmo+ipc:///run/\u00e4", "/run/\u00e4"),
        ("cosmo+ipc:///" + "x" * 98, "/" + "x" * 98),
    ],
)
def test_a_url_of_this_machine_names_a_path_as_it_stands(url, path):
    endpoint = parse_url(url)

    assert endpoint == IpcEndpoint(path)
    assert parse_url(endpoint.url) == endpoint


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("cosmo+ipc:", "// is missing"),
        ("cosmo+ipc:/run/cosmo.sock", "// is missing"),
        ("cosmo+ipc://", "names no path"),
        ("cosmo+ipc://run/cosmo.sock", "'run/cosmo.sock' is not absolute"),
        ("cosmo+ipc://@abstract", "not absolute"),
        ("cosmo+ipc:///run/", "directory"),
        ("cosmo+ipc:///run/a\0b", "printed"),
        ("cosmo+ipc:///run/a\nb", "printed"),
        ("cosmo+ipc:///run/\udcff", "printed"),
        ("cosmo+ipc:///" + "x" * 99, "100 bytes and at most 99 fit: a Unix socket allows 107"),
        ("cosmo+ipc:///" + "\u00e4" * 50, "101 bytes"),
    ],
)
def test_a_bad_url_of_this_machine_is_refused_with_what_to_write(url, says):
    with pytest.raises(InvalidUrl) as caught:
        parse_url(url)

    assert says in str(caught.value)
    assert "cosmo+ipc:///run/cosmo.sock" in str(caught.value)
