"""How well risk and alerts do on labelled calls: told in time, false alarms, lead, recovery, calibration.

What is measured is what the fold said under the configured settings, never a second reading of the policy. A call is
**told** by its first `risk`, `must_report` or `escalation_request` alert, and told **in time** when that comes at or
before the turn at which a supervisor should know. Watched calls (label guide, section 6) are counted and judged
neither way. Hours and seconds are those of voice and chat; in letters they mean nothing. Figures come with 95 %
bootstrap intervals: calls are drawn anew, never turns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.labels import SAFETY, THREATS
from monitor.labelled_calls import TELLING_KINDS, Run
from stream.settings import ASYNCHRONOUS_CHANNELS

Array = NDArray[np.float64]
Columns = Mapping[str, Array]
"""Figures of single calls, `[calls]` each, or `[calls, bins, 3]` for the two reliability tables."""
ON_THE_TURN: dict[str, frozenset[str]] = {
    "must_report": frozenset(THREATS),
    "safety": frozenset(SAFETY),
    "escalation_request": frozenset({"ask_superior"}),
}
"""Alerts that must come on the very turn, with the labels that call for them."""
BINS = 10
ROUNDS = 500
LEAST_CALLS = 10
"""Calls of a language below which it has no figures of its own."""


def evaluate_calls(runs: Sequence[Run], rounds: int = ROUNDS) -> dict[str, Any]:
    """All figures over all calls and for each language; what cannot be known (nothing to divide by) is None."""
    columns = _columns(runs)
    languages = np.array([item.call.lang for item in runs])
    names = sorted(set(languages.tolist()))
    rows = {name: np.flatnonzero(languages == name) for name in names}
    return {
        **_with_intervals(columns, np.arange(len(runs)), rounds),
        "languages": {
            name: _with_intervals(columns, rows[name], rounds) for name in names if len(rows[name]) >= LEAST_CALLS
        },
    }


def figures(runs: Sequence[Run]) -> dict[str, float | None]:
    """The figures alone, without intervals and languages."""
    return _figures(_columns(runs), np.arange(len(runs)))


def _with_intervals(columns: Columns, rows: NDArray[np.intp], rounds: int) -> dict[str, Any]:
    random = np.random.default_rng(1)
    draws = [rows[random.integers(0, len(rows), len(rows))] for _ in range(rounds)] if len(rows) else []
    drawn = [_figures(columns, draw) for draw in draws]
    found = _figures(columns, rows)
    between: dict[str, list[float]] = {}
    for name, value in found.items():
        known = [once[name] for once in drawn if once[name] is not None]
        if value is not None and known and name not in _COUNTS:
            between[name] = [round(float(np.quantile(np.array(known, dtype=float), q)), 4) for q in (0.025, 0.975)]
    return {**found, "intervals": between}


def _columns(runs: Sequence[Run]) -> Columns:
    rows = [_row(item) for item in runs]
    names = list(rows[0]) if rows else []
    found = {name: np.array([row[name] for row in rows], dtype=float) for name in names}
    return {
        **found,
        "reliability_end": np.array([_reliability(item, at_end=True) for item in runs]).reshape(-1, BINS, 3),
        "reliability_turns": np.array([_reliability(item, at_end=False) for item in runs]).reshape(-1, BINS, 3),
    }


def _row(item: Run) -> dict[str, float]:
    """One call in numbers; NaN where the call has nothing to say on a figure."""
    kind, due = item.call.kind, item.call.escalation_turn
    told = item.first(TELLING_KINDS)
    fired = [alert for alert in item.alerts if alert.kind == "risk" and alert.state == "firing"]
    bad = kind == "bad" and due is not None
    talk = item.call.channel not in ASYNCHRONOUS_CHANNELS
    lead_turns = lead_s = float("nan")
    if bad and due is not None and told is not None:
        due_s = next((point.at_s for point in item.points if point.turn >= due), item.points[-1].at_s)
        lead_turns, lead_s = float(due - told.turn), due_s - told.at_s if talk else float("nan")
    wanted = float(kind == "bad")
    risks = np.array([point.risk for point in item.points])
    return {
        "bad": float(bad),
        "quiet": float(kind == "quiet"),
        "watched": float(kind == "watched"),
        "told": float(told is not None),
        "in_time": float(bad and due is not None and told is not None and told.turn <= due),
        "risk_alerts": float(len(fired)),
        "hours": item.points[-1].at_s / 3600 if talk and item.points else 0.0,
        "talk": float(talk),
        "lead_turns": lead_turns,
        "lead_s": lead_s,
        "well": float(item.call.outcome == "resolved"),
        "recovered": float(sum(alert.kind == "risk" and alert.recovered for alert in item.alerts)),
        "brier_end": float((risks[-1] - wanted) ** 2) if len(risks) else float("nan"),
        "brier_turns": float(np.mean((risks - wanted) ** 2)) if len(risks) else float("nan"),
        **_on_the_turn(item),
    }


def _on_the_turn(item: Run) -> dict[str, float]:
    """For each kind: labelled turns that ask for it (`due`), those on which it came (`heard`), alerts on other turns
    (`false`). A turn counts no more once an alert that a labelled turn brought is open: the supervisor knows."""
    out: dict[str, float] = {"customer_turns": float(sum(turn.role == "customer" for turn in item.call.turns))}
    for kind, labels in ON_THE_TURN.items():
        asking = {i for i, turn in enumerate(item.call.turns) if turn.role == "customer" and labels & set(turn.labels)}
        came = {alert.turn for alert in item.alerts if alert.kind == kind and alert.state in ("firing", "updated")}
        known = min(asking & came, default=len(item.call.turns))
        due = {turn for turn in asking if turn <= known}
        out[f"{kind}.due"] = float(len(due))
        out[f"{kind}.heard"] = float(len(due & came))
        out[f"{kind}.false"] = float(
            sum(a.kind == kind and a.state == "firing" and a.turn not in asking for a in item.alerts)
        )
    return out


def _reliability(item: Run, at_end: bool) -> Array:
    """`[bins, 3]`: weight, weight x risk, weight x bad. Every call weighs 1, watched calls nothing."""
    table = np.zeros((BINS, 3))
    if item.call.kind != "watched":
        points = item.points[-1:] if at_end else item.points
        for point in points:
            place = min(int(point.risk * BINS), BINS - 1)
            table[place] += np.array([1.0, point.risk, float(item.call.kind == "bad")]) / len(points)
    return table


def _figures(columns: Columns, rows: NDArray[np.intp]) -> dict[str, float | None]:
    if not len(rows):
        return dict.fromkeys(_COUNTS, 0)
    part = {name: values[rows] for name, values in columns.items()}
    bad, quiet, watched = part["bad"] > 0, part["quiet"] > 0, part["watched"] > 0
    alerts, judged = part["risk_alerts"], bad | quiet
    fired = alerts > 0
    well = part["well"] > 0
    out: dict[str, float | None] = {
        "calls": len(rows),
        "bad": int(bad.sum()),
        "quiet": int(quiet.sum()),
        "watched": int(watched.sum()),
        "told": _share(part["told"][bad].sum(), bad.sum()),
        "in_time": _share(part["in_time"][bad].sum(), bad.sum()),
        "risk_precision": _share(alerts[bad].sum(), alerts[judged].sum()),
        "risk_recall": _share(fired[bad].sum(), bad.sum()),
        "false_per_quiet_call": _share(alerts[quiet].sum(), quiet.sum()),
        "false_per_quiet_hour": _share((alerts * part["talk"])[quiet].sum(), part["hours"][quiet].sum()),
        "quiet_calls_told": _share(part["told"][quiet].sum(), quiet.sum()),
        "watched_calls_told": _share(part["told"][watched].sum(), watched.sum()),
        **_quartiles("lead_turns", part["lead_turns"]),
        **_quartiles("lead_s", part["lead_s"]),
        "recovery": _share(part["recovered"][well].sum(), alerts[well].sum()),
    }
    for kind in ON_THE_TURN:
        out[f"{kind}_due"] = int(part[f"{kind}.due"].sum())
        out[f"{kind}_on_the_turn"] = _share(part[f"{kind}.heard"].sum(), part[f"{kind}.due"].sum())
        out[f"{kind}_false_per_call"] = _share(part[f"{kind}.false"].sum(), len(rows))
    for when in ("end", "turns"):
        scored = part[f"brier_{when}"][judged]
        scored = scored[~np.isnan(scored)]
        out[f"brier_{when}"] = _share(scored.sum(), len(scored))
        table = part[f"reliability_{when}"].sum(axis=0)
        out[f"ece_{when}"] = _share(np.abs(table[:, 1] - table[:, 2]).sum(), table[:, 0].sum())
    return out


def _share(part: float, whole: float) -> float | None:
    return None if whole == 0 else round(float(part) / float(whole), 4)


def _quartiles(name: str, values: Array) -> dict[str, float | None]:
    known = values[~np.isnan(values)]
    marks = {"q1": 0.25, "median": 0.5, "q3": 0.75}
    return {
        f"{name}_{mark}": round(float(np.quantile(known, q)), 2) if len(known) else None for mark, q in marks.items()
    }


_COUNTS = ("calls", "bad", "quiet", "watched", *(f"{kind}_due" for kind in ON_THE_TURN))
