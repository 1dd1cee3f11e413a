"""Model and phrase packs vote: who wins when they differ, for a threat, a danger and a request."""

from __future__ import annotations

import pytest

from models.types import Score
from monitor.core.heard import SURELY_NOT, vote
from monitor.packs import Hit

NO = SURELY_NOT / 2
THREATS_NO = {"threat_complaint": NO, "threat_regulator": NO, "threat_media": NO, "threat_legal": NO}


def score(**labels: float) -> Score:
    return Score({}, 1.0, labels, b"", None)


def hit(label: str) -> Hit:
    return Hit(label, 3, 9, "en/must_report", "1")


@pytest.mark.parametrize(
    ("label", "no"),
    [("threat_media", THREATS_NO), ("self_harm", {"self_harm": NO}), ("ask_superior", {"ask_superior": NO})],
)
def test_a_phrase_of_which_the_model_is_sure_that_it_is_something_else_does_not_hold(
    label: str, no: dict[str, float]
) -> None:
    assert label not in vote(score(**no), [hit(label)])
    kept = vote(score(**{**no, label: SURELY_NOT}), [hit(label)])
    assert kept[label].score == 0.9, "in doubt the phrase holds"
    assert (kept[label].start, kept[label].end) == (3, 9)


@pytest.mark.parametrize("label", ["threat_media", "self_harm", "ask_superior", "insult"])
def test_a_model_that_is_late_or_knows_no_such_label_rules_out_nothing(label: str) -> None:
    assert label in vote(None, [hit(label)])
    assert label in vote(score(churn=0.2), [hit(label)])


def test_threats_are_one_kind_and_each_danger_is_its_own() -> None:
    assert "threat_media" in vote(score(**{**THREATS_NO, "threat_complaint": 0.3}), [hit("threat_media")])
    assert "threat_violence" not in vote(score(threat_violence=NO, self_harm=0.3), [hit("threat_violence")])


def test_what_the_packs_say_of_anything_else_is_never_ruled_out() -> None:
    assert "insult" in vote(score(**THREATS_NO, insult=0.0), [hit("insult")])
