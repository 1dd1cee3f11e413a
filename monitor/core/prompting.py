"""Which calm-down prompt the agent sees, and when: one at a time, at a turn's end, rate-limited, never a reproach."""

from __future__ import annotations

import hashlib

import msgspec

from monitor.core.events import Prompt
from monitor.core.heard import Heard
from monitor.core.inputs import PromptAction
from monitor.core.settings import PromptSettings
from monitor.texts import Texts

CUSTOMER_SITUATIONS = (
    ("self_harm", "safety"), ("threat_violence", "safety"), ("emergency", "safety"),
    ("threat_complaint", "must_report"), ("threat_regulator", "must_report"),
    ("threat_media", "must_report"), ("threat_legal", "must_report"),
    ("ask_superior", "ask_superior"), ("extreme_demand", "extreme_demand"),
    ("compensation_demand", "compensation"), ("repetition", "repeated_point"), ("blocked", "blocked"),
    ("sarcasm", "sarcasm"), ("resigned", "resigned"), ("prior_doubt", "prior_doubt"),
    ("hardship", "hardship"), ("loyalty", "loyalty"), ("bounced", "bounced"),
    ("grievance", "care"), ("insult", "insult"), ("urgency", "urgency"),
)  # fmt: skip
"""Customer cue -> situation, the most pressing first."""

AGENT_SITUATIONS = (
    ("taboo", "taboo"), ("confront", "confront"), ("helpless", "only_one_way"), ("stock_apology", "stock_apology"),
    ("disbelieve", "disbelieve"), ("judge", "defend"), ("defend", "defend"), ("deflect", "deflect"),
    ("overpromise", "overpromise"), ("cold_transfer", "cold_transfer"), ("rush_close", "rush_close"),
    ("hesitate", "hesitate"), ("procedure_only", "space_mismatch"), ("miss_emotion", "miss_emotion"),
)  # fmt: skip
"""Agent wording -> situation; what the words were, never what the person is."""

URGENT = frozenset(
    {"safety", "must_report", "ask_superior", "relapse", "silence", *(name for _, name in AGENT_SITUATIONS)}
)
"""What cannot wait for the usual pause: it helps now or not at all."""
_SAME_AGAIN_S = 10.0
"""Even what is urgent is not said twice within so many seconds."""


class PromptDesk:
    """The prompts of one call."""

    def __init__(self, call_id: str, texts: Texts, settings: PromptSettings) -> None:
        self._call_id = call_id
        self._texts = texts
        self._settings = settings
        self._shown: dict[str, int] = {}
        self._last_at_s = 0.0
        self._last: Prompt | None = None

    def after_customer(
        self,
        heard: Heard,
        *,
        upset: bool,
        relapsed: bool,
        tension: float,
        stage: str,
        language: str | None,
        point: str | None,
    ) -> list[Prompt]:
        """At the end of a customer's turn: help with what was just said, only while there is something to calm."""
        cue = next(((label, situation) for label, situation in CUSTOMER_SITUATIONS if label in heard.labels), None)
        if cue is not None and cue[1] in ("safety", "must_report", "ask_superior"):
            situation, because = cue[1], [cue[0]]
        elif relapsed:
            situation, because = "relapse", [*heard.labels][:3]
        elif cue is not None and (upset or tension >= 0.2 or cue[1] in ("resigned", "sarcasm", "repeated_point")):
            situation, because = cue[1], [cue[0]]
        elif upset:
            situation, because = self._plain(stage), ["heat"]
        else:
            return []
        return self._show(situation, because, heard.turn.end_s, heard.segment_id, language, point)

    def after_agent(self, heard: Heard, *, heated: bool, cut_in: bool, language: str | None) -> list[Prompt]:
        """At the end of the agent's own turn: a better wording while it can still help. `cut_in`: it was spoken into
        the words of a customer who is venting."""
        worth = [
            (heard.labels[label].pack is msgspec.UNSET, label, situation)
            for label, situation in AGENT_SITUATIONS
            if label in heard.labels and (heated or situation in ("taboo", "confront"))
        ]
        worth = [item for item in worth if not item[0] or heard.labels[item[1]].score >= self._settings.wording_from]
        if not worth:
            said = (heard.turn.end_s, heard.segment_id, language, None)
            return self._show("listen", ["interruption"], *said) if cut_in else []
        _, label, situation = min(worth, key=lambda item: item[0])  # what a pack found is certain; then by the list
        return self._show(situation, [label], heard.turn.end_s, heard.segment_id, language, None)

    def on_clock(self, situation: str, at_s: float, language: str | None) -> list[Prompt]:
        """Prompts that no turn causes: `silence`, and `cool_down` after the call."""
        return self._show(situation, [situation], at_s, None, language, None)

    def act(self, action: PromptAction, at_s: float) -> list[Prompt]:
        """The agent used or dismissed the prompt on the screen; anything older is gone already."""
        shown = self._last
        if shown is None or shown.prompt_id != action.prompt_id or shown.state != "shown":
            return []
        self._last = msgspec.structs.replace(shown, state=action.action, at_s=at_s)
        return [self._last]

    def _plain(self, stage: str) -> str:
        """Let them talk first; then name what they feel; then a concrete step."""
        steps = ("listen", "name_feeling", "next_step")
        said = sum(self._shown.get(step, 0) for step in steps)
        return steps[min(said, 2)] if stage == "vent" else "next_step"

    def _show(
        self,
        situation: str,
        because: list[str],
        at_s: float,
        segment_id: str | None,
        language: str | None,
        point: str | None,
    ) -> list[Prompt]:
        gap_s = self._settings.urgent_gap_s if situation in URGENT else self._settings.min_gap_s
        last = self._last
        if last is not None:
            gap_s = max(gap_s, _SAME_AGAIN_S) if last.situation == situation else gap_s
            if at_s < self._last_at_s + gap_s:
                return []
        nth = self._shown.get(situation, 0)
        slots = {} if point is None else {"point": point}
        text, spoken = self._texts.prompt(situation, language, nth, slots)
        self._shown[situation] = nth + 1
        self._last_at_s = at_s
        mark = segment_id if segment_id is not None else f"@{at_s:.3f}"
        self._last = Prompt(
            call_id=self._call_id,
            at_s=at_s,
            segment_id=segment_id if segment_id is not None else msgspec.UNSET,
            prompt_id="pr-" + hashlib.sha256(f"{self._call_id}\n{situation}\n{mark}".encode()).hexdigest()[:16],
            state="shown",
            situation=situation,
            text=text,
            language=spoken,
            because=because,
        )
        return [self._last]
