"""`becalm tune`: tables, the same figures as `becalm evaluate --set`, a proposal from feedback, and no file touched."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from monitor.config import load
from monitor.core.inputs import encode_record
from monitor.rules_loading import load_rules
from monitor.service.store import Store
from tests.cli.conftest import DEMO, Becalm, complaint
from tests.monitor.labelled import BAD, CALLS, SCORES
from tests.monitor.test_tuning import journal, risk_alert, said

ONE = ("--enter-at", "0.8", "--hold-for-s", "5", "--exit-at", "0.6")
_POLICY = load().core.policy
AS_IT_IS = ("--enter-at", str(_POLICY.enter_at), "--exit-at", str(_POLICY.exit_at))
SETS = ("--set", "policy.enter_at=0.8", "--set", "policy.hold_for_s=5", "--set", "policy.exit_at=0.6")


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A file of labelled calls, one of them without scores, and the scores of a perfect ear."""
    folder = tmp_path_factory.mktemp("labelled")
    calls, scores = folder / "calls.jsonl", folder / "scores"
    unheard = msgspec.structs.replace(BAD, call_id="unheard")
    calls.write_bytes(b"".join(msgspec.json.encode(call) + b"\n" for call in (*CALLS, unheard)))
    rows = [{"call_id": name, "turn": turn, **msgspec.to_builtins(score)} for (name, turn), score in SCORES.items()]
    scores.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return calls, scores


@pytest.fixture(scope="module")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the export of a call whose risk alert a supervisor called false."""
    folder = tmp_path_factory.mktemp("judged")
    alert = risk_alert(BAD, load_rules(load(), model_version="test"))
    lines = journal(BAD, said("bad", alert.alert_id, "false"))
    (folder / "bad.jsonl").write_bytes(b"".join(encode_record(line) + b"\n" for line in lines))
    return folder


def test_a_row_says_what_evaluate_says_under_that_setting(becalm: Becalm, labelled: tuple[Path, Path]) -> None:
    calls, scores = labelled
    tuned = becalm("tune", calls, "--scores", scores, "--json", *ONE)
    assert (tuned.returncode, tuned.stderr) == (0, b"")
    found = json.loads(tuned.stdout)["labelled"]
    assert found["left_out"] == 1
    configured, row = found["rows"]
    assert (configured["enter_at"], row["enter_at"]) == (load().core.policy.enter_at, 0.8)
    measured = json.loads(becalm("evaluate", "--calls", calls, "--scores", scores, "--json", *SETS).stdout)
    assert row["figures"] == {name: measured["alerts"][name] for name in row["figures"]}
    assert measured["policy"]["enter_at"] == 0.8


def test_the_table_and_the_picture(becalm: Becalm, labelled: tuple[Path, Path], tmp_path: Path) -> None:
    calls, scores = labelled
    picture = tmp_path / "trade.png"
    ran = becalm("tune", calls, "--scores", scores, "--png", picture, *ONE)
    said_ = ran.stdout.decode()
    assert ran.returncode == 0
    assert "labelled calls: 1 bad, 1 quiet, 1 watched; 1 left out for want of scores" in said_
    assert "* as configured" in said_
    assert len([line for line in said_.splitlines() if "100.0%" in line]) == 2
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_feedback_gives_a_proposal_and_nothing_is_written(becalm: Becalm, judged: Path) -> None:
    """The call is bad by its two hot turns, so no threshold spares the alert, but a hold outlasts the call."""
    before = sorted(judged.iterdir())
    ran = becalm("tune", judged, *AS_IT_IS, "--hold-for-s", "0,600")
    lines = ran.stdout.decode()
    assert ran.returncode == 0
    assert "recorded calls: 1; alerts judged by supervisors: 1" in lines
    assert "  [policy]\n  hold_for_s = 600.0\n" in lines
    assert "before       0 of 0      0 of 1        0 of 0" in lines
    assert "after        0 of 0      1 of 1        0 of 0" in lines
    assert sorted(judged.iterdir()) == before


def test_without_a_better_setting_it_says_so(becalm: Becalm, judged: Path) -> None:
    ran = becalm("tune", judged, "--json", *AS_IT_IS, "--hold-for-s", "0")
    proposal = json.loads(ran.stdout)["recorded"]["proposal"]
    assert proposal["toml"] == []
    assert proposal["before"] == proposal["after"]
    plain = becalm("tune", judged, *AS_IT_IS, "--hold-for-s", "0").stdout.decode()
    assert "proposal: keep the settings" in plain


def test_the_feedback_of_a_database_is_read_with_its_calls(becalm: Becalm, judged: Path, tmp_path: Path) -> None:
    database = tmp_path / "calls.db"
    journal_ = [line for line in (judged / "bad.jsonl").read_text("utf-8").splitlines() if "alert.action" not in line]
    assert becalm("import", "-", "--db", database, stdin="\n".join(journal_)).returncode == 0
    store = Store.open(str(database))
    alert = risk_alert(BAD, load_rules(load(), model_version="test"))
    store.add_annotation("bad", "feedback", '{"verdict":"true","note":""}', "anna", alert.alert_id)
    store.close()
    ran = becalm("tune", "--db", database, "--json", *ONE)
    assert (ran.returncode, ran.stderr) == (0, b"")
    found = json.loads(ran.stdout)["recorded"]
    assert found["verdicts"] == [{"call_id": "bad", "said": "true", "kind": "risk", "at_s": alert.at_s}]
    assert found["proposal"]["toml"] == []
    assert becalm("tune", "--db", tmp_path / "none.db").returncode == 1


@pytest.mark.parametrize(
    ("words", "status", "said_"),
    [
        (["nothing.jsonl"], 1, "nothing.jsonl: No such file or directory"),
        ([DEMO, "--enter-at", "1.5"], 2, "--enter-at: is 1.5, outside 0 to 1"),
        ([DEMO, "--enter-at", "high"], 2, "argument --enter-at"),
        ([], 2, "name a folder, files or --db"),
        ([DEMO, "--scores", "x"], 2, "--scores goes with labelled calls"),
    ],
)
def test_what_cannot_be_used_is_named(becalm: Becalm, words: list[str | Path], status: int, said_: str) -> None:
    ran = becalm("tune", *words)
    assert ran.returncode == status
    assert said_ in complaint(ran)


def test_an_empty_folder_is_named(becalm: Becalm, tmp_path: Path) -> None:
    ran = becalm("tune", tmp_path)
    assert ran.returncode == 1
    assert "no .jsonl file in it" in complaint(ran)
