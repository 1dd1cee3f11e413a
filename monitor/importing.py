"""Recorded calls into a database, through the same fold and the same rows as live ones."""

from __future__ import annotations

import queue
import time
from collections.abc import Iterable

import msgspec

from models.worker import Scores
from monitor.core.inputs import Record, Tick
from monitor.core.rules import Rules
from monitor.recordings import is_journal
from monitor.replay import Answers, prepare, score_all
from monitor.service.livecall import LiveCall, Step
from monitor.service.rows import CallRow, Write
from monitor.service.store import Store
from stream.messages import CallEnd, CallStart, Message

SOURCE = "import"


class Imported(msgspec.Struct):
    """What came of an import: calls by id."""

    stored: list[str] = []
    known: list[str] = []
    """Left alone, because the database has a call of this id."""


def import_calls(records: Iterable[Record], rules: Rules, scorer: Scores, store: Store, region: str = "") -> Imported:
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


def _whole(call_id: str, journal: list[Record], rules: Rules, answers: Answers) -> Write:
    """Everything that the service would have stored of a call, in one write."""
    opened_at = _opened_at(journal)
    call = LiveCall(call_id, CallRow(call_id, SOURCE, opened_at, opened_at), rules, 0.0)
    whole = Write()
    for record in journal:
        if isinstance(record, Message) and call.knows(record):
            continue  # said twice: the service keeps no record of it either
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


def _opened_at(journal: list[Record]) -> float:
    """When the call began by its own word, in wall-clock seconds; now, where it does not say."""
    start = next((record for record in journal if isinstance(record, CallStart)), None)
    return time.time() if start is None or start.started_at is None else start.started_at.timestamp()


def _store(store: Store, write: Write) -> None:
    answer: queue.SimpleQueue[list[int] | Exception] = queue.SimpleQueue()
    store.write(write, answer.put)
    result = answer.get()
    if isinstance(result, Exception):
        raise result
