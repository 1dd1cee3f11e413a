"""Recorded calls through the core, offline: the fold without a service around it.

What comes out is grouped by call, calls in the order in which they first appear, events in the order of the fold;
so the same file gives the same bytes however its calls interleave.

A line that is no message (`journal`, `score`, `tick`, ...) makes its call a journal, as exports are:
its texts are redacted already, its scores are used as they stand, and it is not closed at the end of the file,
because the service that wrote it had not closed it either. A bare transcript is redacted at the door as live calls
are, scored anew, and what still waits at its end is flushed; without a `call.end` it stays open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from models.types import Score, ScoreInput
from models.worker import Overloaded, Scores
from monitor.core.events import Event
from monitor.core.fold import Fold
from monitor.core.inputs import Effect, Emit, NeedScore, Scored
from monitor.core.rules import Rules
from monitor.door import redacted
from monitor.recordings import JournalHead, Line, LineError, by_call, is_journal, read_records
from stream.messages import Message

__all__ = ["LineError", "fold_call", "prepare", "read_records", "replay", "score_all", "scored"]

BATCH = 1024
"""Turns given to the scorer at a time; scores do not depend on it."""
Questions = dict[tuple[str, str], ScoreInput]
"""Turns to score, by call_id and segment_id."""
Answers = dict[tuple[str, str], Scored]
_Progress = Callable[[int, int], None]


def replay(
    records: Iterable[Line],
    rules: Rules,
    scorer: Scores,
    *,
    region: str = "",
    progress: _Progress | None = None,
) -> Iterator[tuple[str, Event]]:
    """The events of every call, as (call_id, event), with turns without a score scored by `scorer`."""
    calls, questions = prepare(records, rules, region)
    answers = score_all(questions, scorer, progress)
    for call_id, journal in calls.items():
        for event in fold_call(call_id, journal, rules, answers):
            yield call_id, event


def prepare(records: Iterable[Line], rules: Rules, region: str = "") -> tuple[dict[str, list[Line]], Questions]:
    """The lines of each call as the core may see them, and the turns that have no score among them."""
    calls = {call_id: _at_the_door(lines, region) for call_id, lines in by_call(records).items()}
    questions = {
        (call_id, need.segment_id): need.item
        for call_id, journal in calls.items()
        for need in _unanswered(call_id, journal, rules)
    }
    return calls, questions


def _at_the_door(records: list[Line], region: str) -> list[Line]:
    if is_journal(records):
        return records
    return [redacted(record, region) if isinstance(record, Message) else record for record in records]


def _unanswered(call_id: str, records: list[Line], rules: Rules) -> list[NeedScore]:
    """The turns whose score is not among the records; a fold without scores asks for all it would ever ask for."""
    fold = Fold(call_id, rules)
    said = [record for record in records if not isinstance(record, Scored | JournalHead)]
    effects = [effect for record in said for effect in fold.apply(record)]
    effects += [] if is_journal(records) else fold.close()
    known = {record.segment_id for record in records if isinstance(record, Scored)}
    return [effect for effect in effects if isinstance(effect, NeedScore) and effect.segment_id not in known]


def score_all(questions: Questions, scorer: Scores, progress: _Progress | None = None) -> Answers:
    """An answer to every question. Questions go to the scorer in the order of their text,
    so that batches are alike however the file is ordered; a score does not depend on its batch anyway."""
    waiting = sorted(questions, key=lambda key: (len(questions[key].text), questions[key].text, key))
    answers: Answers = {}
    for at in range(0, len(waiting), BATCH):
        batch = waiting[at : at + BATCH]
        for key, result in zip(batch, _scores([questions[key] for key in batch], scorer), strict=True):
            answers[key] = scored(*key, result)
        if progress is not None:
            progress(len(answers), len(waiting))
    return answers


def _scores(items: list[ScoreInput], scorer: Scores) -> list[Score | Exception]:
    """Scores of a batch; where it fails, of each turn alone, so that only the poison one fails, as live."""
    try:
        return list(scorer.score(items))
    except Overloaded:
        raise  # says nothing about the turns
    except Exception as error:
        if len(items) == 1:
            return [error]
        return [result for item in items for result in _scores([item], scorer)]


def scored(call_id: str, segment_id: str, result: Score | Exception) -> Scored:
    """The journal record of a result, as the service writes it."""
    if isinstance(result, Exception):
        return Scored(call_id=call_id, segment_id=segment_id, failed="scoring_failed")
    return Scored(call_id=call_id, segment_id=segment_id, score=result)


def fold_call(call_id: str, records: Sequence[Line], rules: Rules, answers: Answers | None = None) -> Iterator[Event]:
    """The events of one call from its lines, with `answers` given the moment they are asked for."""
    fold = Fold(call_id, rules)
    for record in records:
        if not isinstance(record, JournalHead):
            yield from _settle(fold, fold.apply(record), answers or {})
    if not is_journal(records):
        yield from _settle(fold, fold.close(), answers or {})


def _settle(fold: Fold, effects: list[Effect], answers: dict[tuple[str, str], Scored]) -> Iterator[Event]:
    """Emits in order; a turn's answer, where there is one, is applied as soon as the turn asks."""
    for effect in effects:
        if isinstance(effect, Emit):
            yield effect.event
        elif isinstance(effect, NeedScore):
            answer = answers.get((fold.call_id, effect.segment_id))
            if answer is not None:
                yield from _settle(fold, fold.apply(answer), answers)
