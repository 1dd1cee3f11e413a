"""What one turn says, once the model and the phrase packs have both been asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from models.labels import CUES, FAILING_MOVES, GOOD_MOVES, MUST_NOT_MISS, SAFETY, THREATS, scored_role
from models.types import Score
from monitor.core.events import Evidence, LabelHit
from monitor.packs import Hit
from stream.assembler import Utterance

HOLDS = 0.5
PACK_SCORE = 0.9
"""What a phrase of a pack counts for at least."""
SURELY_NOT = 0.02
"""A threat, a danger or a request that the model gives less than this is another sense of the phrase (an idiom, a
story, a denial). On lines and calls that trained nothing that is so for 18 of 33 false hits and 4 of 279 true ones."""
THREAT_LABELS = frozenset(THREATS)
SAFETY_LABELS = frozenset(SAFETY)
GOOD = frozenset((*GOOD_MOVES, "m02_empathise", "m03_confirm_issue", "m06_set_expectation", "m07_reassure_apologise",
                  "m14_next_steps"))  # fmt: skip
"""What helps: an agent's good moves, and the steps with which a manager does the same."""
FAILING = frozenset(FAILING_MOVES)
PENDING = "score_pending"
"""Why a turn's model part is missing while it is only late."""
_QUOTE_CHARS = 160


class Heard(msgspec.Struct, frozen=True):
    """One turn as understood: everything after it works on this alone."""

    turn: Utterance
    language: str | None
    emotions: dict[str, float]
    heat: float
    """0-4; 0 where nothing was scored."""
    labels: dict[str, LabelHit]
    abstained: str | None
    degraded: str | None
    """Why the model's part is missing (scoring failed, or is late), or None."""
    embedding: bytes = b""
    half_heard: dict[str, float] = {}
    """Every label the model gives some probability to, held or not."""

    @property
    def segment_id(self) -> str:
        return self.turn.segment_id

    @property
    def by_customer(self) -> bool:
        return scored_role(self.turn.role) == "customer"

    @property
    def known(self) -> bool:
        """False where the turn must move nothing."""
        return self.abstained is None and self.degraded is None

    def probability(self, label: str) -> float:
        """How likely the label is, in [0, 1]; 0 where the model did not name it."""
        held = self.labels.get(label)
        return max(held.score if held is not None else 0.0, self.half_heard.get(label, 0.0))

    def holding(self, names: frozenset[str]) -> list[str]:
        return [name for name in self.labels if name in names]

    def quote(self, label: str) -> Evidence:
        """The words that say it: the span where one is known, else the turn, cut to a readable length."""
        hit = self.labels.get(label)
        text = self.turn.text
        if hit is not None and isinstance(hit.start, int) and isinstance(hit.end, int):
            text = text[hit.start : hit.end]
        elif len(text) > _QUOTE_CHARS:
            text = text[: _QUOTE_CHARS - 1].rstrip() + "…"
        return Evidence(segment_id=self.segment_id, quote=text, label=label)


def vote(score: Score | None, hits: Sequence[Hit]) -> dict[str, LabelHit]:
    """The labels that hold, most urgent first: what the model hears, and what the packs find unless the model is sure
    that it is nothing of the kind. A pack hit brings the span for both. `score`: None, or one to be used."""
    heard = score.labels if score is not None else {}
    labels = {name: LabelHit(name=name, score=p) for name, p in sorted(heard.items()) if p >= HOLDS}
    first: dict[str, Hit] = {}
    for hit in hits:
        if not _surely_not(hit.label, heard):
            first.setdefault(hit.label, hit)
    for name, hit in first.items():
        p = max(heard.get(name, 0.0), PACK_SCORE)
        labels[name] = LabelHit(name=name, score=p, start=hit.start, end=hit.end, pack=hit.pack)
    return dict(sorted(labels.items(), key=lambda item: _ORDER.get(item[0], len(_ORDER))))


def _surely_not(label: str, heard: Mapping[str, float]) -> bool:
    """Whether the model rules out `label` and all of its kind; a model that does not say rules out nothing."""
    kind = next((kind for kind in _KINDS if label in kind), frozenset[str]())
    said = [heard[name] for name in kind if name in heard]
    return bool(said) and max(said) < SURELY_NOT


def combine(turn: Utterance, language: str | None, score: Score | None, failed: str | None, hits: list[Hit]) -> Heard:
    """A turn, its score (or why there is none) and its pack hits."""
    abstained = score.abstained if score is not None else None
    usable = score if abstained is None else None
    return Heard(
        turn=turn,
        language=language,
        emotions=usable.emotions if usable is not None else {},
        heat=usable.heat if usable is not None and usable.heat is not None else 0.0,
        labels=vote(usable, hits),
        abstained=abstained,
        degraded=failed,
        embedding=score.embedding if score is not None else b"",
        half_heard=usable.labels if usable is not None else {},
    )


_KINDS = (THREAT_LABELS, *(frozenset({name}) for name in (*SAFETY, "ask_superior")))
_ORDER = {name: rank for rank, name in enumerate((*MUST_NOT_MISS, *CUES, *FAILING_MOVES, *GOOD_MOVES))}
