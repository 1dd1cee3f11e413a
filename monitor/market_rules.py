"""The market's documented alert rules on the same turns, with the same ear, beside Becalm's alerts.

* N negative customer turns running, N = 2 and 3 (the score of Contact Lens counts such streaks);
* negative over a trailing window of 30 or 60 s (Contact Lens, Chime: `TimePeriod`);
* mean of the last six customer messages under a cut (Dynamics 365; with fewer, of those there are);
* a keyword list (every vendor): the phrase packs' threats and wishes for a superior, without any model.

A turn's sentiment, -1 to 1, is derived from what the ear gave: joy less the strongest of anger, disgust, fear,
sadness and a quarter of the heat. Each rule speaks at most once a call, at the first turn at which it holds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from models.types import Score
from monitor.core.heard import THREAT_LABELS
from monitor.core.rules import Rules
from monitor.labelled_calls import TELLING_KINDS, LabelledCall, Run, Scores, end_of

NEGATIVE = -0.5
"""Sentiment from which down a turn is negative."""
SLIGHTLY_BELOW = -0.43
"""The lower end of "slightly negative" where -1 to 1 is cut into seven equal grades."""
_SADDENING = ("anger", "disgust", "fear", "sadness")
_KEYWORDS = THREAT_LABELS | {"ask_superior"}


class Heard(msgspec.Struct, frozen=True):
    """One customer turn as such a rule hears it; `sentiment` -1 to 1, `ended_s` in seconds of the call."""

    turn: int
    ended_s: float
    sentiment: float
    keyword: bool


Level = tuple[int, float]
"""A turn and how negative the call stands after it: the lower, the worse."""


class MarketRule(msgspec.Struct, frozen=True):
    """`levels` gives the call's standing after each customer turn; the rule holds at `cut` or below."""

    name: str
    levels: Callable[[Sequence[Heard]], list[Level]]
    cut: float
    tunable: bool = True
    """Whether the cut may be moved: a keyword is there or not."""


def sentiment(score: Score) -> float:
    """
    >>> sentiment(Score({"anger": 0.9, "joy": 0.1}, 2.0, {}, b""))
    -0.8
    """
    worst = max((score.emotions.get(name, 0.0) for name in _SADDENING), default=0.0)
    return round(score.emotions.get("joy", 0.0) - max(worst, (score.heat or 0.0) / 4), 4)


def customer_turns(call: LabelledCall, scores: Scores, rules: Rules) -> list[Heard]:
    """The customer's turns; one without a score, or of which the ear concludes nothing, counts as neutral."""
    out = []
    for i, turn in enumerate(call.turns):
        if turn.role == "customer":
            score = scores.get((call.call_id, i))
            found = rules.packs.find(turn.text, turn.role, call.lang)
            value = 0.0 if score is None or score.abstained is not None else sentiment(score)
            out.append(Heard(i, end_of(call, i), value, any(hit.label in _KEYWORDS for hit in found)))
    return out


def running(count: int) -> Callable[[Sequence[Heard]], list[Level]]:
    """The mildest of the last `count` turns: all of them are negative when it is."""
    return lambda turns: [
        (turns[i].turn, max(heard.sentiment for heard in turns[i + 1 - count : i + 1]))
        for i in range(count - 1, len(turns))
    ]


def trailing(seconds: float) -> Callable[[Sequence[Heard]], list[Level]]:
    """Mean over the turns that ended in the last `seconds`, once the call has lasted that long."""

    def levels(turns: Sequence[Heard]) -> list[Level]:
        out = []
        for i, now in enumerate(turns):
            if now.ended_s >= seconds:
                inside = [heard.sentiment for heard in turns[: i + 1] if heard.ended_s > now.ended_s - seconds]
                out.append((now.turn, sum(inside) / len(inside)))
        return out

    return levels


def mean_of_last(count: int) -> Callable[[Sequence[Heard]], list[Level]]:
    """Mean of the last `count` turns, or of those there are."""

    def levels(turns: Sequence[Heard]) -> list[Level]:
        spans = [(now.turn, turns[max(0, i + 1 - count) : i + 1]) for i, now in enumerate(turns)]
        return [(turn, sum(heard.sentiment for heard in span) / len(span)) for turn, span in spans]

    return levels


def keywords(turns: Sequence[Heard]) -> list[Level]:
    return [(heard.turn, -1.0 if heard.keyword else 0.0) for heard in turns]


RULES = (
    MarketRule("two negative turns running", running(2), NEGATIVE),
    MarketRule("three negative turns running", running(3), NEGATIVE),
    MarketRule("negative for 30 s", trailing(30.0), NEGATIVE),
    MarketRule("negative for 60 s", trailing(60.0), NEGATIVE),
    MarketRule("mean of the last six", mean_of_last(6), SLIGHTLY_BELOW),
    MarketRule("keyword list", keywords, -1.0, tunable=False),
)


def compare(runs: Sequence[Run], scores: Scores, rules: Rules) -> list[dict[str, Any]]:
    """Becalm first, then each market rule at its own cut and, where it has one, at the loosest cut with which it
    alerts on no more quiet calls than Becalm does."""
    told = [item.first(TELLING_KINDS) for item in runs]
    out = [_figures("Becalm", None, runs, [None if alert is None else alert.turn for alert in told])]
    noise = sum(alert is not None and item.call.kind == "quiet" for alert, item in zip(told, runs, strict=True))
    heard = [customer_turns(item.call, scores, rules) for item in runs]
    for rule in RULES:
        levels = [rule.levels(turns) for turns in heard]
        out.append(_figures(rule.name, rule.cut, runs, [_first(part, rule.cut) for part in levels]))
        if rule.tunable:
            cut = _equal_noise(runs, levels, noise)
            row = _figures(f"{rule.name}, as noisy as Becalm", cut, runs, [_first(part, cut) for part in levels])
            out.append(row)
    return out


def _first(levels: Sequence[Level], cut: float) -> int | None:
    return next((turn for turn, level in levels if level <= cut), None)


def _equal_noise(runs: Sequence[Run], levels: Sequence[Sequence[Level]], noise: int) -> float:
    """The loosest cut at which at most `noise` quiet calls alert."""
    quiet = sorted(
        min((level for _, level in part), default=1.0)
        for part, item in zip(levels, runs, strict=True)
        if item.call.kind == "quiet"
    )
    return 1.0 if noise >= len(quiet) else round(quiet[noise] - 1e-6, 6)


def _figures(name: str, cut: float | None, runs: Sequence[Run], first: Sequence[int | None]) -> dict[str, Any]:
    """Shares of bad calls told and told in time, and quiet calls alerted, in ten; `first` has one turn a call."""
    bad = [(turn, item.call.escalation_turn) for turn, item in zip(first, runs, strict=True) if item.call.kind == "bad"]
    quiet = [turn for turn, item in zip(first, runs, strict=True) if item.call.kind == "quiet"]
    in_time = sum(turn is not None and due is not None and turn <= due for turn, due in bad)
    return {
        "rule": name,
        "cut": cut,
        "told": _of(sum(turn is not None for turn, _ in bad), len(bad)),
        "in_time": _of(in_time, len(bad)),
        "false_per_ten_quiet_calls": _of(10 * sum(turn is not None for turn in quiet), len(quiet)),
    }


def _of(part: int, whole: int) -> float | None:
    return None if whole == 0 else round(part / whole, 4)
