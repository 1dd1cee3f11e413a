"""A picture of each call's curve, drawn without a display."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from monitor.cli.failure import Failure
from monitor.core.events import Alert, Call, Event, Point

FONTS = ("Noto Sans", "DejaVu Sans", "Noto Sans CJK SC", "Noto Sans CJK TC", "Noto Sans SC", "WenQuanYi Zen Hei")
"""Tried in this order for each character; the CJK ones may be missing."""
BANDS = ((0.0, 0.35, "#dff0e3", "calm"), (0.35, 0.65, "#fdf1d4", "tense"), (0.65, 1.0, "#fbe0dc", "hot"))


def draw_all(calls: Mapping[str, Sequence[Event]], folder: str) -> Iterator[Path]:
    """Writes `<call_id>.png` for each call that has a curve and yields its path. Raises Failure."""
    plt = pyplot()
    target = Path(folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
        for call_id, events in calls.items():
            points = [event for event in events if isinstance(event, Point)]
            if points:
                name = re.sub(r"[^\w.-]+", "_", call_id).strip(".") or "call"
                path = target / f"{name}.png"
                _draw(plt, call_id, points, events, path)
                yield path
    except OSError as error:
        raise Failure(f"{error.filename or folder}: {error.strerror}") from None


def pyplot() -> Any:
    """`matplotlib.pyplot` for files, with fonts for all our languages. Raises Failure where it is missing."""
    try:
        import matplotlib
    except ModuleNotFoundError:
        raise Failure("--png needs matplotlib: pip install 'becalm[plot]'") from None
    matplotlib.use("Agg")
    from matplotlib import font_manager, pyplot

    known = {font.name for font in font_manager.fontManager.ttflist}
    pyplot.rcParams["font.family"] = [name for name in FONTS if name in known] or ["sans-serif"]
    return pyplot


def _draw(plt: Any, call_id: str, points: Sequence[Point], events: Sequence[Event], path: Path) -> None:
    figure, axes = plt.subplots(figsize=(10, 4.2), dpi=110)
    for low, high, colour, name in BANDS:
        axes.axhspan(low, high, color=colour, lw=0, zorder=0)
        axes.text(1.005, (low + high) / 2, name, transform=axes.get_yaxis_transform(), va="center", fontsize=9)
    times = [point.at_s for point in points]
    axes.plot(times, [p.tension for p in points], color="#b3261e", lw=2, marker="o", ms=3, label="tension")
    axes.plot(times, [p.risk for p in points], color="#1d4e89", lw=1.4, ls="--", label="risk")
    for number, alert in enumerate(e for e in events if isinstance(e, Alert) and e.state == "firing"):
        axes.axvline(alert.at_s, color="#444", lw=1, ls=":", zorder=1)
        height = 0.98 - 0.07 * (number % 4)
        axes.text(alert.at_s, height, f" {alert.kind}", va="top", fontsize=8, color="#222")
    for call in events:
        if isinstance(call, Call) and call.state in ("hold", "resume", "transfer"):
            axes.text(call.at_s, 0.02, call.state, fontsize=7, color="#555", rotation=90, va="bottom")
    axes.set(xlim=(0, max(times[-1], 1.0)), ylim=(0, 1), xlabel="seconds of the call", title=call_id)
    axes.legend(loc="upper left", bbox_to_anchor=(0, -0.12), ncols=2, frameon=False)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure.savefig(path, bbox_inches="tight")
    plt.close(figure)
