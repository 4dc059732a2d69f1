"""The card of an agent."""

from a2a.types import AgentCard
from google.protobuf.json_format import ParseDict

from cosmonapse.cards import Card
from cosmonapse.serve.a2a_cards import agent_card, agent_list

CARD = Card(neuron_id="book", description="Book a room", capabilities=("travel",), version="3")


def test_the_card_says_what_the_neuron_is_for_and_where_it_is():
    card = ParseDict(agent_card(CARD, "https://example.org/", needs_token=False), AgentCard())

    assert (card.name, card.description, card.version) == ("book", "Book a room", "3")
    assert [(each.protocol_binding, each.url) for each in card.supported_interfaces] == [
        ("JSONRPC", "https://example.org/a2a/book"),
        ("HTTP+JSON", "https://example.org/a2a/book"),
    ]
    assert list(card.skills[0].tags) == ["travel"]
    assert card.capabilities.streaming
    assert not card.security_schemes


def test_a_gateway_with_a_token_says_bearer():
    card = ParseDict(agent_card(CARD, "http://localhost", needs_token=True), AgentCard())

    assert card.security_schemes["bearer"].http_auth_security_scheme.scheme == "Bearer"
    assert list(card.security_requirements[0].schemes) == ["bearer"]


def test_a_neuron_without_a_version_has_the_digest_of_its_card_there():
    bare = Card(neuron_id="bare")

    card = agent_card(bare, "http://localhost", needs_token=False)

    assert card["version"] == bare.digest
    assert card["description"] == "The Neuron bare."
    assert card["skills"][0]["tags"] == ["neuron"]


def test_the_list_names_each_card():
    listed = agent_list({"book": CARD}, "http://localhost")

    assert listed["agents"][0]["card"] == "http://localhost/a2a/book/.well-known/agent-card.json"
