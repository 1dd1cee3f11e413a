"""What if the thresholds were others: recorded calls folded again under each of them.

Every row is the fold itself under changed settings, so it gives the numbers that running with `--set` gives. From what
supervisors said of risk alerts (`true`, `false`, `late`) follows a proposal; a person applies it, never the program.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Mapping, Sequence

import msgspec

from monitor.core.events import Alert, Turn
from monitor.core.inputs import AlertAction
from monitor.core.rules import Rules
from monitor.core.settings import PolicySettings
from monitor.recordings import Line
from monitor.replay import Answers, fold_call
from stream.messages import CallStart
from stream.settings import ASYNCHRONOUS_CHANNELS

SWEPT = ("enter_at", "hold_for_s", "exit_at")
"""The settings of `[policy]` that are tried."""
VERDICTS = frozenset({"true", "false", "late"})


class Verdict(msgspec.Struct, frozen=True):
    """What a supervisor said of one alert; `kind` and `at_s` are the alert's, None where it does not fire any more."""

    call_id: str
    said: str
    kind: str | None
    at_s: float | None


class Fired(msgspec.Struct, frozen=True):
    """The risk alerts of one recorded call, at their call times, and how long it talked (0 for letters)."""

    at_s: list[float]
    seconds: float


class Agreement(msgspec.Struct, frozen=True):
    """How far some settings do what supervisors wished: right alerts kept and no later, calls of false ones without
    a risk alert, late ones earlier; each with how many there are."""

    kept: int
    right: int
    gone: int
    false: int
    earlier: int
    late: int

    @property
    def met(self) -> int:
        return self.kept + self.gone + self.earlier


def candidates(
    policy: PolicySettings, enter_at: Iterable[float], hold_for_s: Iterable[float], exit_at: Iterable[float]
) -> list[PolicySettings]:
    """The configured policy first, then every combination in which exit, enter and critical rise."""
    found = [policy]
    for values in itertools.product(enter_at, hold_for_s, exit_at):
        tried = msgspec.structs.replace(policy, **dict(zip(SWEPT, values, strict=True)))
        if tried.exit_at <= tried.enter_at <= tried.critical_at and tried not in found:
            found.append(tried)
    return found


def with_policy(rules: Rules, policy: PolicySettings) -> Rules:
    return msgspec.structs.replace(rules, settings=msgspec.structs.replace(rules.settings, policy=policy))


def remembering(rules: Rules) -> Rules:
    """The same rules, which guess the language of a text once however often it is folded."""
    return msgspec.structs.replace(rules, guess=functools.cache(rules.guess))


def fired(calls: Mapping[str, Sequence[Line]], answers: Answers, rules: Rules) -> dict[str, Fired]:
    """The risk alerts of recorded calls under these rules, by call_id."""
    out: dict[str, Fired] = {}
    for call_id, records in calls.items():
        events = list(fold_call(call_id, list(records), rules, answers))
        letters = any(isinstance(r, CallStart) and r.channel in ASYNCHRONOUS_CHANNELS for r in records)
        ends = [event.end_s for event in events if isinstance(event, Turn)]
        alerts = [e.at_s for e in events if isinstance(e, Alert) and e.kind == "risk" and e.state == "firing"]
        out[call_id] = Fired(alerts, 0.0 if letters else max(ends, default=0.0))
    return out


def verdicts(calls: Mapping[str, Sequence[Line]], answers: Answers, rules: Rules) -> list[Verdict]:
    """The last thing said of each alert; alerts are known by their id, which derives from call, kind and turn."""
    out: list[Verdict] = []
    for call_id, records in calls.items():
        said = {r.alert_id: r.action for r in records if isinstance(r, AlertAction) and r.action in VERDICTS}
        if said:
            events = fold_call(call_id, list(records), rules, answers)
            known = {e.alert_id: e for e in events if isinstance(e, Alert) and e.state == "firing"}
            for alert_id, word in said.items():
                alert = known.get(alert_id)
                kind, at_s = (None, None) if alert is None else (alert.kind, alert.at_s)
                out.append(Verdict(call_id, word, kind, at_s))
    return out


def agreement(said: Iterable[Verdict], risk_alerts: Mapping[str, Fired]) -> Agreement:
    """Counts over the verdicts on risk alerts; the others do not hang on these settings."""
    counts = dict.fromkeys(Agreement.__struct_fields__, 0)
    for verdict in said:
        if verdict.kind == "risk" and verdict.at_s is not None:
            first = min(risk_alerts[verdict.call_id].at_s, default=None)
            if verdict.said == "true":
                counts["right"] += 1
                counts["kept"] += first is not None and first <= verdict.at_s
            elif verdict.said == "false":
                counts["false"] += 1
                counts["gone"] += first is None
            else:
                counts["late"] += 1
                counts["earlier"] += first is not None and first < verdict.at_s
    return Agreement(**counts)


def best(agreements: Sequence[Agreement], tried: Sequence[PolicySettings]) -> int:
    """Index of the settings that meet most wishes; among equals those nearest to the configured ones, which stand
    first."""

    def rank(index: int) -> tuple[int, int, float]:
        changes = [abs(getattr(tried[index], name) - getattr(tried[0], name)) for name in SWEPT]
        return -agreements[index].met, sum(change > 0 for change in changes), sum(changes)

    return min(range(len(tried)), key=rank)


def toml_lines(configured: PolicySettings, proposed: PolicySettings) -> list[str]:
    """The lines that turn one into the other, to be put in by hand; none when nothing changes."""
    changed = [name for name in SWEPT if getattr(configured, name) != getattr(proposed, name)]
    return ["[policy]", *(f"{name} = {getattr(proposed, name)!r}" for name in changed)] if changed else []
