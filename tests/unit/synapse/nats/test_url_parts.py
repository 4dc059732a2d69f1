"""The parts of a URL of NATS."""

import re

import pytest

from cosmonapse.synapse.nats.url_parts import MAX_SERVERS, read_url, shown


@pytest.mark.parametrize(
    ("url", "servers"),
    [
        ("nats://host", ("nats://host:4222",)),
        ("nats://host:1/", ("nats://host:1",)),
        ("TLS://host", ("tls://host:4222",)),
        ("nats://a,b:5,a:4222", ("nats://a:4222", "nats://b:5")),
        ("nats://[::1]:4223", ("nats://[::1]:4223",)),
        ("nats://[fe80::1%25eth0]", ("nats://[fe80::1%eth0]:4222",)),
        ("nats://u:p@a,b", ("nats://a:4222", "nats://b:4222")),
        ("nats://u:p@a,u:p@b", ("nats://a:4222", "nats://b:4222")),
        ("nats://?context=prod", ()),
    ],
)
def test_a_url_names_its_servers(url, servers):
    assert read_url(url).servers == servers


def test_options_stand_behind_the_servers():
    options = read_url("nats://host?creds=/a%20b.creds&user=ben").options

    assert options == {"creds": "/a b.creds", "user": "ben"}


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("nats:host", "write nats://host:4222"),
        ("http://host", "write nats://host:4222"),
        ("nats://", "names no host"),
        ("nats://a,,b", "names no host"),
        ("nats://?user=ben", "names no host"),
        ("nats://host:0", "no port from 1 to 65535"),
        ("nats://host:65536", "no port from 1 to 65535"),
        ("nats://host:x", "server 1 is not HOST or HOST:PORT"),
        ("nats://a,b c", "server 2 is not HOST or HOST:PORT"),
        ("nats://host/path", "nothing but ?options"),
        ("nats://host#part", "not HOST or HOST:PORT"),
        ("nats://[::x]", "no IPv6 address"),
        ("nats://::1", "not HOST or HOST:PORT"),
        ("nats://u:p@a,v:q@b", "two users"),
        ("nats://u:p:q@a", "USER:PASSWORD"),
        ("nats://u:p@q@a", "%40 for @"),
        ("nats://@a", "nothing stands before @"),
        ("nats://u:p/q@a", "%40 for @"),
        ("nats://a?creds", "not NAME=VALUE"),
        ("nats://a?creds=", "no value"),
        ("nats://a?colour=red", "no option 'colour'"),
        ("nats://a?user=b&user=c", "twice"),
        ("nats://a?creds=b&nkey=c", "name one"),
        ("nats://a\n", "cannot be printed"),
        ("nats://" + ",".join(f"h{n}" for n in range(MAX_SERVERS + 1)), "at most 16"),
    ],
)
def test_a_bad_url_is_refused_with_its_bad_part(url, says):
    with pytest.raises(ValueError, match=re.escape(says)):
        read_url(url)


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("nats://u:secret@host", "nats://***@host"),
        ("nats://secret@host:1?user=a", "nats://***@host:1?user=a"),
        ("nats://u:secret@a,u:secret@b", "nats://***@b"),
        ("nats://u:sec/ret@host", "nats://***@host"),
        ("nats://u:sec?ret@host", "nats://***@host"),
        ("nats://u:secret", "nats://u:***"),
        ("nats://u:4222secret,b", "nats://u:***,b"),
        ("nats://host?password=secret", "nats://host?password=***"),
        ("nats://host?secret", "nats://host?***"),
        ("nats://[::1]:4222", "nats://[::1]:4222"),
    ],
)
def test_what_may_be_a_secret_is_not_shown(url, text):
    assert shown(url) == text
