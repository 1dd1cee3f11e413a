"""Results as the tables of BENCHMARKS.md, between its two marks."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Sequence
from pathlib import Path

from monitor.loadtest.figures import Figures, Spread
from tests.bench.parts import Lone, Plan, Quiet
from tests.bench.results import Results, middle
from tests.bench.scoring import Scoring

SCORING = """**Scoring alone**, utterances per second, tokenising included. Becalm reads each turn with its context, the
peer without. The limit is the linear layers of the plain model at the measured rate of torch's fp32 matmul."""
LONE = """**One lone call**, chunk-to-score in milliseconds, measured outside over loopback; a final five times a
second."""
NEIGHBOUR = """**Beside a busy neighbour**: p99 of chunk-to-score in milliseconds at half of what is carried, alone and
with one other process that keeps a core busy."""
BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"


def write(path: Path, tables: str) -> None:
    """Puts the tables in the place of older ones. Raises ValueError where the marks are missing."""
    before, begin, rest = path.read_text("utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{path}: lacks the lines {BEGIN} and {END}")
    path.write_text(f"{before}{BEGIN}\n{tables}\n{END}{after}", "utf-8")


def render(results: Results, plan: Plan) -> str:
    """Every table, in Markdown."""
    parts = (_machine(results), _capacity(results, plan), _scoring(results.scoring), _latency(results), _load(results))
    return "\n\n".join(parts)


def _table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def _machine(results: Results) -> str:
    one = results.machine
    packages = ", ".join(f"{name} {version}" for name, version in one.packages.items())
    rows = [
        ("date", f"{one.date}, {results.minutes:.0f} minutes"),
        ("processor", f"{one.processor}, {one.cores} cores ({', '.join(one.flags) or 'no vector units of note'})"),
        ("memory, system", f"{one.memory_gb} GB, {one.system}"),
        ("versions", f"Python {one.python}, {packages}"),
        ("model", one.model),
        ("Becalm's settings", ", ".join(one.settings) or "the defaults"),
    ]
    return _table(("measured on", ""), rows)


def _capacity(results: Results, plan: Plan) -> str:
    ratios = [one.ratio for one in results.rounds]
    rows: list[Sequence[object]] = [
        (nth, one.peer, one.becalm, f"{one.ratio:.2f}") for nth, one in enumerate(results.rounds, start=1)
    ]
    peers, ours = [one.peer for one in results.rounds], [one.becalm for one in results.rounds]
    spread = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
    rows.append(("**median**", middle(peers), middle(ours), f"**{spread}**"))
    tuned = [(one.threads, one.where, one.calls) for one in results.set_ups]
    interims = "with" if plan.interims else "no"
    best = results.best
    text = (
        f"**Most calls with p99 of chunk-to-score under {plan.limit_ms:g} ms**, a final every {plan.every_s:g} s a\n"
        f"call, {interims} interims, one websocket a call, {plan.readers} feed readers, steps of {plan.seconds:g} s,\n"
        f"journal on. The peer runs with {best.threads} torch thread(s), scoring in the {best.where}."
    )
    return "\n\n".join(
        (
            text,
            _table(("round", "peer", "Becalm", "ratio"), rows),
            "The peer's set-ups, tried shortly:",
            _table(("torch threads", "scores in the", "calls"), tuned),
        )
    )


def _scoring(found: Sequence[Scoring]) -> str:
    rows = [
        (
            one.threads, one.layers, f"{one.tokens:g}", f"{one.peer_single:.0f}", f"{one.becalm_single:.0f}",
            f"{one.becalm_batches:.0f}", f"{one.gemm_gflops:.0f}", f"{one.limit:.0f}",
            f"{one.becalm_batches / one.limit:.0%}",
        )
        for one in found
    ]  # fmt: skip
    head = (
        "torch threads", "layers", "tokens an utterance", "peer, one by one", "Becalm, one by one", "Becalm, batches",
        "fp32 GEMM, GFLOP/s", "GEMM limit", "share of it",
    )  # fmt: skip
    return f"{SCORING}\n\n{_table(head, rows)}"


def _latency(results: Results) -> str:
    rows = [_lone("peer", results.peer_lone), _lone("Becalm", results.becalm_lone)]
    quiet = [_quiet("peer", results.peer_quiet), _quiet("Becalm", results.becalm_quiet)]
    alone = _table(("", "p50", "p99", "service's own mean"), rows)
    beside = _table(("", "calls", "p99 alone", "p99 beside it", "ratio"), quiet)
    return f"{LONE}\n\n{alone}\n\n{NEIGHBOUR}\n\n{beside}"


def _lone(name: str, one: Lone) -> Sequence[object]:
    spread = one.figures.score_ms
    inside = "-" if one.inside_ms is None else f"{one.inside_ms:g}"
    return name, _ms(spread, "p50"), _ms(spread), inside


def _quiet(name: str, one: Quiet) -> Sequence[object]:
    alone, beside = one.alone.score_ms, one.beside.score_ms
    ratio = "-" if alone is None or beside is None else f"{beside.p99 / max(0.1, alone.p99):.1f}"
    return name, one.calls, _ms(alone), _ms(beside), ratio


def _load(results: Results) -> str:
    memory, loads = results.memory, results.loads
    each_kb = 1024 * (memory.resident_mb - memory.idle_mb) / memory.calls
    rows = [
        (f"resident memory, idle / {memory.calls} live calls", f"{memory.idle_mb:.0f} / {memory.resident_mb:.0f} MB"),
        ("a live call", f"{each_kb:.0f} KB (a final every {memory.every_s:g} s)"),
        (f"CPU an utterance at {loads.few.calls} calls", f"{1000 * loads.few.cpu_s_per_utterance:.1f} ms"),
        (f"CPU an utterance at {loads.many.calls} calls", f"{1000 * loads.many.cpu_s_per_utterance:.1f} ms"),
        *_twice(loads.twice),
    ]
    return "\n\n".join(["**Becalm's cost, and twice the load that it carries**", _table(("", ""), rows)])


def _twice(one: Figures) -> list[Sequence[object]]:
    errors = ", ".join(f"{count} {code}" for code, count in sorted(one.errors.items())) or "none"
    return [
        (f"{one.calls} calls: p50 / p99 of chunk-to-score", f"{_ms(one.score_ms, 'p50')} / {_ms(one.score_ms)} ms"),
        (
            f"{one.calls} calls: p50 / p99 to an urgent alert that a pack finds",
            f"{_ms(one.words_ms, 'p50')} / {_ms(one.words_ms)} ms",
        ),
        (f"{one.calls} calls: p50 / p99 to any urgent alert", f"{_ms(one.urgent_ms, 'p50')} / {_ms(one.urgent_ms)} ms"),
        (f"{one.calls} calls: finals, lost, errors", f"{one.finals}, {one.lost}, {errors}"),
    ]


def _ms(spread: Spread | None, name: str = "p99") -> str:
    return "-" if spread is None else f"{getattr(spread, name):g}"
