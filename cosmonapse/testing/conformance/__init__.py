"""The suite that holds every promise of the transport port against a transport.

Spec: docs/spec/08-port.md. A transport joins with a `Harness`: it starts, kills and disturbs one
Synapse. `pytest --pyargs cosmonapse.testing.conformance --cosmo-harness acme.harness:Acme` runs
the suite against it. The tests use the public port and the harness, nothing else.
"""

from __future__ import annotations

from .harness import Harness

__all__ = ["Harness"]
