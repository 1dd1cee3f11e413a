"""What a call's turns, in order and scored, amount to: its curve, its stages, its alerts, its prompts."""

from __future__ import annotations

import msgspec

from monitor.core import events
from monitor.core.closing import CallRecord
from monitor.core.curve import CALM_BELOW, Curve, tension_of
from monitor.core.deciding import Decider, State
from monitor.core.events import Event, LabelHit
from monitor.core.heard import Heard
from monitor.core.inputs import AlertAction, PromptAction
from monitor.core.interrupting import InterruptionWatch
from monitor.core.movement import move_by_agent, move_by_customer
from monitor.core.prompting import PromptDesk
from monitor.core.repetition import Repeated, RepetitionFinder
from monitor.core.risk import RunningFeatures
from monitor.core.rules import Rules
from monitor.core.silence import SilenceWatch
from monitor.core.stages import StageTracker, Turned
from monitor.core.suggesting import Route, Suggester
from monitor.core.wanting import WantTracker
from stream.messages import CallEnd, CallStart, CallTransfer
from stream.settings import ASYNCHRONOUS_CHANNELS

_HEATED = 0.2
"""Tension from which an agent's wording is worth a prompt."""


class Judge:
    """Takes inputs in their final order. Every method returns the events that the input causes, in order."""

    def __init__(self, call_id: str, rules: Rules) -> None:
        settings = rules.settings
        self.call_id = call_id
        self._rules = rules
        self.start = CallStart(call_id=call_id)
        self.state = "live"
        self.language: str | None = None
        self.agent_id: str | None = None
        self.team: str | None = None
        self.now_s = 0.0
        self.turns = 0
        self.tension = 0.0
        self.risk = 0.0
        self.features: list[float] = []
        """What the risk of the last point was computed from, in the order of `risk.FEATURES`."""
        self._peak = 0.0
        self._attended = True
        self._on_hold = False
        self._curve = Curve(settings.curve, settings.curve.half_life_s)
        self._stages = StageTracker(settings.stage)
        self._features = RunningFeatures()
        self._decider = Decider(call_id, rules)
        self._prompts = PromptDesk(call_id, rules.texts, settings.prompts)
        self._repetition = RepetitionFinder(settings.repetition)
        self._silence = SilenceWatch(settings.alerts, "voice")
        self._interruptions = InterruptionWatch("voice")
        self._interrupted = 0
        self._wants = WantTracker()
        self._suggester = Suggester()
        self._record = CallRecord()
        self._charges: list[str] = []
        self._offered: str | None = None

    @property
    def stage(self) -> str:
        return self._stages.stage

    @property
    def open_alerts(self) -> int:
        return self._decider.open_alerts

    @property
    def next_timer_s(self) -> float | None:
        """Call time at which something happens although nobody speaks; None when nothing waits."""
        if self.state == "ended":
            return None
        return min((at for at in (self._silence.due_s, self._decider.wake_s) if at is not None), default=None)

    def call_start(self, message: CallStart) -> list[Event]:
        self.start = message
        self.language = message.language
        if message.agent is not None:
            self.agent_id, self.team = message.agent.id, message.agent.team
        self._silence = SilenceWatch(self._rules.settings.alerts, message.channel)
        self._interruptions = InterruptionWatch(message.channel)
        if message.channel in ASYNCHRONOUS_CHANNELS:
            curve = self._rules.settings.curve
            self._curve = Curve(curve, curve.half_life_s * curve.asynchronous_factor)
        customer = None if message.customer is None else message.customer.id
        return [
            events.Call(
                call_id=self.call_id,
                at_s=0.0,
                state="start",
                channel=message.channel,
                language=message.language,
                agent_id=self.agent_id,
                team=self.team,
                customer_id=customer,
                queue=message.queue,
                started_at=message.started_at,
                versions=self._rules.versions,
            )
        ]

    def turn(self, heard: Heard) -> list[Event]:
        """One scored turn: what it says, where the curve goes, and what is done about it."""
        out = self.tick(heard.turn.start_s, inclusive=False)
        elapsed_s = self._advance(heard.turn.end_s)
        if self._attended:
            self._curve.decay(elapsed_s)
        self.turns += 1
        if self.language is None:
            self.language = heard.language
        heard, repeated = self._with_repetition(heard)
        cut_in = self._interruptions.cuts_in(heard)
        self._interrupted += cut_in
        out.append(_turn_event(self.call_id, self.now_s, heard, cut_in))
        return out + (self._customer(heard, repeated) if heard.by_customer else self._agent(heard, cut_in))

    def overdue(self, heard: Heard) -> list[Event]:
        """A turn whose score is late, by its words alone: whoever must be called is called; nothing else moves."""
        if not heard.by_customer:
            return []
        at_s = max(self.now_s, heard.turn.end_s)
        return [*self._decider.call(heard, msgspec.structs.replace(self._state(), at_s=at_s))]

    def tick(self, at_s: float, *, inclusive: bool = True) -> list[Event]:
        """Let call time reach `at_s`: whatever was due until then happens at its own time, in order."""
        out: list[Event] = []
        while (due_s := self.next_timer_s) is not None and (due_s <= at_s if inclusive else due_s < at_s):
            self._advance(due_s)
            if due_s == self._silence.due_s:
                told = self._decider.silence(self.now_s, self._silence.fired())
                out += told
                if told:  # once for each silence that is still open
                    out += self._prompts.on_clock("silence", self.now_s, self.language)
            else:
                out += self._decider.tick(self._state())
        return out

    def hold(self, at_s: float) -> list[Event]:
        if self._on_hold:
            return []
        out = self.tick(at_s, inclusive=False)
        self._advance(at_s)
        self._on_hold = True
        self._silence.hold()
        return [*out, self._call("hold")]

    def resume(self, at_s: float) -> list[Event]:
        if not self._on_hold:
            return []
        out = self.tick(at_s, inclusive=False)
        self._advance(at_s)
        self._on_hold = False
        self._silence.resume(self.now_s)
        return [*out, self._call("resume")]

    def transfer(self, message: CallTransfer) -> list[Event]:
        out = self.tick(message.at_s, inclusive=False)
        self._advance(message.at_s)
        self._record.transfers += 1
        to = {} if message.to.department is None else {"department": message.to.department}
        if message.to.agent is not None:
            to["agent"] = message.to.agent.id
            self.agent_id, self.team = message.to.agent.id, message.to.agent.team or self.team
        self._silence.transfer(self.now_s)
        return [
            *out,
            self._call("transfer", to=to, warm=message.warm, agent_id=self.agent_id, team=self.team),
        ]

    def end(self, message: CallEnd) -> list[Event]:
        out = self.tick(message.at_s, inclusive=False)
        self._advance(message.at_s)
        summary = self._record.summary(self.tension, self.stage, message.reason)
        out += self._decider.end(self.now_s, summary)
        if self._peak > CALM_BELOW:
            out += self._prompts.on_clock("cool_down", self.now_s, self.language)
        self.state = "ended"
        self._silence.end()
        ended = self._call(
            "end",
            reason=message.reason,
            customer_type=summary.customer_type,
            type_evidence=summary.type_evidence,
            peak_tension=self._peak,
            outcome_guess=summary.outcome_guess,
            flags=summary.flags,
            missed_signals=summary.missed_signals,
            wants=self._wants.history or msgspec.UNSET,
            interruptions=self._interrupted or msgspec.UNSET,
            suppressed=self._decider.held_back or msgspec.UNSET,
            script=msgspec.UNSET if summary.script is None else summary.script,
            transfers=self._record.transfers,
        )
        return [*out, ended]

    def alert_action(self, action: AlertAction) -> list[Event]:
        out = [] if self.state == "ended" else self.tick(action.at_s, inclusive=False)
        self._advance(action.at_s)
        return [*out, *self._decider.act(action, self.now_s)]

    def answer_early(self, action: AlertAction) -> list[Event]:
        """The same while turns wait for their scores: the answer counts at once, and call time stays where it is."""
        return [*self._decider.act(action, max(self.now_s, action.at_s))]

    def prompt_action(self, action: PromptAction) -> list[Event]:
        out = [] if self.state == "ended" else self.tick(action.at_s, inclusive=False)
        self._advance(action.at_s)
        return [*out, *self._prompts.act(action, self.now_s)]

    def _customer(self, heard: Heard, repeated: Repeated | None) -> list[Event]:
        upset = self._stages.upset(heard)
        if heard.known:
            move_by_customer(self._curve, heard, upset, self._charges, self._offered)
            self._charges, self._offered = [], None
            self._attended = not upset
        contributions = self._curve.contributions()
        left, turned = self._stages.customer_turn(heard, tension_of(contributions))
        if heard.known:
            self._wants.customer_turn(heard, self.now_s)
            self._features.customer_turn(heard)
        if heard.known or heard.degraded is not None:  # what a pack found counts although the scoring failed
            self._record.customer_turn(heard, upset)
        out = self._point(heard, contributions)
        out += self._turning(heard, left, turned)
        self._silence.customer_turn(heard, upset)
        relapsed = turned is not None and turned.kind == "relapse"
        out += self._decider.customer_turn(heard, self._state(), upset=upset, relapsed=relapsed)
        out += self._route(heard, self._suggester.customer_turn(heard, self._record.transfers))
        point = repeated.content[0] if repeated is not None and repeated.content else None
        return out + self._prompts.after_customer(
            heard,
            upset=upset,
            relapsed=relapsed,
            tension=self.tension,
            stage=self.stage,
            language=self.language,
            point=point,
        )

    def _agent(self, heard: Heard, cut_in: bool) -> list[Event]:
        heated = self.tension >= _HEATED or self.stage == "vent"
        if heard.known:
            moved = move_by_agent(self._curve, heard)
            self._charges += moved.failing
            self._offered = heard.segment_id if moved.offers else self._offered
            self._attended = self._attended or bool(moved.helpful)
            self._stages.agent_turn(moved.helpful)
            self._features.agent_turn(heard)
            self._record.agent_turn(heard)
        out = self._point(heard, self._curve.contributions())
        out += self._decider.answered(self.now_s, heard.segment_id)
        self._silence.agent_turn(heard)
        out += self._decider.agent_turn(heard, self._state())
        out += self._route(heard, self._suggester.agent_turn(heard))
        cut_in = cut_in and self.stage == "vent"
        return out + self._prompts.after_agent(heard, heated=heated, cut_in=cut_in, language=self.language)

    def _point(self, heard: Heard, contributions: list[events.Contribution]) -> list[Event]:
        self.tension = tension_of(contributions)
        self._peak = max(self._peak, self.tension)
        self.features = self._features.values(self.tension, self._peak, self._stages.relapses)
        self.risk = self._rules.risk.probability(self.features)
        return [
            events.Point(
                call_id=self.call_id,
                at_s=self.now_s,
                segment_id=heard.segment_id,
                tension=self.tension,
                risk=self.risk,
                stage=self.stage,
                degraded=heard.degraded if heard.degraded is not None else heard.abstained,
                contributions=contributions,
                wants=self._wants.current or msgspec.UNSET,
            )
        ]

    def _turning(self, heard: Heard, left: str | None, turned: Turned | None) -> list[Event]:
        out: list[Event] = []
        at_s, segment = self.now_s, heard.segment_id
        if left is not None:
            out.append(events.Stage(call_id=self.call_id, at_s=at_s, segment_id=segment, from_=left, to=self.stage))
        if turned is not None:
            since = msgspec.UNSET if turned.since_segment_id is None else turned.since_segment_id
            out.append(
                events.Pivot(
                    call_id=self.call_id,
                    at_s=at_s,
                    segment_id=segment,
                    kind=turned.kind,
                    because=turned.because,
                    since_segment_id=since,
                )
            )
        return out

    def _route(self, heard: Heard, route: Route | None) -> list[Event]:
        if route is None:
            return []
        return [
            events.Suggestion(
                call_id=self.call_id,
                at_s=self.now_s,
                segment_id=heard.segment_id,
                escalation_type=route.escalation_type,
                tier=route.tier,
                reason=self._rules.texts.reason(route.reason, self._rules.settings.alerts.language, {}),
            )
        ]

    def _with_repetition(self, heard: Heard) -> tuple[Heard, Repeated | None]:
        """What is said again is found over the turns of the call; one turn alone cannot tell."""
        if not heard.by_customer:
            return heard, None
        repeated = self._repetition.add(heard)
        asked = "cooperates" in heard.labels and not self._stages.upset(heard)
        if repeated is None or asked:  # who answers the same question again does not insist
            return heard, None
        told = heard.labels.get("repetition")
        hit = LabelHit(
            name="repetition",
            score=max(0.7, told.score if told is not None else 0.0),
            start=repeated.start,
            end=repeated.end,
            content=repeated.content,
            count=repeated.count,
        )
        return msgspec.structs.replace(heard, labels={**heard.labels, "repetition": hit}), repeated

    def _state(self) -> State:
        return State(self.now_s, self.tension, self.risk, self.stage)

    def _advance(self, at_s: float) -> float:
        """Move call time on (never back); returns the seconds of speech time that passed, none on hold."""
        elapsed_s = 0.0 if self._on_hold else max(0.0, at_s - self.now_s)
        self.now_s = max(self.now_s, at_s)
        return elapsed_s

    def _call(self, state: str, **fields: object) -> events.Call:
        return events.Call(call_id=self.call_id, at_s=self.now_s, state=state, **fields)  # type: ignore[arg-type]


def _turn_event(call_id: str, at_s: float, heard: Heard, cut_in: bool) -> events.Turn:
    turn = heard.turn
    return events.Turn(
        call_id=call_id,
        at_s=at_s,
        segment_id=turn.segment_id,
        segments=list(turn.segments),
        role=turn.role,
        text=turn.text,
        start_s=turn.start_s,
        end_s=turn.end_s,
        language=heard.language,
        emotions=heard.emotions,
        heat=round(heard.heat, 4) if heard.by_customer and heard.known else None,
        labels=list(heard.labels.values()),
        abstained=heard.abstained,
        interrupted=True if cut_in else msgspec.UNSET,
    )
