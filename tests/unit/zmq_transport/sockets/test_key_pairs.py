"""New key pairs."""

from zmq_transport.sockets.key_pairs import new_key_pair, public_of


def test_every_pair_is_new_and_its_public_key_belongs_to_its_secret():
    pairs = [new_key_pair() for _ in range(5)]

    assert len({each.secret for each in pairs}) == len(pairs)
    assert [public_of(each.secret) for each in pairs] == [each.public for each in pairs]
