"""The whole way once with what ships: the bundled model, packs and texts, live under load beside other calls."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from models.scorer import Scorer
from models.worker import ScoringWorker
from monitor.config import Config
from monitor.core.events import Alert, Event, decode, encode
from monitor.recordings import read_records
from monitor.replay import replay
from monitor.rules_loading import load_rules
from monitor.service.hub import FeedFilter
from monitor.service.runtime import Runtime
from monitor.service.store import Store
from tests.service.conftest import refolded

DEMO = Path(__file__).parent.parent.parent / "configs" / "demo"


@pytest.mark.asyncio
async def test_demo_calls_side_by_side_replay_to_the_same_bytes(tmp_path: Path) -> None:
    scorer = Scorer(threads=1)
    rules = load_rules(Config(), scorer.version)
    recorded: dict[str, list[Any]] = {}
    for file in sorted(DEMO.glob("*.jsonl"))[:2]:
        for record in read_records(file.read_bytes().splitlines(), file.name):
            recorded.setdefault(record.call_id, []).append(record)
    store = Store.open(str(tmp_path / "becalm.db"))
    runtime = Runtime(Config(), rules, ScoringWorker(scorer), store)
    await runtime.start()
    subscription = runtime.hub.subscribe(FeedFilter())
    waiting = set(recorded)
    async with asyncio.timeout(120):
        await asyncio.gather(*(play(runtime, messages) for messages in recorded.values()))
        async for frame in subscription:
            waiting -= {call_id for call_id in waiting if b'"state":"end"' in frame and call_id.encode() in frame}
            if not waiting:
                break
    await runtime.stop()
    for call_id, messages in recorded.items():
        stored = store.events(call_id)
        assert refolded(store.records(call_id), rules) == stored
        anew = [encode(event) for _, event in replay(messages, rules, scorer)]
        # An alert that did not wait for the model stands before its turn; the rest is the same bytes.
        others = [[body for body in bodies if b'"type":"alert"' not in body] for bodies in (stored, anew)]
        assert others[0] == others[1]
        alerts = [sorted(map(alert_of, filter(alert_of, map(decode, bodies)))) for bodies in (stored, anew)]
        assert alerts[0] == alerts[1]
    store.close()


def alert_of(event: Event) -> tuple[str, str, float] | None:
    return (event.alert_id, event.state, event.at_s) if isinstance(event, Alert) else None


async def play(runtime: Runtime, messages: list[Any]) -> None:
    for message in messages:
        await runtime.take(message)
