"""The limit of open files, for a service that has many connections beside that to its Synapse."""

from __future__ import annotations

from zmq_transport.proxy.descriptor_limit import raise_descriptor_limit

__all__ = ["raise_descriptor_limit"]
