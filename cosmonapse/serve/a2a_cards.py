"""The card of an agent, made of the card of a Neuron. Pure.

Spec: https://a2a-protocol.org/v1.0.0/specification, section 4.4. It is JSON as it is served.
"""

from __future__ import annotations

from typing import Any

from ..cards import Card
from .a2a_parts import JSON_TYPE

PROTOCOL_VERSION = "1.0"
ROOT = "/a2a"
WELL_KNOWN = "/.well-known/agent-card.json"
_MODES = ["text/plain", JSON_TYPE]
_SCHEME = "bearer"


def agent_url(base_url: str, neuron_id: str) -> str:
    """Return where an agent is: its address for both bindings."""
    return f"{base_url.rstrip('/')}{ROOT}/{neuron_id}"


def agent_card(card: Card, base_url: str, *, needs_token: bool) -> dict[str, Any]:
    """Return the card of the agent of a Neuron.

    Args:
        card: The card of the Neuron.
        base_url: Where clients reach the gateway.
        needs_token: Whether they must send a token.
    """
    url = agent_url(base_url, card.neuron_id)
    about = card.description or f"The Neuron {card.neuron_id}."
    made: dict[str, Any] = {
        "name": card.neuron_id,
        "description": about,
        "version": card.version or card.digest,
        "supportedInterfaces": [
            {"url": url, "protocolBinding": binding, "protocolVersion": PROTOCOL_VERSION}
            for binding in ("JSONRPC", "HTTP+JSON")
        ],
        "capabilities": {
            "streaming": True,
            "pushNotifications": False,
            "extendedAgentCard": False,
        },
        "defaultInputModes": _MODES,
        "defaultOutputModes": _MODES,
        "skills": [
            {
                "id": card.neuron_id,
                "name": card.neuron_id,
                "description": about,
                "tags": list(card.capabilities) or ["neuron"],
                "inputModes": _MODES,
                "outputModes": _MODES,
            }
        ],
    }
    if needs_token:
        made["securitySchemes"] = {_SCHEME: {"httpAuthSecurityScheme": {"scheme": "Bearer"}}}
        made["securityRequirements"] = [{"schemes": {_SCHEME: {"list": []}}}]
    return made


def agent_list(cards: dict[str, Card], base_url: str) -> dict[str, Any]:
    """Return what `GET /a2a` answers: the agents, and where the card of each is."""
    return {
        "agents": [
            {
                "id": neuron_id,
                "description": cards[neuron_id].description,
                "url": agent_url(base_url, neuron_id),
                "card": agent_url(base_url, neuron_id) + WELL_KNOWN,
            }
            for neuron_id in sorted(cards)
        ]
    }
