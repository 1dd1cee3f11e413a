"""The alerts of one call: one open alert a kind, updated rather than repeated, with its reason and its quotes."""

from __future__ import annotations

import hashlib

import msgspec

from monitor.core.events import Alert, Evidence
from monitor.core.inputs import AlertAction
from monitor.texts import Texts

SEVERITIES = ("info", "warning", "critical")
_FIRST_EVIDENCE, _LATEST_EVIDENCE = 4, 8
"""How many quotes an alert keeps: how it began, and what was said last."""
CALLED = frozenset({"safety", "must_report", "escalation_request"})
"""Kinds that call somebody: each further turn that says it is news, even to whoever has the alert in hand."""
_NEW_WORDS = frozenset({"agent_conduct"})
"""Kinds in which another label is news, unless it is acknowledged; the rest speak up only when they get worse."""
_ENDED_WITH_CALL = frozenset({"risk", "relapse", "silence", "agent_conduct"})
"""Kinds that ask for help during the call; the others stay open until a person has dealt with them."""


class _Open(msgspec.Struct):
    alert_id: str
    kind: str
    severity: str
    reason: str
    evidence: list[Evidence]
    told_s: float
    """Call time at which it last fired or was updated."""
    times: int = 1
    """In how many turns it was said so far, for the kinds that call somebody."""
    state: str = "firing"
    early: frozenset[str] = frozenset()
    """Turns that were told on their words alone and are still to be read."""
    by: str | None = None
    snoozed_until_s: float | None = None


class AlertBook:
    """Open alerts of one call by kind. Every method returns the events that it causes, none when nothing changes."""

    def __init__(self, call_id: str, texts: Texts, language: str) -> None:
        self._call_id = call_id
        self._texts = texts
        self._language = language
        self._open: dict[str, _Open] = {}

    def open_kinds(self) -> list[str]:
        return list(self._open)

    def called(self, at_s: float, within_s: float) -> bool:
        """Is an alert open that calls somebody, and did it speak up less than `within_s` seconds before `at_s`?"""
        return any(item.kind in CALLED and 0 <= at_s - item.told_s < within_s for item in self._open.values())

    def raise_alert(
        self,
        kind: str,
        severity: str,
        at_s: float,
        evidence: list[Evidence],
        segment_id: str | None,
        *,
        pending: bool = False,
        **slots: object,
    ) -> list[Alert]:
        """Fire an alert of this kind, or update the open one when this is worse or says something new.

        An update takes back an acknowledgement or a snooze: whoever gave it has not heard this yet. `pending`: the
        model has not read this turn yet; when it has, the same turn comes again: its further labels are kept for the
        next update, and only a worse severity is news.
        """
        sentence = self._texts.reason(kind, self._language, self._slots(evidence, slots))
        marked = frozenset({segment_id} if pending and segment_id is not None else ())
        current = self._open.get(kind)
        if current is None:
            mark = segment_id if segment_id is not None else f"@{at_s:.3f}"
            opened = _Open(self._id(kind, mark), kind, severity, sentence, _kept(evidence), at_s)
            opened.early = marked
            self._open[kind] = opened
            return [self._event(opened, at_s, segment_id, pending=pending)]
        known = {(item.segment_id, item.label, item.quote) for item in current.evidence}
        new = [item for item in evidence if (item.segment_id, item.label, item.quote) not in known]
        worse = SEVERITIES.index(severity) > SEVERITIES.index(current.severity)
        labels = {item.label for item in current.evidence}
        current.evidence = _kept([*current.evidence, *new])
        quiet = current.state == "acknowledged" or (
            current.snoozed_until_s is not None and at_s < current.snoozed_until_s
        )
        other_words = kind in _NEW_WORDS and not quiet and not {item.label for item in new} <= labels
        read = segment_id in current.early and not pending
        news = bool(new) and not read if kind in CALLED else other_words
        current.early = current.early - {segment_id} if read else current.early | marked
        if not worse and not news:
            return []
        if worse:
            current.severity = severity
        current.times += kind in CALLED and not read
        sentence = self._texts.reason(kind, self._language, self._slots(current.evidence, slots))
        current.reason = self._counted(current, sentence)
        current.state, current.snoozed_until_s, current.told_s = "updated", None, at_s
        return [self._event(current, at_s, segment_id, pending=pending)]

    def resolve(self, kind: str, at_s: float, reason: str, segment_id: str | None = None) -> list[Alert]:
        """Close the open alert of this kind; `reason` names a text such as `recovered`."""
        current = self._open.pop(kind, None)
        if current is None:
            return []
        current.state = "resolved"
        current.reason = self._texts.reason(reason, self._language, {})
        return [self._event(current, at_s, segment_id)]

    def act(self, action: AlertAction, at_s: float) -> tuple[list[Alert], str | None]:
        """What a person did: the events, and the kind of the alert if it was resolved. Unknown ids change nothing."""
        current = next((item for item in self._open.values() if item.alert_id == action.alert_id), None)
        if current is None:
            return [], None
        note = action.note or None
        if action.action in ("ack", "claim"):
            current.state = "acknowledged"
        elif action.action == "snooze":
            current.state, current.snoozed_until_s = "snoozed", action.until_s
        elif action.action == "resolve":
            current.state = "resolved"
            del self._open[current.kind]
        else:
            return [], None
        current.by = action.by
        event = self._event(current, at_s, None, note)
        return [event], current.kind if current.state == "resolved" else None

    def end(self, at_s: float) -> list[Alert]:
        """The call is over: what could only help during the call is closed."""
        kinds = [kind for kind in self._open if kind in _ENDED_WITH_CALL]
        return [event for kind in kinds for event in self.resolve(kind, at_s, "ended")]

    def _counted(self, item: _Open, reason: str) -> str:
        """The reason and, of what was said again, how often: receivers pass over an update that says the same."""
        again = {"reason": reason, "turns": str(item.times)}
        return self._texts.reason("again", self._language, again) if item.times > 1 else reason

    def _slots(self, evidence: list[Evidence], slots: dict[str, object]) -> dict[str, str]:
        names = dict.fromkeys(item.label for item in evidence)
        return {
            "labels": self._texts.labels(names, self._language),
            **{key: str(value) for key, value in slots.items()},
        }

    def _id(self, kind: str, mark: str) -> str:
        return "al-" + hashlib.sha256(f"{self._call_id}\n{kind}\n{mark}".encode()).hexdigest()[:16]

    def _event(
        self, item: _Open, at_s: float, segment_id: str | None, note: str | None = None, *, pending: bool = False
    ) -> Alert:
        return Alert(
            call_id=self._call_id,
            at_s=at_s,
            segment_id=segment_id if segment_id is not None else msgspec.UNSET,
            alert_id=item.alert_id,
            state=item.state,
            kind=item.kind,
            severity=item.severity,
            reason=item.reason,
            pending="score" if pending else msgspec.UNSET,
            evidence=list(item.evidence),
            audience="supervisor",
            by=item.by if item.by is not None else msgspec.UNSET,
            note=note if note is not None else msgspec.UNSET,
        )


def _kept(evidence: list[Evidence]) -> list[Evidence]:
    """All of it, or how it began and what came last where that is too much."""
    if len(evidence) <= _FIRST_EVIDENCE + _LATEST_EVIDENCE:
        return evidence
    return [*evidence[:_FIRST_EVIDENCE], *evidence[-_LATEST_EVIDENCE:]]
