"""What thresholds trade against each other, drawn without a display."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from monitor.cli.failure import Failure
from monitor.cli.picture import pyplot


def draw(found: dict[str, Any], path: Path) -> None:
    """Labelled calls: told in time over false alerts a quiet call. Recorded calls alone: alerts a call over `enter_at`.
    One line for each `hold_for_s` and `exit_at`. Raises Failure."""
    plt = pyplot()
    labelled = "labelled" in found
    rows = found["labelled" if labelled else "recorded"]["rows"]
    figure, axes = plt.subplots(figsize=(8, 5), dpi=110)
    lines: dict[tuple[float, float], list[tuple[float, float, float]]] = {}
    for row in rows:
        place = _place(row, labelled)
        if place is not None:
            lines.setdefault((row["hold_for_s"], row["exit_at"]), []).append((row["enter_at"], *place))
    for (hold_for_s, exit_at), points in sorted(lines.items()):
        points.sort()
        label = f"hold_for_s {hold_for_s:g}, exit_at {exit_at:g}"
        axes.plot([x for _, x, _ in points], [y for _, _, y in points], marker="o", ms=4, label=label)
        for enter_at, x, y in points:
            axes.annotate(f"{enter_at:g}", (x, y), fontsize=7, xytext=(3, 3), textcoords="offset points")
    configured = _place(rows[0], labelled)
    if configured is not None:
        axes.plot(*configured, marker="s", ms=9, mfc="none", color="#222", ls="", label="as configured")
    if labelled:
        axes.set(xlabel="false risk alerts a quiet call", ylabel="bad calls told in time", ylim=(0, 1))
    else:
        axes.set(xlabel="enter_at", ylabel="risk alerts a call")
    axes.legend(fontsize=8)
    try:
        figure.savefig(path, bbox_inches="tight", format="png")
    except OSError as error:
        raise Failure(f"{error.filename or path}: {error.strerror}") from None
    finally:
        plt.close(figure)


def _place(row: dict[str, Any], labelled: bool) -> tuple[float, float] | None:
    figures = row["figures"]
    x, y = (
        (figures.get("false_per_quiet_call"), figures.get("in_time"))
        if labelled
        else (row["enter_at"], figures["alerts_per_call"])
    )
    return None if x is None or y is None else (x, y)
