"""What is announced is read back, and whatever else comes is harmless."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosmonapse.defaults import MAX_PEERS
from cosmonapse.lan.lan_record import (
    MAX_ADDRESSES,
    MAX_NAMESPACES_BYTES,
    SERVICE,
    Record,
    instance_of,
    record_of,
    texts_of,
)

ID, OTHER = "0123456789abcdef", "fedcba9876543210"
PRINT = "3f2a-91bc-07de-5a10"
TXT_BYTES = 255
NAMES = st.text(string.ascii_letters + string.digits + "._-", min_size=1, max_size=128)


def announced(**facts):
    fields = {"addresses": ("10.0.0.1",), "port": 7070, "start_id": ID, "wire": 1}
    return Record("studio-7070-0123", **(fields | facts))


def read(record):
    texts = {key.encode(): text.encode() for key, text in texts_of(record).items()}
    return record_of(f"{record.instance}.{SERVICE}", record.addresses, record.port, texts)


def read_texts(**texts):
    packed = {key.encode(): text for key, text in texts.items()}
    return record_of("x", ["10.0.0.1"], 7070, packed)


@pytest.mark.parametrize(
    "record",
    [
        announced(version="0.1.0"),
        announced(namespaces=frozenset({"billing", "a.b-c_D"})),
        announced(namespaces=frozenset({"a"}), has_more=True),
        announced(fingerprint=PRINT, peers=frozenset({OTHER})),
        announced(addresses=("10.0.0.1", "fd00::1", "fe80::1%3")),
    ],
)
def test_what_is_announced_is_read_back(record):
    assert read(record) == record


@given(st.sets(NAMES, min_size=1, max_size=40))
def test_namespaces_are_cut_to_the_room_and_never_lost_in_silence(namespaces):
    record = announced(namespaces=frozenset(namespaces))

    found = read(record)

    assert all(len(f"{key}={text}") <= TXT_BYTES for key, text in texts_of(record).items())
    assert len(texts_of(record)["ns"]) <= MAX_NAMESPACES_BYTES
    assert found.namespaces <= namespaces
    assert found.has_more == (found.namespaces != namespaces)
    assert all(found.may_serve(each) for each in namespaces)


def test_a_full_record_fits_into_one_packet():
    ids = {f"{number:016x}" for number in range(MAX_PEERS + 5)}
    names = frozenset(f"namespace-{number}" for number in range(100))

    texts = texts_of(announced(peers=frozenset(ids), namespaces=names, fingerprint=PRINT))

    assert sum(len(key) + len(text) + 2 for key, text in texts.items()) < 700
    assert all(len(key) + len(text) + 1 <= TXT_BYTES for key, text in texts.items())


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("studio", "studio-7070-0123"),
        ("studio.local", "studio-7070-0123"),
        ("a b_c", "a-b-c-7070-0123"),
        ("", "cosmo-7070-0123"),
        ("\x1b[31m", "31m-7070-0123"),
        ("ü" * 200, "cosmo-7070-0123"),
        ("x" * 200, "x" * 53 + "-7070-0123"),
    ],
)
def test_the_name_is_short_plain_and_like_no_other(host, name):
    assert instance_of(host, 7070, ID) == name
    assert len(name) <= 63


@pytest.mark.parametrize(
    "texts",
    [
        {"ns": b"\x1b[31m"},
        {"ns": b"*,\xff"},
        {"ns": None},
        {"id": b"0123456789ABCDEF"},
        {"id": b"1" * 5000},
        {"key": b"3f2a-91bc-07de-5a10\n"},
        {"version": b"1\x07"},
        {"version": b"v" * 33},
        {"wire": b"-1"},
        {"wire": b"9" * 100},
        {"wire": "٣".encode()},
        {"peers": b"x,y,\x00"},
    ],
)
def test_a_value_of_another_form_counts_as_one_that_is_missing(texts):
    assert read_texts(**texts) == read_texts()


def test_of_a_list_of_namespaces_the_valid_ones_count():
    found = read_texts(ns=b"a,\x1b,b c,d,+")

    assert (found.namespaces, found.has_more) == (frozenset({"a", "d"}), True)
    assert found.served == "a, d, ..."
    assert read_texts(ns=b"+").served == "..."
    assert read_texts().served == "any"


def test_the_name_of_a_hostile_announcement_is_escaped_and_cut():
    found = record_of("\x1b]0;x\x07" + "n" * 500, ["10.0.0.1"], 7070, {})

    assert found.instance.isprintable()
    assert len(found.instance) == 80


@pytest.mark.parametrize("port", [0, -1, 65_536])
def test_without_a_port_there_is_nothing(port):
    assert record_of("x", ["10.0.0.1"], port, {}) is None


@pytest.mark.parametrize(
    "address",
    [
        "",
        "host",
        "224.0.0.251",
        "0.0.0.0",
        "::",
        "127.0.0.1",
        "::1",
        "::ffff:127.0.0.1",
        "ff02::fb",
        "fe80::1%\x1b[31m",
        "1.2.3",
    ],
)
def test_without_an_address_there_is_nothing(address):
    assert record_of("x", [address], 7070, {}) is None


def test_addresses_are_bounded():
    found = record_of("x", [f"10.0.{each}.1" for each in range(100)], 7070, {})

    assert len(found.addresses) == MAX_ADDRESSES


@given(
    st.text(max_size=300),
    st.lists(st.text(max_size=60), max_size=30),
    st.integers(),
    st.dictionaries(
        st.sampled_from([b"txtvers", b"wire", b"version", b"ns", b"id", b"key", b"peers"])
        | st.binary(max_size=20),
        st.none() | st.binary(max_size=255),
        max_size=12,
    ),
)
def test_whatever_comes_is_read_or_left_out(instance, addresses, port, texts):
    found = record_of(instance, ["10.0.0.1", *addresses], port, texts)

    if found is None:
        assert not 0 < port <= 65_535
        return
    shown = (found.instance, found.version, found.served, found.fingerprint, *found.addresses)
    assert all(each.isprintable() for each in shown)
    assert read(found) is not None
