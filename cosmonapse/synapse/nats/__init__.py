"""The same fabric on NATS: a nats-server carries, an engine of ours routes.

Spec: docs/spec/14-nats.md.

Nothing of this is imported before a URL names it; it needs the extra [nats].
"""
