"""`becalm evaluate` over a few labelled lines, and on what it cannot read."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Becalm, complaint

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
    assert "nothing.jsonl: No such file or directory" in complaint(ran)
