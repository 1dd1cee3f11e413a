"""The figures of risk and alerts, and the market's rules beside them, as a table that a person reads."""

from __future__ import annotations

from typing import Any

SHOWN = (
    ("told", "bad calls told", "{:.1%}"),
    ("in_time", "bad calls told in time", "{:.1%}"),
    ("risk_precision", "precision of risk alerts", "{:.1%}"),
    ("risk_recall", "recall of risk alerts", "{:.1%}"),
    ("false_per_quiet_call", "false risk alerts a quiet call", "{:.3f}"),
    ("false_per_quiet_hour", "false risk alerts an hour of quiet talk", "{:.2f}"),
    ("quiet_calls_told", "quiet calls alerted", "{:.1%}"),
    ("watched_calls_told", "watched calls alerted (not judged)", "{:.1%}"),
    ("lead_turns_q1", "lead in turns, lower quartile", "{:.1f}"),
    ("lead_turns_median", "lead in turns, median", "{:.1f}"),
    ("lead_turns_q3", "lead in turns, upper quartile", "{:.1f}"),
    ("lead_s_q1", "lead in seconds, lower quartile", "{:.1f}"),
    ("lead_s_median", "lead in seconds, median", "{:.1f}"),
    ("lead_s_q3", "lead in seconds, upper quartile", "{:.1f}"),
    ("recovery", "risk alerts recovered on calls that ended well", "{:.1%}"),
    ("must_report_on_the_turn", "threats told on the very turn", "{:.1%}"),
    ("must_report_false_per_call", "false must_report alerts a call", "{:.3f}"),
    ("safety_on_the_turn", "dangers told on the very turn", "{:.1%}"),
    ("safety_false_per_call", "false safety alerts a call", "{:.3f}"),
    ("escalation_request_on_the_turn", "requests for a superior told on the very turn", "{:.1%}"),
    ("escalation_request_false_per_call", "false escalation_request alerts a call", "{:.3f}"),
    ("brier_end", "Brier score of risk at the end", "{:.3f}"),
    ("brier_turns", "Brier score of risk over turns", "{:.3f}"),
    ("ece_end", "calibration error (ECE) at the end", "{:.3f}"),
    ("ece_turns", "calibration error (ECE) over turns", "{:.3f}"),
)
BY_LANGUAGE = (
    ("told", "told", "{:.0%}"),
    ("in_time", "in time", "{:.0%}"),
    ("risk_precision", "precision", "{:.0%}"),
    ("false_per_quiet_call", "false/quiet", "{:.2f}"),
    ("lead_turns_median", "lead turns", "{:.1f}"),
    ("must_report_on_the_turn", "threats", "{:.0%}"),
    ("brier_end", "Brier", "{:.3f}"),
    ("ece_end", "ECE", "{:.3f}"),
)


def readable(found: dict[str, Any]) -> list[str]:
    """Lines over what `evaluate --calls` found."""
    alerts = found["alerts"]
    lines = [
        f"calls: {alerts['calls']} ({alerts['bad']} bad, {alerts['quiet']} quiet, {alerts['watched']} watched)"
        + (f"; {found['left_out']} left out for want of scores" if found["left_out"] else ""),
        f"scores: {found['scores']}; risk weights: {found['risk']}; policy: {found['policy']['kind']}",
        "",
        f"{'':50} {'':>8}   95 %",
    ]
    for name, words, form in SHOWN:
        between = alerts["intervals"].get(name)
        bounds = f"   {' to '.join(number(bound, form) for bound in between)}" if between else ""
        lines.append(f"{words:50} {number(alerts.get(name), form):>8}{bounds}")
    if alerts["languages"]:
        lines += ["", f"{'language':10} {'calls':>5} " + " ".join(f"{words:>11}" for _, words, _ in BY_LANGUAGE)]
        for language, part in alerts["languages"].items():
            cells = " ".join(f"{number(part[name], form):>11}" for name, _, form in BY_LANGUAGE)
            lines.append(f"{language:10} {part['calls']:5} {cells}")
    lines += ["", f"{'rule, on the same turns':50} {'cut':>7} {'told':>7} {'in time':>8} {'false in 10 quiet':>18}"]
    for row in found["market_rules"]:
        shares = f"{number(row['told'], '{:.1%}'):>7} {number(row['in_time'], '{:.1%}'):>8}"
        noise = number(row["false_per_ten_quiet_calls"], "{:.2f}")
        lines.append(f"{row['rule']:50} {number(row['cut'], '{:.2f}'):>7} {shares} {noise:>18}")
    return lines


def number(value: float | None, form: str) -> str:
    """`value` in the form of `str.format`, a dash where it is not known."""
    return "-" if value is None else form.format(value)
