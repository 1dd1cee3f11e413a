"""Wrong usage and failing work: one clear line on standard error, the right exit status, never a traceback."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from monitor import __version__
from monitor.cli.main import COMMANDS
from tests.cli.conftest import DEMO, Becalm, complaint

CALL = '{"type":"transcript","call_id":"c","segment_id":"1","role":"customer","text":"Hi","final":true,"start_s":0}'


def test_version_and_help(becalm: Becalm) -> None:
    assert becalm("--version").stdout.decode().strip() == f"becalm {__version__}"
    shown = becalm("--help").stdout.decode()
    assert all(f"    {name}" in shown for name in COMMANDS)


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_has_help(becalm: Becalm, command: str) -> None:
    ran = becalm(command, "--help")
    assert ran.returncode == 0
    assert f"becalm {command}" in ran.stdout.decode()


@pytest.mark.parametrize(
    "words",
    [
        [], ["fly"], ["replay"], ["replay", "x", "--fast"], ["score", "--role", "boss", "x"],
        ["send", "x", "--speed", "0"],
        ["token", "create", "a", "--role", "king"], ["erase"], ["export", "c", "--format", "pdf"],
        ["export", "c", "--db", "a", "--url", "b"], ["token", "list"], ["serve", "--port", "99999"],
        ["replay", str(DEMO / "01-polite-must-report.jsonl"), "--set", "nonsense"],
    ],
)  # fmt: skip
def test_wrong_usage_is_status_2(becalm: Becalm, words: list[str]) -> None:
    ran = becalm(*words)
    assert ran.returncode == 2
    assert complaint(ran).splitlines()[-1].startswith("becalm")
    assert ran.stdout == b""


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "{file}: No such file or directory"),
        (CALL + "\n{not json\n", "{file}:2: The frame is not JSON: send one JSON object in UTF-8."),
        (CALL.replace('"role":"customer",', ""), "{file}:1: The field role is missing: send one of customer,"),
        ("\n\n" + CALL.replace('"start_s":0', '"start_s":"soon"'), "{file}:3: The field start_s is not valid"),
        ('{"type":"tick"}', "{file}:1: Object missing required field `call_id`"),
    ],
)
@pytest.mark.parametrize("command", ["replay", "send"])
def test_a_bad_file_is_named_with_its_line(
    becalm: Becalm, tmp_path: Path, command: str, content: str | None, said: str
) -> None:
    file = tmp_path / "call.jsonl"
    if content is not None:
        file.write_text(content)
    ran = becalm(command, file)
    assert ran.returncode == 1
    assert complaint(ran).startswith(f"becalm {command}: {said.format(file=file)}")
    assert len(complaint(ran).splitlines()) == 1
    assert ran.stdout == b""


def test_bytes_that_are_no_text(becalm: Becalm) -> None:
    ran = becalm("replay", "-", stdin=b"\xff\xfe{}\n")
    assert (ran.returncode, complaint(ran)) == (
        1,
        "becalm replay: stdin:1: The frame is not UTF-8: send one JSON object in UTF-8.",
    )


def test_an_unknown_setting_comes_with_a_hint(becalm: Becalm, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text("[policy]\nenter = 0.7\n[curve]\nrise = 7\n")
    ran = becalm("check-config", file)
    assert ran.returncode == 1
    assert complaint(ran).splitlines() == [
        f"becalm check-config: {file}: policy.enter: is no setting (did you mean enter_at?)",
        f"becalm check-config: {file}: curve.rise: is 7, outside 0 to 1",
    ]


def test_the_bundled_configuration_has_nothing_wrong(becalm: Becalm) -> None:
    ran = becalm("check-config")
    assert (ran.returncode, complaint(ran)) == (0, "")


def test_check_config_looks_into_the_alerting_file(becalm: Becalm, tmp_path: Path) -> None:
    alerting = tmp_path / "alerting.toml"
    alerting.write_text('[[receiver]]\nname = "x"\nurl = "ftp://a"\nsecret = "s"\n')
    ran = becalm("check-config", "--set", f"alerting.file={alerting}")
    assert ran.returncode == 1
    assert "url: write a full address" in complaint(ran)


def test_tokens_are_made_listed_and_revoked(becalm: Becalm, tmp_path: Path) -> None:
    file = tmp_path / "tokens"
    made = becalm("token", "create", "anna", "--role", "supervisor", "--team", "billing", "--file", file)
    token = made.stdout.decode().strip()
    assert token.startswith("bcm_")
    assert token not in file.read_text()
    assert becalm("token", "list", "--file", file).stdout.decode().split("\t")[:3] == ["anna", "supervisor", "billing"]
    assert becalm("token", "create", "anna", "--role", "qa", "--file", file).returncode == 1
    assert becalm("token", "revoke", "anna", "--file", file).returncode == 0
    gone = becalm("token", "revoke", "anna", "--file", file)
    assert gone.returncode == 1
    assert "no token named 'anna'" in complaint(gone)


@pytest.mark.parametrize("words", [["export", "c"], ["erase", "--call", "c", "--yes"]])
def test_a_database_that_is_not_there_is_not_made(becalm: Becalm, tmp_path: Path, words: list[str]) -> None:
    ran = becalm(*words, "--db", tmp_path / "none.db")
    assert ran.returncode == 1
    assert "there is no database" in complaint(ran)
    assert list(tmp_path.iterdir()) == []


def test_nobody_is_there(becalm: Becalm) -> None:
    ran = becalm("send", DEMO / "11-calm-chat.jsonl", "--url", "http://127.0.0.1:1")
    assert ran.returncode == 1
    assert "cannot connect; is `becalm serve` running there?" in complaint(ran)


def test_score_reads_texts_and_corpus_lines(becalm: Becalm) -> None:
    lines = 'You people are crooks, I want my money back now!\n{"text":"Hvala.","role":"customer","lang":"hr"}\n...\n'
    ran = becalm("score", "--json", stdin=lines)
    assert ran.returncode == 0
    results = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [result["language"] for result in results] == ["en", "hr", None]
    assert set(results[0]) == {"language", "emotions", "heat", "labels", "abstained", "scores"}
    crooks = next(hit for hit in results[0]["labels"] if hit["name"] == "insult")
    assert "crooks" in lines[crooks["start"] : crooks["end"]]
    assert crooks["pack"] == "en/insults"
    assert results[0]["heat"] > results[1]["heat"]
    assert results[2]["abstained"] == "too_little_text"


def test_score_names_the_line_that_is_wrong(becalm: Becalm) -> None:
    ran = becalm("score", stdin='fine\n{"txt":"x"}\n')
    assert (ran.returncode, complaint(ran)) == (1, "becalm score: stdin:2: Object missing required field `text`")


def test_score_answers_every_line_in_its_place(becalm: Becalm) -> None:
    """Blank lines too, so that the nth line out is about the nth line in."""
    ran = becalm("score", "--json", stdin="\nThank you so much\n   \naaaaaaa\n\nasdf qwer zxcv\n")
    assert ran.returncode == 0
    abstained = [json.loads(line)["abstained"] for line in ran.stdout.splitlines()]
    little = "too_little_text"
    assert abstained == [little, None, little, little, little, "unknown_language"]


def test_score_abstains_where_a_live_call_does(becalm: Becalm) -> None:
    lines = '{"text":"Hoe lang moet ik nog wachten, boeven!","lang":"nl-NL"}\n{"text":"Hvala lijepa.","lang":"hr_HR"}\n'
    ran = becalm("score", "--json", stdin=lines)
    dutch, croatian = [json.loads(line) for line in ran.stdout.splitlines()]
    assert (dutch["language"], dutch["abstained"]) == ("nl", "unsupported_language")
    assert (dutch["heat"], dutch["emotions"], dutch["scores"]) == (None, {}, {})
    assert (croatian["language"], croatian["abstained"]) == ("hr", None)
    told = becalm("score", "--language", "nl", "Hoe lang moet ik nog wachten")
    assert "abstained: unsupported_language" in told.stdout.decode()


@pytest.mark.parametrize(("field", "value"), [("role", "boss"), ("channel", "fax")])
def test_score_names_a_role_or_channel_that_is_none(becalm: Becalm, field: str, value: str) -> None:
    ran = becalm("score", stdin="fine\n" + json.dumps({"text": "x", field: value}) + "\n")
    assert ran.returncode == 1
    assert complaint(ran).startswith(f"becalm score: stdin:2: the {field} '{value}' is unknown: write one of ")
    assert ran.stdout == b""
