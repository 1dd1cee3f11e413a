"""Recorded calls into a database, through the same fold and the same rows as live ones."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterable

import msgspec

from models.worker import Scores
from monitor.core.inputs import Tick
from monitor.core.rules import Rules
from monitor.recordings import JournalHead, Line, is_journal
from monitor.replay import Answers, prepare, score_all
from monitor.service.livecall import LiveCall, Step
from monitor.service.rows import CallRow, Write
from monitor.service.store import Store
from stream.messages import CallEnd, CallStart, Message, Transcript

SOURCE = "import"


class Imported(msgspec.Struct):
    """What came of an import: calls by id."""

    stored: list[str] = []
    known: list[str] = []
    """Left alone, because the database has a call of this id."""


def import_calls(records: Iterable[Line], rules: Rules, scorer: Scores, store: Store, region: str = "") -> Imported:
    """Stores every call that the database does not have, each in one transaction. A call without an end stays live,
    and a service that is started on this database ends it when it has been idle for long enough.

    Raises sqlite3.Error when a call cannot be written; those before it are stored.
    """
    calls, questions = prepare(records, rules, region)
    done = Imported()
    for call_id in list(calls):
        if store.call(call_id) is not None:
            done.known.append(call_id)
            del calls[call_id]
    new = {key: item for key, item in questions.items() if key[0] in calls}
    answers = score_all(new, scorer)
    for call_id, journal in calls.items():
        _store(store, _whole(call_id, journal, rules, answers))
        done.stored.append(call_id)
    return done


def _whole(call_id: str, journal: list[Line], rules: Rules, answers: Answers) -> Write:
    """What the service would have stored of a call, in one write; wall-clock times are the call's own."""
    opened_at = _opened_at(journal)
    row = CallRow(call_id, SOURCE, opened_at, opened_at)
    call = LiveCall(call_id, row, rules, 0.0, wall_s=lambda at_s: opened_at + at_s)
    whole = Write()
    for record in journal:
        if isinstance(record, JournalHead) or (isinstance(record, Message) and call.knows(record)):
            continue  # what is said twice the service keeps no record of either
        _add(whole, call, call.apply(record, 0.0), answers)
    if not is_journal(journal) and any(isinstance(record, CallEnd) for record in journal):
        _let_go(whole, call, answers)
    return whole


def _let_go(whole: Write, call: LiveCall, answers: Answers) -> None:
    """The end of a call waits for stragglers; here the file is over, so time passes as it would in the service."""
    while call.fold.takes_messages and (release_s := call.fold.next_release) is not None:
        _add(whole, call, call.apply(Tick(call_id=call.call_id, at_s=release_s), 0.0), answers)


def _add(whole: Write, call: LiveCall, step: Step, answers: Answers) -> None:
    for name in ("records", "events", "alerts", "texts", "labels"):
        getattr(whole, name).extend(getattr(step.write, name))
    whole.calls = step.write.calls or whole.calls
    for need in step.needs:
        answer = answers.get((call.call_id, need.segment_id))
        if answer is not None:
            _add(whole, call, call.apply(answer, 0.0), answers)


def _opened_at(journal: list[Line]) -> float:
    """When the call began, in wall-clock seconds: as the export or the source says; else as if it ended now."""
    head = next((line for line in journal if isinstance(line, JournalHead)), None)
    if head is not None and head.opened_at is not None:
        return head.opened_at.timestamp()
    start = next((line for line in journal if isinstance(line, CallStart)), None)
    if start is not None and start.started_at is not None:
        return start.started_at.timestamp()
    return time.time() - max((_at_s(line) for line in journal), default=0.0)


def _at_s(line: Line) -> float:
    """The call time that a line speaks of; 0 for those that speak of none."""
    return line.time_s if isinstance(line, Transcript) else getattr(line, "at_s", 0.0)


def _store(store: Store, write: Write) -> None:
    answer: queue.SimpleQueue[list[int] | Exception] = queue.SimpleQueue()
    store.write(write, answer.put)
    result = answer.get()
    if isinstance(result, Exception):
        raise result
