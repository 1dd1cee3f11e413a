"""The tables say what was measured, and go between the marks and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitor.loadtest.figures import Figures, Spread
from tests.bench.parts import Cost, Loads, Lone, Memory, Plan, Quiet, SetUp
from tests.bench.results import Results, Round, machine
from tests.bench.run import BENCHMARKS
from tests.bench.scoring import Scoring, products
from tests.bench.tables import BEGIN, END, render, write


def figures(calls: int, p99: float) -> Figures:
    spread = Spread(p99 / 2, p99 / 1.5, p99, p99 * 2)
    return Figures(
        calls, 10.0, 100, 100, 100, 0, 0, {"overloaded": 3}, 0, 9, False, spread, spread, None, None, spread, spread
    )


RESULTS = Results(
    machine=machine("v1", ["model.threads=1"]),
    scoring=[Scoring(2, 12, 512, 25.0, 100.0, 100.0, 60.0, 40.0, 20.0)],
    set_ups=[SetUp(1, "handler", 120), SetUp(2, "pool", 150)],
    rounds=[Round(100, 1000), Round(110, 880), Round(90, 990)],
    peer_lone=Lone(figures(1, 20.0), None),
    becalm_lone=Lone(figures(1, 9.0), 5.5),
    peer_quiet=Quiet(50, figures(50, 40.0), figures(50, 400.0)),
    becalm_quiet=Quiet(495, figures(495, 30.0), figures(495, 45.0)),
    memory=Memory(2000, 8.0, 500.0, 700.0),
    loads=Loads(Cost(10, 0.03), Cost(990, 0.01), figures(1980, 2000.0)),
    minutes=12.0,
)
PLAN = Plan([], [], Path("m"), ())


def test_every_figure_stands_in_a_table() -> None:
    shown = render(RESULTS, PLAN)
    for row in (
        "| 1 | 100 | 1000 | 10.00 |",
        "| **median** | 100 | 990 | **10.00 (8.00 to 11.00)** |",
        "| 2 | pool | 150 |",
        "| 2 | 12 | 25 | 20 | 40 | 60 | 100 | 100 | 60% |",
        "| Becalm | 4.5 | 9 | 5.5 |",
        "| Becalm | 495 | 30 | 45 | 1.5 |",
        "| a live call | 102 KB (a final every 8 s) |",
        "| CPU an utterance at 990 calls | 10.0 ms |",
        "| 1980 calls: finals, lost, errors | 100, 0, 3 overloaded |",
    ):
        assert row in shown.splitlines(), row
    assert "2 torch thread(s), scoring in the pool" in shown


def test_tables_replace_older_ones_between_the_marks(tmp_path: Path) -> None:
    file = tmp_path / "b.md"
    file.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write(file, "new")
    assert file.read_text() == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
    file.write_text("nothing")
    with pytest.raises(ValueError, match="lacks the lines"):
        write(file, "new")


def test_the_marks_are_in_the_file_that_is_written() -> None:
    text = BENCHMARKS.read_text("utf-8")
    assert text.index(BEGIN) < text.index(END)


def test_the_linear_layers_of_an_encoder() -> None:
    assert products(12, 384, 1536) == 12 * (4 * 384 * 384 + 2 * 384 * 1536)
