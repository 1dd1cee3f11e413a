"""Labelled calls of the corpus: as records for the fold, of which kind they are, and what Becalm says on each.

Kinds and the turn at which a supervisor should know are those of the label guide, section 6.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal, get_args

import msgspec

from models.labels import EMOTIONS
from models.types import Score, ScoreInput
from monitor.core.events import Alert, Point, Turn
from monitor.core.fold import Fold
from monitor.core.inputs import Effect, Emit, NeedScore, Record, Scored
from monitor.core.rules import Rules
from stream.messages import CallEnd, CallHold, CallResume, CallStart, CallTransfer, Transcript, TransferTo
from stream.schema import Channel, Role

UPSET = 2
"""Labelled heat from which a customer turn counts as upset."""
TELLING_KINDS = frozenset({"risk", "must_report", "escalation_request"})
"""Alerts with which a supervisor knows that the call goes badly."""
Kind = Literal["bad", "quiet", "watched"]
Scores = Mapping[tuple[str, int], Score]
"""By call_id and index of the turn."""


class LabelledTurn(msgspec.Struct, frozen=True):
    """One turn with its labels; `t` in seconds since the call's start, `heat` 0 to 4 on customer turns."""

    t: float
    role: Role
    text: str
    emotions: list[str] = []
    heat: int | None = None
    labels: list[str] = []
    event: str | None = None


class LabelledCall(msgspec.Struct, frozen=True):
    """One line of a corpus file of calls, as far as risk and alerts are measured on it."""

    call_id: str
    lang: str
    channel: str
    outcome: str
    turns: list[LabelledTurn]
    escalation_turn: int | None = None

    def __post_init__(self) -> None:
        if not self.turns:
            raise ValueError("the call has no turns")

    @property
    def kind(self) -> Kind:
        """**bad**: emotion ends the call badly; **quiet**: resolved without need of a supervisor; else **watched**."""
        upset = [i for i, turn in enumerate(self.turns) if _is_upset(turn)]
        replied = any(turn.role != "customer" for turn in self.turns[upset[0] : upset[-1]]) if upset else False
        last = next((turn for turn in reversed(self.turns) if turn.role == "customer"), None)
        ends_upset = last is not None and (_is_upset(last) or "resigned" in last.labels)
        ends_badly = self.outcome in ("escalated", "abandoned") or (self.outcome == "unresolved" and ends_upset)
        if ends_badly and replied and self.escalation_turn is not None:
            return "bad"
        return "quiet" if self.outcome == "resolved" and self.escalation_turn is None else "watched"


def _is_upset(turn: LabelledTurn) -> bool:
    return turn.role == "customer" and turn.heat is not None and turn.heat >= UPSET


class SaidAlert(msgspec.Struct, frozen=True):
    """One alert event; `turn` is the index of the last turn heard when it came."""

    kind: str
    state: str
    turn: int
    at_s: float
    recovered: bool
    """Resolved because the call calmed down, and for no other reason."""


class SaidPoint(msgspec.Struct, frozen=True):
    """The curve after a turn; `features` in the order of `risk.FEATURES`."""

    turn: int
    at_s: float
    risk: float
    features: list[float]


class Run(msgspec.Struct, frozen=True):
    """A call and all that Becalm said on it: one point a turn, alerts in their order."""

    call: LabelledCall
    alerts: list[SaidAlert]
    points: list[SaidPoint]

    def first(self, kinds: Iterable[str]) -> SaidAlert | None:
        """The first alert of one of these kinds to fire."""
        wanted = frozenset(kinds)
        return next((alert for alert in self.alerts if alert.kind in wanted and alert.state == "firing"), None)


_decoder = msgspec.json.Decoder(LabelledCall)


def decode_call(line: str | bytes) -> LabelledCall:
    """Raises msgspec.DecodeError on what is no labelled call; its text names the field."""
    return _decoder.decode(line)


def decode_scores(lines: Iterable[str]) -> dict[tuple[str, int], Score]:
    """Scores of calls, one turn a line: `call_id`, `turn` and the fields of a score.

    Raises msgspec.DecodeError or ValueError on a line of another form.
    """
    found: dict[tuple[str, int], Score] = {}
    for line in lines:
        if line.strip():
            row = json.loads(line)
            where = msgspec.convert(row, _Where)
            found[where.call_id, where.turn] = msgspec.convert(row, Score)
    return found


class _Where(msgspec.Struct):
    call_id: str
    turn: int


def records(call: LabelledCall) -> Iterator[Record]:
    """The call as messages; segment ids are turn indexes."""
    name = call.call_id
    channel: Channel = next((known for known in get_args(Channel) if known == call.channel), "email")
    yield CallStart(call_id=name, channel=channel, language=call.lang)
    for i, turn in enumerate(call.turns):
        if turn.event == "transfer":
            yield CallTransfer(call_id=name, at_s=turn.t, to=TransferTo(department="other"))
        if turn.event == "hold_end":
            yield CallResume(call_id=name, at_s=turn.t)
        end_s = end_of(call, i)
        yield Transcript(
            call_id=name,
            segment_id=str(i),
            role=turn.role,
            text=turn.text,
            final=True,
            start_s=turn.t,
            end_s=end_s,
        )
        if turn.event == "hold_start":
            yield CallHold(call_id=name, at_s=end_s)
    yield CallEnd(call_id=name, at_s=call.turns[-1].t + 4.0, reason="end")


def end_of(call: LabelledCall, index: int) -> float:
    """Call time in seconds at which a turn is over; the corpus gives starts only."""
    at_s = call.turns[index].t
    gap = call.turns[index + 1].t - at_s if index + 1 < len(call.turns) else 3.0
    return at_s + max(0.2, 0.9 * gap) if gap < 30 else at_s + 5.0


def gold_score(turn: LabelledTurn) -> Score:
    """What a perfect ear would have said of a turn."""
    customer = turn.role == "customer"
    emotions = {name: 0.95 if name in turn.emotions else 0.03 for name in EMOTIONS} if customer else {}
    return Score(
        emotions=emotions,
        heat=float(turn.heat or 0) if customer else None,
        labels=dict.fromkeys(turn.labels, 0.95),
        embedding=b"",
    )


def gold_scores(call: LabelledCall) -> dict[tuple[str, int], Score]:
    """Scores of a perfect ear for every turn of a call."""
    return {(call.call_id, i): gold_score(turn) for i, turn in enumerate(call.turns)}


def questions(call: LabelledCall, rules: Rules) -> dict[tuple[str, str], ScoreInput]:
    """What the fold asks the scorer over the call, by call_id and segment_id."""
    fold = Fold(call.call_id, rules)
    effects = [effect for record in records(call) for effect in fold.apply(record)]
    return {(call.call_id, ask.segment_id): ask.item for ask in effects if isinstance(ask, NeedScore)}


def has_scores(call: LabelledCall, scores: Scores) -> bool:
    return all((call.call_id, i) in scores for i in range(len(call.turns)))


def run(call: LabelledCall, rules: Rules, scores: Scores) -> Run:
    """Fold one call with the given scores. Raises KeyError where a turn that is asked for has none."""
    recovered = rules.texts.reason("recovered", rules.settings.alerts.language, {})
    fold = Fold(call.call_id, rules)
    heard = -1
    alerts: list[SaidAlert] = []
    points: list[SaidPoint] = []

    def take(effects: list[Effect]) -> None:
        nonlocal heard
        for effect in effects:
            if isinstance(effect, NeedScore):
                score = scores[call.call_id, int(effect.segment_id)]
                take(fold.apply(Scored(call_id=call.call_id, segment_id=effect.segment_id, score=score)))
            elif isinstance(effect, Emit):
                event = effect.event
                if isinstance(event, Turn):
                    heard = int(event.segments[0])
                elif isinstance(event, Point):
                    points.append(SaidPoint(heard, event.at_s, event.risk, fold.features))
                elif isinstance(event, Alert):
                    done = event.state == "resolved" and event.reason == recovered
                    alerts.append(SaidAlert(event.kind, event.state, heard, event.at_s, done))

    for record in records(call):
        take(fold.apply(record))
    return Run(call, alerts, points)
