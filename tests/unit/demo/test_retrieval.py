"""Words, ranks and the rules of what the pages cover. Reads the real pages."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from cosmonapse.demo import retrieval as module
from cosmonapse.demo.librarian import load_pages
from cosmonapse.demo.passages import split_pages
from cosmonapse.demo.retrieval import Index, NoFullTextSearch, content_words

PASSAGES = split_pages(load_pages())
INDEX = Index(PASSAGES)
TERMS = [p.heading[0] for p in PASSAGES if p.page == "glossary.md" and p.heading]

REQUIRED_TERMS = """Neuron|Axon|Dendrite|Synapse|Signal|Pathway|Doppler|Prism|TASK|AGENT_OUTPUT
|ERROR|CLARIFICATION|THOUGHT_DELTA|REGISTER|HEARTBEAT|DEREGISTER|Namespace|Capability|Replica|Trace
|Instance id|Connection id|Roster|Ledger|Bounce|Drain|Deadline|Attempt|Back-pressure
|High-water mark|Slow joiner|Directed plane|Broadcast plane|Head|Body|Frame|Message|Topic|Heartbeat
|Resync""".replace("\n", "").split("|")

PARAPHRASES = {
    "how do replicas share work?": "How do replicas share the work?",
    "what happens when a worker dies?": "What happens when a worker dies?",
    "What happens if the worker crashes?": "What happens when a worker dies?",
    "When do I get WORKER_LOST?": "What happens when a worker dies?",
    "what of open tasks when the synapse restarts?": "What happens when the Synapse restarts?",
    "What does NO_SUCH_NEURON mean?": "What happens when nobody serves the neuron?",
    "when do I get overloaded?": "What happens when a worker is overloaded?",
    "Does it store messages on disk?": "Does it write anything to disk?",
    "Can I stop a worker without losing anything?": "How do I stop a worker without losing work?",
    "Is watching the same as waiting?": "What is the difference between waiting and watching?",
    "Why do topics end with a slash?": "Topic",
    "Do streamed thoughts arrive in order?": "THOUGHT_DELTA",
    "Is the Synapse a single point of failure?": "Is the Synapse a single point of failure?",
    "What is the default port?": "On which port does the Synapse listen?",
    "Does the Synapse decode payloads?": "Synapse",
    "How do I get streaming output?": "How does streaming work?",
    "What happens if the queue is full?": "Back-pressure",
    "Which port does the Synapse listen on?": "On which port does the Synapse listen?",
    "Are tasks retried?": "Are tasks retried automatically?",
    "Is it safe on the internet?": "Is it secure?",
    "Is Cosmonapse a queue broker?": "Is it a queue broker?",
    "How does a Dendrite talk to the Synapse?": "Dendrite",
    "Explain the high water mark, please": "High-water mark",
    "Tell me about thought deltas": "THOUGHT_DELTA",
    "what are axons": "Axon",
}

UNRELATED = [
    "Who won the world cup in 1998?",
    "What is the capital of France?",
    "How do I bake bread?",
    "What is the meaning of life?",
    "What time is it?",
    "What is the time in Tokyo?",
    "How many neurons does the human brain have?",
    "How do I train a neural network?",
    "What's the weather like today?",
    "How do I write a for loop in Python?",
    "What is 2 + 2?",
    "What is the deadline for filing taxes?",
    "How do I lose weight?",
    "What is the answer to everything?",
    "What is a language model?",
    "What is the name of the team?",
    "What is Kubernetes?",
    "Tell me a joke",
    "Who are you?",
    "How do I send a message to my mother?",
    "How do people work?",
    "日本の首都は?",
    "???",
    "",
]


def test_the_glossary_has_every_required_term():
    assert set(REQUIRED_TERMS) <= set(TERMS)


def test_no_term_stands_twice_in_the_glossary():
    assert len(TERMS) == len(set(TERMS))


@pytest.mark.parametrize("form", ["What is a {}?", "What is an {}?", "what's the {}", "{}"])
@pytest.mark.parametrize("term", TERMS)
def test_a_term_asked_for_by_name_gets_its_own_section(term, form):
    match = INDEX.best(form.format(term))

    assert match is not None
    assert (match.page, match.passage.heading) == ("glossary.md", (term,))


@pytest.mark.parametrize("term", TERMS)
def test_the_first_sentence_of_a_section_names_its_term(term):
    section = next(p for p in PASSAGES if p.heading == (term,))

    assert set(content_words(term)) <= set(content_words(section.sentences[0]))


@pytest.mark.parametrize("term", TERMS)
def test_a_section_of_the_glossary_is_one_paragraph_of_two_to_five_sentences(term):
    sections = [p for p in PASSAGES if p.heading == (term,)]

    assert [2 <= len(p.sentences) <= 5 for p in sections] == [True]


@pytest.mark.parametrize(("question", "heading"), PARAPHRASES.items())
def test_a_paraphrased_question_gets_the_passage_about_it(question, heading):
    match = INDEX.best(question)

    assert match is not None
    assert match.passage.heading[-1] == heading


@pytest.mark.parametrize("question", UNRELATED)
def test_an_unrelated_question_gets_nothing(question):
    assert INDEX.best(question) is None


def test_a_passage_off_the_subject_answers_only_if_it_has_all_of_two_words_or_more():
    index = Index(split_pages({"p.md": "## Foxes\nQuick red animals.\n\n## Dogs\nQuick pets."}))

    assert index.best("red animals?") is not None
    assert index.best("red?") is None
    assert index.best("red animals as pets?") is None


def test_a_known_term_does_not_excuse_a_word_the_pages_never_use():
    assert INDEX.best("What is a Dendrite?") is not None
    assert INDEX.best("What is a Dendrite in botany?") is None


def test_a_question_that_is_the_heading_of_a_long_section_gets_its_first_paragraph():
    match = INDEX.best("How does a question cross the fabric?")

    assert match is not None
    assert match.passage.sentences[0].startswith("A question becomes a TASK")


def test_an_index_without_passages_answers_nothing():
    assert Index([]).best("What is a Dendrite?") is None


def test_a_question_of_many_unknown_words_is_dismissed_unranked():
    assert INDEX.best(" ".join(f"word{n}" for n in range(20_000))) is None


def test_a_heading_weighs_more_than_the_text_below_it():
    pages = {"p.md": "## Foxes\nRed and quick dogs.\n\n## Dogs\nRed and quick foxes."}

    match = Index(split_pages(pages)).best("red foxes")

    assert match is not None
    assert match.passage.heading == ("Foxes",)


@pytest.mark.parametrize(
    "forms",
    [
        "reply replies replied answer answering",
        "share shares shared sharing",
        "drop drops dropped dropping",
        "queue queues queued",
        "process processes processed processing",
        "die dies died dying crash crashed",
        "lose loses lost losing",
        "axon axons",
    ],
)
def test_every_form_of_a_word_finds_every_other(forms):
    each = forms.split()

    indexes = [Index(split_pages({"p.md": f"## {form}\nText."})) for form in each]

    assert all(index.best(f"What is {form}?") for index in indexes for form in each)


@pytest.mark.parametrize(
    ("word", "other"), [("status", "stat"), ("string", "str"), ("address", "add"), ("axis", "ax")]
)
def test_a_word_that_only_looks_inflected_is_another_word(word, other):
    index = Index(split_pages({"p.md": f"## {word}\nText."}))

    assert index.best(f"What is {word}?") is not None
    assert index.best(f"What is {other}?") is None


def test_a_name_with_underscores_counts_as_its_words_and_as_one():
    assert content_words("What is WORKER_LOST?") == ["worker", "lost", "worker_lost"]


def test_quotes_and_operators_of_the_search_are_words_like_others():
    assert INDEX.best('Dendrite" OR "NEAR(') is None
    assert INDEX.best('What is a "Dendrite"?') is not None


def test_a_question_of_all_words_of_the_pages_is_answered_or_not_but_no_error():
    everything = " ".join(passage.text for passage in PASSAGES)

    assert INDEX.best(everything) is None


def test_an_index_serves_several_threads():
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(INDEX.best, ["What is an Axon?"] * 20))

    assert {match and match.passage.heading for match in found} == {("Axon",)}


def test_an_sqlite_without_full_text_search_is_told_with_what_to_do(monkeypatch):
    monkeypatch.setattr(module, "_TABLES", "CREATE VIRTUAL TABLE passages USING fts0(body)")

    with pytest.raises(NoFullTextSearch, match="HF_TOKEN"):
        Index([])
