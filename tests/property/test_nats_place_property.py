"""Whatever a password is, it is shown to the nats-server alone."""

import contextlib
from urllib.parse import quote

from hypothesis import example, given
from hypothesis import strategies as st

from cosmonapse import InvalidUrl
from cosmonapse.synapse.nats.place import NatsPlace

# Long and of letters that nothing else has, so that a part of another text is never taken for it.
SECRETS = st.text(min_size=1, max_size=20).map(lambda text: f"ZQX{text}XQZ")
NAMES = st.from_regex(r"[a-y0-9._-]{2,20}", fullmatch=True)
HOSTS = st.lists(st.from_regex(r"[a-y]{1,9}(:[1-9][0-9]{0,3})?", fullmatch=True), min_size=1)


def texts_of(place):
    return f"{place} {place!r} {place.text} {place.servers} {place.user} {place.token}"


@given(NAMES, SECRETS, HOSTS.filter(lambda hosts: len(hosts) < 16))
def test_a_password_reaches_the_server_whole_and_no_text(user, secret, hosts):
    place = NatsPlace.of(f"nats://{user}:{quote(secret, safe='')}@{','.join(hosts)}")

    assert place.options["user"] == user
    assert place.options["password"] == secret
    assert "ZQX" not in texts_of(place)


@given(SECRETS)
def test_a_token_reaches_the_server_whole_and_no_text(secret):
    place = NatsPlace.of(f"nats://{quote(secret, safe='')}@host")

    assert place.options == {"token": secret}
    assert "ZQX" not in texts_of(place)


@given(NAMES, SECRETS, st.sampled_from(["host", "host:4222", "host:x", "", "a,b", "h?user=a b"]))
@example("ben", "ZQX/?#@:,%XQZ", "host")
def test_a_password_as_it_stands_is_understood_or_refused_without_being_shown(user, secret, host):
    try:
        told = texts_of(NatsPlace.of(f"nats://{user}:{secret}@{host}"))
    except InvalidUrl as error:
        told = f"{error} {error!r} {error.url} {error.reason}"

    assert "ZQX" not in told


@given(st.text(max_size=60))
def test_any_text_is_a_place_or_refused(text):
    for url in (text, f"nats://{text}", f"tls://{text}"):
        with contextlib.suppress(InvalidUrl):
            assert NatsPlace.of(url).servers
