"""What `becalm tune` found, as tables that a person reads; the first row is what is configured."""

from __future__ import annotations

from typing import Any

from monitor.cli.call_figures import number

_COLUMNS = (
    ("told", "told", "{:.1%}"),
    ("in_time", "in time", "{:.1%}"),
    ("risk_precision", "precision", "{:.1%}"),
    ("false_per_quiet_call", "false/quiet", "{:.3f}"),
    ("false_per_quiet_hour", "false/hour", "{:.2f}"),
    ("lead_turns_median", "lead turns", "{:.1f}"),
    ("lead_s_median", "lead s", "{:.1f}"),
)

_HEAD = f"  {'enter_at':>8} {'hold_for_s':>10} {'exit_at':>7}"
_WISHES = f"{'right kept':>11} {'false gone':>11} {'late earlier':>13}"


def readable(found: dict[str, Any]) -> list[str]:
    """Lines over what `tune` found."""
    lines: list[str] = []
    if "labelled" in found:
        part = found["labelled"]
        counts = part["rows"][0]["figures"]
        lines += [
            f"labelled calls: {counts['bad']} bad, {counts['quiet']} quiet, {counts['watched']} watched"
            + (f"; {part['left_out']} left out for want of scores" if part["left_out"] else ""),
            f"{_HEAD}  " + " ".join(f"{words:>11}" for _, words, _ in _COLUMNS),
            *(
                f"{_settings(row, at)}  "
                + " ".join(f"{number(row['figures'].get(name), form):>11}" for name, _, form in _COLUMNS)
                for at, row in enumerate(part["rows"])
            ),
            "",
        ]
    if "recorded" in found:
        lines += _recorded_lines(found["recorded"])
    return [*lines, "* as configured"]


def _settings(row: dict[str, Any], at: int) -> str:
    return f"{'*' if at == 0 else ' '} {row['enter_at']:8g} {row['hold_for_s']:10g} {row['exit_at']:7g}"


def _recorded_lines(part: dict[str, Any]) -> list[str]:
    lines = [
        f"recorded calls: {part['calls']}; alerts judged by supervisors: {len(part['verdicts'])}",
        f"{_HEAD}  {'alerts':>7} {'a call':>7} {'an hour':>8}  {_WISHES}",
    ]
    for at, row in enumerate(part["rows"]):
        figures = row["figures"]
        rates = f"{number(figures['alerts_per_call'], '{:.2f}'):>7} {number(figures['alerts_per_hour'], '{:.2f}'):>8}"
        lines.append(f"{_settings(row, at)}  {figures['risk_alerts']:7} {rates}  {_wishes(figures)}")
    lost = sum(verdict["kind"] is None for verdict in part["verdicts"])
    if lost:
        lines.append(f"{lost} of the judged alerts do not fire under the configured settings and are not counted")
    if "proposal" in part:
        lines += ["", *_proposal(part["proposal"])]
    return [*lines, ""]


def _wishes(figures: dict[str, Any]) -> str:
    pairs = (("kept", "right", 11), ("gone", "false", 11), ("earlier", "late", 13))
    return " ".join(f"{str(figures[met]) + ' of ' + str(figures[all_]):>{width}}" for met, all_, width in pairs)


def _proposal(proposal: dict[str, Any]) -> list[str]:
    if not proposal["toml"]:
        return ["proposal: keep the settings; none that was tried does more of what supervisors said"]
    before, after = proposal["before"]["figures"], proposal["after"]["figures"]
    return [
        "proposal, from what supervisors said (put it into your settings by hand):",
        *(f"  {line}" for line in proposal["toml"]),
        f"  {'':8}{_WISHES} {'alerts a call':>14}",
        f"  before  {_wishes(before)} {number(before['alerts_per_call'], '{:.2f}'):>14}",
        f"  after   {_wishes(after)} {number(after['alerts_per_call'], '{:.2f}'):>14}",
    ]
