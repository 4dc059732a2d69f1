"""Tell the user of a Dendrite when its Synapse may not be the only one that leads.

Spec: docs/spec/12-failover.md. A WELCOME says it, and comes again when it changes.
"""

from __future__ import annotations

import logging

_LOG = logging.getLogger(__name__)


class FabricNews:
    """What the last WELCOME said about the fabric; a change is logged once.

    Args:
        dendrite_id: The Dendrite, for the log.
        listed: Its URL if that lists several Synapses, else empty.

    Attributes:
        url: The URL of the Synapse that sent the last WELCOME; empty before.
        half: True if that one does not hear another one of its fabric.
        warning: The same for people, as a sentence; empty if there is nothing to say.
    """

    def __init__(self, dendrite_id: str, listed: str = "") -> None:
        self._dendrite_id = dendrite_id
        self._listed = listed
        self.url = ""
        self.half = False
        self.warning = ""

    def on_welcome(self, url: str, *, half: bool, has_others: bool) -> None:
        """Record what a WELCOME said.

        Args:
            url: The Synapse that sent it.
            half: True if that one does not hear another one of its fabric.
            has_others: True if that one was told of others.
        """
        self.url, self.half = url, half
        before, self.warning = self.warning, self._warning(half, has_others)
        if self.warning == before:
            return
        if self.warning:
            _LOG.warning("dendrite %s: %s", self._dendrite_id, self.warning)
        else:
            _LOG.info(
                "dendrite %s: the Synapse at %s hears every other one of its fabric",
                self._dendrite_id,
                url,
            )

    def _warning(self, half: bool, has_others: bool) -> str:
        if half:
            return (
                f"the Synapse at {self.url} does not hear another one of its fabric, so there may "
                "be a second one that leads; look at its host, and at the network between the two"
            )
        if self._listed and not has_others:
            return (
                f"the Synapse at {self.url} knows no other one, so those of {self._listed} do not "
                "stand by for each other, and more than one may lead; start each of them with "
                "--peer and the URLs of the others"
            )
        return ""
