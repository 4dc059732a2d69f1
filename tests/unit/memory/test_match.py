"""Which entries are ranked for a query."""

from cosmonapse.memory.match import MAX_RANKED, Plan, phrases, planned


def test_a_query_becomes_phrases_without_anything_of_its_own():
    assert phrases('who is "zoe" AND (NEAR/3 *') == [
        *('"who"', '"is"', '"zoe"', '"and"', '"near"', '"3"'),
    ]
    assert phrases("!!!") == []
    assert phrases("京") == ['"京"*']


def test_rare_words_choose_and_common_ones_only_rank():
    plan = planned({'"the"': MAX_RANKED + 1, '"zoe"': 3, '"gone"': 0, '"cafe"': 10})

    assert plan == Plan(['"zoe"', '"cafe"'], ['"the"'])
    assert plan.expressions("s1", None)[0] == (
        '(terms : ("zoe" OR "cafe")) AND (space : "s1" OR terms : ("the"))'
    )


def test_words_that_are_too_many_together_are_common():
    plan = planned({'"a"': MAX_RANKED - 1, '"b"': MAX_RANKED})

    assert plan == Plan(['"a"'], ['"b"'])


def test_common_words_alone_are_looked_for_together_first():
    plan = planned({'"the"': MAX_RANKED + 1, '"of"': MAX_RANKED + 1})

    assert plan.expressions("s1", "s1") == [
        'space : "s1" AND terms : ("the" AND "of")',
        'space : "s1" AND terms : ("the" OR "of")',
    ]


def test_words_that_are_nowhere_are_not_looked_for():
    assert planned({'"gone"': 0}).expressions("s1", None) == []
