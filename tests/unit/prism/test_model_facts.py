"""What a trace has asked of models, and what it has cost."""

import json

import pytest

from cosmonapse.prism.model_facts import BadPrices, ModelFacts, Prices, tells_of_a_model
from cosmonapse.prism.price_file import read_prices

TABLE = {"currency": "EUR", "models": {"big*": {"in": 2, "out": 8}, "big-2": {"in": 1, "out": 4}}}


def answer(model="big-1", read=1_000_000, written=500_000, **more):
    usage = {"prompt_tokens": read, "completion_tokens": written}
    return {"response": "x", "model": model, "usage": usage, **more}


def view(*answers, ran_ms=None, prices=None, retries=0):
    facts = ModelFacts()
    for each in answers:
        facts.add(each, ran_ms, prices)
    return facts.view(prices, retries)


def test_the_tokens_of_all_answers_count_together():
    told = view(answer(finish_reason="length"), answer("other"), retries=2)

    assert told == {
        "models": ["big-1", "other"],
        "tokens_in": 2_000_000,
        "tokens_out": 1_000_000,
        "tokens_per_s": None,
        "cost": None,
        "currency": None,
        "finish_reason": "length",
        "retries": 2,
    }


def test_the_speed_is_that_of_all_answers_whose_time_is_known():
    assert view(answer(written=300), answer(written=100), ran_ms=2_000)["tokens_per_s"] == 100.0


@pytest.mark.parametrize("ran_ms", [0, -1, True, "7", 2**70, 1.5])
def test_a_time_that_is_none_gives_no_speed(ran_ms):
    assert view(answer(), ran_ms=ran_ms)["tokens_per_s"] is None


def test_a_price_is_that_of_the_whole_name_or_of_the_longest_beginning():
    prices = Prices.of(TABLE, "table")

    assert view(answer("big-1"), prices=prices)["cost"] == 6.0
    assert view(answer("big-2"), prices=prices)["cost"] == 3.0
    assert view(answer("big-2"), prices=prices)["currency"] == "EUR"


def test_a_sum_of_some_answers_alone_is_not_told():
    prices = Prices.of(TABLE, "table")

    assert view(answer("big-1"), answer("unknown"), prices=prices)["cost"] is None


@pytest.mark.parametrize("value", [None, -1, True, "7", 1e9, 2**70, [], {}])
def test_a_model_may_say_anything(value):
    told = view({"model": value, "usage": {"prompt_tokens": value}, "finish_reason": value})

    assert told["tokens_in"] is None
    assert all(isinstance(each, str) for each in told["models"])


def test_other_outputs_tell_of_no_model():
    assert not tells_of_a_model({"response": "x"})
    assert not tells_of_a_model("x")
    assert tells_of_a_model({"usage": {}})


@pytest.mark.parametrize(
    "table",
    [
        None,
        [],
        {},
        {"models": {}},
        {"models": {"m": 3}},
        {"models": {"m": {"in": 1}}},
        {"models": {"m": {"in": -1, "out": 1}}},
        {"models": {"m": {"in": True, "out": 1}}},
        {"models": {"m": {"in": 1, "out": 1}}, "currency": 7},
    ],
)
def test_a_bad_table_is_one_line(table):
    with pytest.raises(BadPrices) as failed:
        Prices.of(table, "table.json")

    assert "table.json" in str(failed.value)
    assert "\n" not in str(failed.value)


def test_a_table_is_json_or_toml(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(TABLE))
    (tmp_path / "a.toml").write_text('currency = "EUR"\n[models]\n"big*" = {in = 2, out = 8}\n')

    for name in ("a.json", "a.toml"):
        assert read_prices(str(tmp_path / name)).price_of("big-9").written == 8.0


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "\x00"])
def test_a_file_that_is_no_table_is_one_line(tmp_path, text):
    (tmp_path / "bad.json").write_text(text)

    with pytest.raises(BadPrices) as failed:
        read_prices(str(tmp_path / "bad.json"))

    assert "bad.json" in str(failed.value)
    with pytest.raises(BadPrices, match="nowhere"):
        read_prices(str(tmp_path / "nowhere.json"))
