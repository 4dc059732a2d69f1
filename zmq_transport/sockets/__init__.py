"""ZeroMQ sockets, the same at both ends: where they bind, their options, whole messages."""
