"""The classifier is killed while calls are live: it comes back by itself and no final stays without its score."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from urllib.request import urlopen

import pytest

from tests.bench.processes import becalm, family, resident_mb

pytestmark = pytest.mark.heavy  # a real service and its model, twice loaded

CALLS = ["--calls", "4", "--seconds", "6", "--every-s", "0.5", "--no-interims", "--json"]


def scored(url: str) -> float:
    with urlopen(f"{url}/metrics") as answer:
        lines = answer.read().decode().splitlines()
    return sum(
        float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith("becalm_chunk_to_score_seconds_count")
    )


def test_no_final_is_lost_when_the_classifier_is_killed() -> None:
    with becalm() as program:
        classifier = max(family(program.pid)[1:], key=resident_mb)
        command = [sys.executable, "-m", "monitor.cli", "loadtest", "--url", program.url, *CALLS]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as load:
            while scored(program.url) < 5:
                assert load.poll() is None, "the load ended before anything was scored"
            os.kill(classifier, signal.SIGKILL)
            told, _ = load.communicate()
        assert classifier not in family(program.pid)
    (step,) = json.loads(told)["steps"]
    assert (step["lost"], step["unanswered"], step["errors"]) == (0, 0, {})
    assert step["scored"] == step["finals"] == 48
