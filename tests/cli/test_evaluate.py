"""`becalm evaluate` over a few labelled lines, and on what it cannot read."""

import json
from pathlib import Path

import msgspec
import pytest

from tests.cli.conftest import Becalm, complaint
from tests.monitor.labelled import CALLS, SCORES

LINES = [
    {
        "lang": "en",
        "role": "customer",
        "text": "I shall report you to the ombudsman, you crooks!",
        "emotions": ["anger"],
        "heat": 4,
        "labels": ["threat_regulator", "threat_complaint", "insult"],
    },
    {
        "lang": "en",
        "role": "customer",
        "text": "Good morning, I would like to change my address.",
        "emotions": [],
        "heat": 0,
        "labels": [],
    },
    {"lang": "de", "role": "agent", "text": "Ich verbinde Sie mit der Technik.", "labels": ["cold_transfer"]},
]


@pytest.fixture
def labelled(tmp_path: Path) -> Path:
    path = tmp_path / "turns.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in LINES), "utf-8")
    return path


def test_it_measures_a_file(becalm: Becalm, labelled: Path) -> None:
    ran = becalm("evaluate", "--json", str(labelled))
    assert ran.returncode == 0
    turns = json.loads(ran.stdout)["turns"]
    assert turns["examples"] == 3
    assert turns["look_alikes"]["harmless"] == 1
    assert turns["labels"]["insult"]["recall"] == 1.0, "the pack finds it"
    assert set(turns["languages"]) == {"de", "en"}
    assert {"cues.f1", "heat.mae"} <= set(turns["intervals"])


def test_a_person_can_read_it(becalm: Becalm, labelled: Path) -> None:
    ran = becalm("evaluate", "--labels", str(labelled))
    assert ran.returncode == 0
    assert "threats, safety, requests:" in ran.stdout.decode()
    assert "insult" in ran.stdout.decode()


def test_without_a_file_the_card_speaks(becalm: Becalm) -> None:
    ran = becalm("evaluate", "--json")
    assert ran.returncode == 0
    assert json.loads(ran.stdout)["utterances"]["cues"]["f1"] > 0


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "not JSON"),
        ('{"lang":"en","role":"agent","labels":[]}', "no labelled turn or call, 'text' is missing"),
        ("[]", "no labelled turn or call"),
    ],
)
def test_a_wrong_line_is_named(becalm: Becalm, tmp_path: Path, line: str, said: str) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(json.dumps(LINES[0]) + "\n" + line + "\n", "utf-8")
    ran = becalm("evaluate", str(path))
    assert ran.returncode == 1
    assert f"{path}:2: {said}" in complaint(ran)


def test_a_missing_file_is_named(becalm: Becalm) -> None:
    ran = becalm("evaluate", "nothing.jsonl")
    assert ran.returncode == 1
    assert complaint(ran) == "becalm evaluate: nothing.jsonl: No such file or directory"


@pytest.fixture(scope="module")
def called(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Labelled calls and the scores of a perfect ear for them."""
    folder = tmp_path_factory.mktemp("called")
    calls, scores = folder / "calls.jsonl", folder / "scores.jsonl"
    calls.write_bytes(b"".join(msgspec.json.encode(call) + b"\n" for call in CALLS))
    rows = [{"call_id": name, "turn": turn, **msgspec.to_builtins(score)} for (name, turn), score in SCORES.items()]
    scores.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return calls, scores


def test_calls_are_measured_beside_the_markets_rules(becalm: Becalm, called: tuple[Path, Path]) -> None:
    calls, scores = called
    ran = becalm("evaluate", "--calls", calls, "--scores", scores, "--json")
    assert (ran.returncode, ran.stderr) == (0, b"")
    found = json.loads(ran.stdout)
    assert (found["alerts"]["calls"], found["alerts"]["told"], found["left_out"]) == (3, 1.0, 0)
    assert found["market_rules"][0]["rule"] == "Becalm"
    plain = becalm("evaluate", "--calls", calls, "--scores", scores).stdout.decode()
    assert "calls: 3 (1 bad, 1 quiet, 1 watched)" in plain
    assert "bad calls told in time" in plain
    assert "mean of the last six, as noisy as Becalm" in plain


def test_without_scores_the_configured_model_hears_the_calls(becalm: Becalm, called: tuple[Path, Path]) -> None:
    ran = becalm("evaluate", "--calls", called[0], "--json")
    assert ran.returncode == 0
    found = json.loads(ran.stdout)
    assert found["alerts"]["calls"] == 3
    assert found["scores"] != str(called[1])


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["--scores", "x"], 2, "go with --calls"),
        (["turns.jsonl", "--calls", "x"], 2, "--calls stands alone"),
        (["--calls", "nothing.jsonl"], 1, "nothing.jsonl: No such file or directory"),
    ],
)
def test_calls_that_cannot_be_measured(becalm: Becalm, words: list[str], status: int, said: str) -> None:
    ran = becalm("evaluate", *words)
    assert (ran.returncode, said in complaint(ran)) == (status, True)


def test_a_wrong_call_is_named(becalm: Becalm, called: tuple[Path, Path], tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    path.write_text(json.dumps(LINES[0]) + "\n", "utf-8")
    ran = becalm("evaluate", "--calls", path, "--scores", called[1])
    assert ran.returncode == 1
    assert f"{path}:1: no labelled call: Object missing required field `call_id`" in complaint(ran)
    ran = becalm("evaluate", "--calls", called[0], "--scores", path)
    assert f"{path}: no scores of turns" in complaint(ran)
