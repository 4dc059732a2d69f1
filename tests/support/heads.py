"""Heads of bundles, made and told apart by hand."""

from zmq_transport.wire import heads


def bundled(singles):
    """Return one head for the items of several one-item heads with the same target."""
    start, _, address = heads.cut(singles[0])
    return heads.head_of(start, [heads.cut(head)[1] for head in singles], address)


def target_of(head):
    """Return the verb, peer and address that the one-item heads of one bundle share."""
    start, item, address = heads.cut(head)
    return item[:1], start, address
