"""Heads of bundles, made and told apart by hand."""

from zmq_transport import wire


def bundled(heads):
    """Return one head for the items of several one-item heads with the same target."""
    start, _, address = wire.cut(heads[0])
    return wire.head_of(start, [wire.cut(head)[1] for head in heads], address)


def target_of(head):
    """Return what the one-item heads of one bundle have in common: verb, peer and address."""
    start, item, address = wire.cut(head)
    return item[:1], start, address
