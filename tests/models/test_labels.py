"""The vocabulary is the label guide's, in its order, and importing it is cheap."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from models.examples import CORPUS
from models.labels import (
    ALL_LABELS,
    CUES,
    EMOTIONS,
    FAILING_MOVES,
    MOVES,
    MUST_NOT_MISS,
    ROLE_LABELS,
    STEPS,
    scored_role,
)

FIXTURES = Path(__file__).parent / "fixtures"
GUIDE = (CORPUS / "LABELS.md").read_text("utf-8")


def _between(first: str, last: str) -> str:
    return GUIDE.split(first)[1].split(last)[0]


def test_labels_are_the_guides() -> None:
    assert list(EMOTIONS) == re.findall(r"`(\w+)`", _between("## 1.", "## 2."))
    assert list(CUES) == re.findall(r"^\| `(\w+)` \|", _between("## 3.", "## 4."), re.M)
    assert list(MOVES) == re.findall(r"^\| `(\w+)` \|", _between("## 4.", "## 5."), re.M)
    assert list(STEPS) == re.findall(r"`(m\d\d_\w+)`", _between("## 5.", "## 6."))
    assert len(set(ALL_LABELS)) == len(ALL_LABELS) == 84


def test_roles() -> None:
    assert ROLE_LABELS["customer"] == CUES
    assert ROLE_LABELS["agent"] == MOVES
    assert set(ROLE_LABELS["manager"]) == set(STEPS) | set(FAILING_MOVES)
    assert set(MUST_NOT_MISS) < set(CUES)
    roles = [scored_role(role) for role in ("customer", "agent", "manager", "bot", "unknown", "")]
    assert roles == ["customer", "agent", "manager", "agent", "customer", "customer"]


def test_importing_the_package_imports_no_torch() -> None:
    modules = "models, models.labels, models.types, models.language, models.worker, models.directory, models.examples"
    code = f"import {modules}, sys; sys.exit(any(m in sys.modules for m in ('torch', 'transformers', 'numpy')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def _check(*files: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(CORPUS / "check_corpus.py"), *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("folder", [CORPUS / "utterances", CORPUS / "calls", FIXTURES], ids=lambda path: path.name)
def test_labelled_lines_follow_the_guide(folder: Path) -> None:
    files = sorted(folder.glob("*.jsonl"))
    assert files
    checked = _check(*files)
    assert checked.returncode == 0, checked.stdout[-2000:]


def test_the_checker_finds_what_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text('{"lang":"en","role":"agent","text":"Hello","labels":["insult"]}\n', "utf-8")
    checked = _check(path)
    assert checked.returncode == 1
    assert "'insult' is not a agent label" in checked.stdout
