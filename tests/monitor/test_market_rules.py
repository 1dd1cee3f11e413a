"""The market's rules on turns whose answer is known, and beside Becalm on the same calls."""

from __future__ import annotations

import pytest

from models.types import Score
from monitor.core.rules import Rules
from monitor.labelled_calls import run
from monitor.market_rules import RULES, Heard, compare, customer_turns, mean_of_last, running, sentiment, trailing
from tests.monitor.labelled import BAD, CALLS, QUIET, SCORES, WATCHED


def turns(*sentiments: float, every_s: float = 10.0) -> list[Heard]:
    return [Heard(2 * i, (i + 1) * every_s, value, False) for i, value in enumerate(sentiments)]


@pytest.mark.parametrize(
    ("emotions", "heat", "expected"),
    [({}, None, 0.0), ({"joy": 0.9}, 0.0, 0.9), ({"anger": 0.3, "fear": 0.6}, 1.0, -0.6), ({"anger": 0.1}, 4.0, -1.0)],
)
def test_sentiment_comes_from_emotions_and_heat(
    emotions: dict[str, float], heat: float | None, expected: float
) -> None:
    assert sentiment(Score(emotions, heat, {}, b"")) == expected


def test_running_turns_are_as_bad_as_the_mildest() -> None:
    assert running(2)(turns(-0.9, -0.6, 0.1)) == [(2, -0.6), (4, 0.1)]
    assert running(3)(turns(-0.9, -0.6)) == []


def test_a_window_says_nothing_before_it_is_full() -> None:
    levels = trailing(30.0)(turns(-1.0, -1.0, -0.4, 0.4))
    assert [turn for turn, _ in levels] == [4, 6]
    assert [level for _, level in levels] == pytest.approx([-0.8, -1.0 / 3])


def test_the_mean_of_six_takes_what_there_is() -> None:
    levels = mean_of_last(6)(turns(-1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.5))
    assert [level for _, level in levels] == pytest.approx([-1.0, -0.5, -1 / 3, -0.25, -0.2, -1 / 6, 0.5 / 6])


def test_keywords_are_the_packs_threats_and_wishes(rules: Rules) -> None:
    words = [heard.keyword for call in (BAD, QUIET, WATCHED) for heard in customer_turns(call, SCORES, rules)]
    assert words == [False, False, False, True, False, False, True, False]


def test_a_turn_without_a_score_is_neutral(rules: Rules) -> None:
    assert {heard.sentiment for heard in customer_turns(BAD, {}, rules)} == {0.0}


def test_becalm_and_every_rule_stand_in_one_table(rules: Rules) -> None:
    rows = compare([run(call, rules, SCORES) for call in CALLS], SCORES, rules)
    assert len(rows) == 1 + len(RULES) + sum(rule.tunable for rule in RULES)
    found = {row["rule"]: row for row in rows}
    assert found["Becalm"]["told"] == 1.0
    assert found["two negative turns running"] == {
        "rule": "two negative turns running",
        "cut": -0.5,
        "told": 1.0,
        "in_time": 1.0,
        "false_per_ten_quiet_calls": 0.0,
    }
    assert found["keyword list"]["told"] == 1.0
    assert found["keyword list"]["in_time"] == 0.0, "the wish for a superior comes long after"


def test_the_cut_of_equal_noise_is_the_loosest_that_is_no_noisier(rules: Rules) -> None:
    """Becalm alerts on no quiet call, so the cut lies just under the worst standing of the quiet call."""
    rows = {row["rule"]: row for row in compare([run(call, rules, SCORES) for call in CALLS], SCORES, rules)}
    row = rows["mean of the last six, as noisy as Becalm"]
    worst = min(level for _, level in mean_of_last(6)(customer_turns(QUIET, SCORES, rules)))
    assert row["cut"] == pytest.approx(worst, abs=2e-6)
    assert row["false_per_ten_quiet_calls"] == 0.0
