"""The calls of a database with what supervisors said of their alerts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import msgspec

from monitor.cli.failure import Failure

if TYPE_CHECKING:
    from monitor.recordings import Line


_MOST_CALLS = 1_000_000
"""Beyond it the oldest calls are left out."""


class _Feedback(msgspec.Struct):
    verdict: str


def from_database(path: str) -> Iterator[Line]:
    """The journals of all ended calls, each with its feedback as `alert.action` records behind it. Raises Failure."""
    from monitor.core.inputs import AlertAction, decode_record
    from monitor.recordings import JournalHead
    from monitor.service.rows import CallQuery, StoreError
    from monitor.service.store import Store

    try:
        store = Store.open(path, read_only=True)
    except StoreError as error:
        raise Failure(str(error)) from None
    try:
        for row in store.calls(CallQuery(live=False, limit=_MOST_CALLS)):
            yield JournalHead(call_id=row.call_id)
            yield from map(decode_record, store.records(row.call_id))
            for said in store.annotations(row.call_id):
                if said.kind == "feedback" and said.alert_id is not None:
                    verdict = msgspec.json.decode(said.body, type=_Feedback).verdict
                    yield AlertAction(
                        call_id=row.call_id, at_s=row.last_at_s, alert_id=said.alert_id, action=verdict, by=said.by
                    )
    finally:
        store.close()
