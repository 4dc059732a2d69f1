"""The line of state tells one story at a time: the one that matters most."""

import pytest
import pytest_asyncio

pytestmark = pytest.mark.asyncio(loop_scope="session")
NOW = 1_700_000_000.0
URL = "cosmo://one:7070"
RUN = "async (facts) => (await import('/static/js/stateline.js')).story(facts)"
LIVE = {"url": URL, "mode": "live", "replay": None}
STREAM = {"wantsToken": False, "displacedBy": None, "downSince": None}
WELL = {
    "hello": LIVE,
    "stream": STREAM,
    "liveSince": NOW - 60,
    "missed": 0,
    "missedAt": None,
    "prismMissed": 0,
    "prismMissedAt": None,
    "pausedAt": None,
    "waiting": 0,
    "at": NOW,
    "tabAt": NOW,
}
# The worst first: each must be told although everything below it is true as well.
TROUBLES = {
    "Prism wants its token": {"stream": {**STREAM, "wantsToken": True, "downSince": NOW}},
    "This tab made room for a newer one: Prism shows 64 at a time": {
        "stream": {**STREAM, "displacedBy": 64, "downSince": NOW}
    },
    "Prism is gone since": {"stream": {**STREAM, "downSince": NOW - 12}},
    "The Synapse is gone since": {
        "synapse": {"connected": False, "since_ts": NOW - 31, "reason": "refused"}
    },
    "The fabric warns: two lead": {"synapse": {"warning": "two lead"}},
    "The Synapse that leads is leaving": {"synapse": {"role": "leaving"}},
    "Without a standby that answers: cosmo://two:7070 is silent": {
        "synapse": {"peers": [{"url": "cosmo://two:7070", "role": "silent"}]}
    },
    "Prism is behind": {"behind": {"seconds": 4}},
    "This tab missed 1,200 Signals": {"missed": 1200, "missedAt": NOW - 5},
    "Prism missed 1 Signal,": {"prismMissed": 1, "prismMissedAt": NOW - 5},
    "Paused at": {"pausedAt": NOW - 3, "waiting": 2},
}


def facts(*troubles):
    """Return the facts of a page with these troubles, the first one over the others."""
    synapse = {"url": URL, "connected": True, "warning": "", "role": "", "peers": []}
    state = {"synapse": synapse, "behind": None}
    found = {**WELL, "state": state}
    for trouble in reversed(troubles):
        state["synapse"] = {**state["synapse"], **trouble.get("synapse", {})}
        state["behind"] = trouble.get("behind", state["behind"])
        found |= {key: trouble[key] for key in trouble.keys() - {"synapse", "behind"}}
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def tell(browser, stage):
    """Tell the story of some facts."""
    page = await browser.new_page()
    await page.goto(stage.page_url)
    yield lambda found: page.evaluate(RUN, found)
    await page.close()


@pytest.mark.parametrize("told", TROUBLES)
async def test_a_trouble_is_told_alone(tell, told):
    story = await tell(facts(TROUBLES[told]))

    assert story["text"].startswith(told)
    assert story["level"] in {"bad", "warn", "calm"}


async def test_of_two_troubles_only_the_worse_one_is_told(tell):
    names = list(TROUBLES)
    for at, name in enumerate(names):
        below = [TROUBLES[each] for each in names[at + 1 :]]

        assert (await tell(facts(TROUBLES[name], *below)))["text"].startswith(name)


async def test_when_all_is_well_the_line_says_so(tell):
    story = await tell(facts())

    assert story["level"] == "well"
    assert "the fabric is well" in story["text"]


async def test_a_standby_that_leads_is_no_trouble_and_is_told(tell):
    listed = {**LIVE, "url": f"{URL},two:7070"}
    led = {"hello": listed, "synapse": {"role": "leader", "counters": {"url": "cosmo://two:7070"}}}

    story = await tell(facts(led))

    assert story["level"] == "well"
    assert "the fabric is well, a standby leads (two:7070)" in story["text"]


async def test_before_the_first_word_of_prism_nothing_is_claimed(tell):
    story = await tell({**facts(), "hello": None, "state": None})

    assert story == {"level": "calm", "text": "Connecting to Prism", "more": ""}


async def test_a_prism_that_never_answered_gets_other_words_than_one_that_went(tell):
    down = {**STREAM, "downSince": NOW - 9}

    story = await tell({**facts(), "hello": None, "state": None, "stream": down})

    assert "A browser opens six connections" in story["text"]


async def test_a_recording_has_no_synapse_that_could_be_gone(tell):
    replay = {"file": "night.cosmo", "from_ts": NOW - 90, "to_ts": NOW}
    gone = {"synapse": {"connected": False}, "hello": {**LIVE, "mode": "replay", "replay": replay}}

    story = await tell(facts(gone))

    assert story["text"].startswith("A recording, nothing of it is live: night.cosmo")


async def test_what_was_missed_is_told_for_a_minute(tell):
    story = await tell(facts({"missed": 7, "missedAt": NOW - 61}))

    assert story["level"] == "well"


async def test_the_reason_of_a_gone_synapse_is_told_on_one_line(tell):
    story = await tell(facts({"synapse": {"connected": False, "reason": "a\nb\u202e"}}))

    assert "(a↵b⟨202e⟩)" in story["text"]


async def test_how_long_it_lasts_is_apart_from_what_is_read_aloud(tell):
    story = await tell(facts(TROUBLES["The Synapse is gone since"]))

    assert story["more"] == "for 31 s"
    assert "31 s" not in story["text"]
