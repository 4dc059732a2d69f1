"""What a proxy with keys starts with. Spec: docs/spec/11-access.md. Pure."""

from __future__ import annotations

import attrs

from .curve_keys import KeyPair
from .rights import Access


@attrs.frozen
class ProxyKeys:
    """The keys of a proxy.

    Args:
        pair: Its own.
        access: Who may do what at the start; `Proxy.use_access` replaces it.
    """

    pair: KeyPair
    access: Access
