"""One call: events in, effects out, in order, whenever the scores come back.

Inputs wait in a queue behind a turn whose score is not there yet, so what a call says never depends on how fast it
was scored, in which batch, or beside which other calls.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime

import msgspec

from models.labels import scored_role
from models.types import Score
from monitor.core import events
from monitor.core.context import Context, language_code
from monitor.core.deciding import calls_somebody
from monitor.core.heard import PENDING, Heard, combine
from monitor.core.inputs import AlertAction, Effect, Emit, NeedScore, Overdue, PromptAction, Scored, Tick
from monitor.core.judge import Judge
from monitor.core.rules import SUPPORTED_LANGUAGES, Rules
from monitor.packs import Hit
from stream.assembler import Output, Utterance
from stream.messages import CallEnd, CallHold, CallResume, CallStart, CallTransfer

Input = Output | Scored | Overdue | Tick | AlertAction | PromptAction


class CallView(msgspec.Struct, frozen=True):
    """A snapshot for lists: who, where, and how tense."""

    call_id: str
    channel: str
    language: str | None
    agent_id: str | None
    team: str | None
    queue: str | None
    customer_id: str | None
    started_at: datetime | None
    state: str
    tension: float
    risk: float
    stage: str
    last_at_s: float
    turns: int
    open_alerts: int


class _Waiting(msgspec.Struct):
    item: Input
    language: str | None = None
    abstained: str | None = None
    scored: Scored | None = None
    needs_score: bool = False
    hits: list[Hit] | None = None
    """What the phrase packs find in it, once that was looked for."""
    told: bool = False
    """What its words alone demand was done already."""
    shown: bool = False
    """`urgent_turns` has named it."""


class CallMonitor:
    """`handle(input) -> effects`; pure and deterministic."""

    def __init__(self, call_id: str, rules: Rules) -> None:
        self.call_id = call_id
        self._rules = rules
        self._context = Context(rules.guess, SUPPORTED_LANGUAGES)
        self._judge = Judge(call_id, rules)
        self._queue: deque[_Waiting] = deque()
        self._unscored: dict[str, _Waiting] = {}
        self._turns: dict[str, _Waiting] = {}
        """Turns in the queue, by segment."""

    def handle(self, item: Input) -> list[Effect]:
        """Effects of one input. A score for an unknown or already scored turn changes nothing."""
        effects: list[Effect] = []
        if isinstance(item, Scored):
            waiting = self._unscored.pop(item.segment_id, None)
            if waiting is not None:
                waiting.scored = item
        elif isinstance(item, Overdue):
            return [Emit(event) for event in self._overdue(item.segment_id)]
        elif isinstance(item, AlertAction) and self._queue:
            return [Emit(event) for event in self._judge.answer_early(item)]
        else:
            effects += self._enqueue(item)
        while self._queue and (not self._queue[0].needs_score or self._queue[0].scored is not None):
            effects += [Emit(event) for event in self._apply(self._queue.popleft())]
        return effects

    def urgent_turns(self) -> list[str]:
        """Turns in the queue that say something on which an alert fires whatever the model hears; each named once."""
        found = []
        for segment_id, waiting in self._turns.items():
            if not waiting.shown and not waiting.told:
                waiting.shown = True
                if self._calls_somebody(waiting):
                    found.append(segment_id)
        return found

    def is_overdue(self, segment_id: str) -> bool:
        """Is a turn that `urgent_turns` has named still in the queue, and nobody called for it yet?"""
        waiting = self._turns.get(segment_id)
        return waiting is not None and not waiting.told and self._calls_somebody(waiting)

    @property
    def next_wake_s(self) -> float | None:
        """Call time at which a `Tick` would do something; None while a score must come first."""
        return None if self._queue else self._judge.next_timer_s

    @property
    def ended(self) -> bool:
        return self._judge.state == "ended"

    @property
    def features(self) -> list[float]:
        """What the risk of the last point was computed from, in the order of `risk.FEATURES`."""
        return self._judge.features

    @property
    def view(self) -> CallView:
        judge, start = self._judge, self._judge.start
        return CallView(
            call_id=self.call_id,
            channel=start.channel,
            language=judge.language,
            agent_id=judge.agent_id,
            team=judge.team,
            queue=start.queue,
            customer_id=None if start.customer is None else start.customer.id,
            started_at=start.started_at,
            state=judge.state,
            tension=judge.tension,
            risk=judge.risk,
            stage=judge.stage,
            last_at_s=judge.now_s,
            turns=judge.turns,
            open_alerts=judge.open_alerts,
        )

    def _overdue(self, segment_id: str) -> list[events.Event]:
        waiting = self._turns.get(segment_id)
        if waiting is None or waiting.told or not isinstance(waiting.item, Utterance):
            return []
        waiting.told = True
        return self._judge.overdue(self._heard(waiting.item, waiting))

    def _calls_somebody(self, waiting: _Waiting) -> bool:
        turn = waiting.item
        by_customer = isinstance(turn, Utterance) and scored_role(turn.role) == "customer"
        return isinstance(turn, Utterance) and by_customer and calls_somebody(self._heard(turn, waiting))

    def _enqueue(self, item: Input) -> list[Effect]:
        waiting = _Waiting(item)
        self._queue.append(waiting)
        if isinstance(item, CallStart):
            self._context.start(item.channel, item.language)
        if not isinstance(item, Utterance):
            return []
        self._turns[item.segment_id] = waiting
        question, waiting.language, waiting.abstained = self._context.take(item)
        if question is None:
            return []
        waiting.needs_score = True
        self._unscored[item.segment_id] = waiting
        return [NeedScore(item.segment_id, question)]

    def _apply(self, waiting: _Waiting) -> list[events.Event]:
        item, judge = waiting.item, self._judge
        match item:
            case Utterance():
                del self._turns[item.segment_id]
                return judge.turn(self._heard(item, waiting))
            case CallStart():
                return judge.call_start(item)
            case CallHold():
                return judge.hold(item.at_s)
            case CallResume():
                return judge.resume(item.at_s)
            case CallTransfer():
                return judge.transfer(item)
            case CallEnd():
                return judge.end(item)
            case Tick():
                return judge.tick(item.at_s)
            case AlertAction():
                return judge.alert_action(item)
            case PromptAction():
                return judge.prompt_action(item)
            case _:
                raise TypeError(f"the core takes no {type(item).__name__}")

    def _heard(self, turn: Utterance, waiting: _Waiting) -> Heard:
        scored = waiting.scored
        score: Score | None = None if scored is None else scored.score
        if scored is not None:
            failed = scored.failed
        else:
            failed = PENDING if waiting.needs_score else None
        if waiting.abstained is not None:
            score = Score(emotions={}, heat=None, labels={}, embedding=b"", abstained=waiting.abstained)
        language = waiting.language or language_code(turn.language)
        if waiting.hits is None:
            waiting.hits = self._rules.packs.find(turn.text, turn.role, language)
        return combine(turn, language, score, failed, waiting.hits)
