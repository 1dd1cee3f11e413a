"""The classifier in a process of its own: the same scores, and it comes back when it is killed."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.directory import DEFAULT, ModelError
from models.process import EarProcess
from models.scorer import Scorer
from models.types import ScoreInput
from tests.bench.processes import family

TURNS = [
    ScoreInput("This is the third time I call about the same bill!", "customer"),
    ScoreInput("我已经打了三次电话了，你们到底什么时候才能解决？", "customer", "请稍等。"),
    ScoreInput("...", "customer"),
]


@pytest.fixture(scope="module")
def ear() -> Iterator[EarProcess]:
    ear = EarProcess(DEFAULT, None, 1, "float32")
    try:
        ear.ready()
        yield ear
    finally:
        ear.close()


def test_it_scores_as_the_classifier_does(ear: EarProcess, scorer: Scorer) -> None:
    assert ear.score(TURNS) == scorer.score(TURNS)
    assert (ear.version, ear.hidden_size, ear.precision) == (scorer.version, scorer.hidden_size, "float32")


def test_killed_it_is_started_again_and_nothing_is_lost(ear: EarProcess, scorer: Scorer) -> None:
    before = ear.pid
    assert before is not None
    os.kill(before, signal.SIGKILL)
    assert ear.score(TURNS) == scorer.score(TURNS)
    assert ear.pid != before


def test_what_cannot_load_says_why(tmp_path: Path) -> None:
    ear = EarProcess(tmp_path, None, 1, "float32")
    with pytest.raises(ModelError, match=str(tmp_path)):
        ear.ready()
    assert ear.pid not in family(os.getpid())


def test_it_ends_when_its_owner_is_killed() -> None:
    code = f"""
        import sys
        from pathlib import Path
        from models.process import EarProcess
        if __name__ == "__main__":
            ear = EarProcess(Path({str(DEFAULT)!r}), None, 1, "float32")
            ear.ready()
            print(ear.pid, flush=True)
            sys.stdin.read()
    """
    owner = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    pid = int(owner.stdout.readline())
    watched = os.pidfd_open(pid)
    owner.kill()
    owner.wait()
    readable, _, _ = select.select([watched], [], [], 30.0)
    os.close(watched)
    assert readable
