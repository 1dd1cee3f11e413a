"""Calls whose authors saw the label guide only: they trained nothing, so what the shipped ear and risk make of them is
what a new customer would see. The floors lie under the measured figures (models/default/README.md)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from models.ear import load as load_ear
from models.examples import CORPUS, calls, fold, utterances
from monitor.config import load
from monitor.evaluation import evaluate_calls
from monitor.labelled_calls import LabelledCall, Run, decode_call, questions, run
from monitor.rules_loading import load_rules

FILES = sorted((Path(__file__).parent / "held").glob("*.jsonl"))
LINES = [line for path in FILES for line in path.read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def runs() -> list[Run]:
    config = load()
    ear = load_ear(config.model_dir, config.label_map, 2, "float32")
    rules = load_rules(config, ear.version)
    held: list[LabelledCall] = [decode_call(line) for line in LINES]
    asked = {where: item for call in held for where, item in questions(call, rules).items()}
    scores = {
        (call_id, int(segment)): score
        for (call_id, segment), score in zip(asked, ear.score(list(asked.values())), strict=True)
    }
    return [run(call, rules, scores) for call in held]


def test_nothing_of_it_is_in_the_corpus() -> None:
    known = {fold(one.input.text) for one in utterances(CORPUS)}
    known |= {fold(turn["text"]) for call in calls(CORPUS) for turn in call["turns"]}
    told = [fold(turn["text"]) for line in LINES for turn in json.loads(line)["turns"]]
    assert len(LINES) == 92
    assert not {text for text in told if len(text) > 40} & known


def test_bad_calls_are_told_and_quiet_ones_stay_quiet(runs: list[Run]) -> None:
    found = evaluate_calls(runs)
    assert found["told"] >= 0.8
    assert found["in_time"] >= 0.35
    assert found["false_per_quiet_call"] <= 0.2
    assert found["must_report_on_the_turn"] >= 0.8
    assert found["must_report_false_per_call"] <= 0.1
    assert found["brier_end"] <= 0.1
