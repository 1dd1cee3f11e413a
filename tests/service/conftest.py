"""A real service in one process: real store, real scoring thread, real rules; only the scorer is small."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest

from models.labels import EMOTIONS
from models.types import Score, ScoreInput
from models.worker import ScoringWorker
from monitor.config import BUNDLED, Config
from monitor.core.events import encode
from monitor.core.inputs import decode_record
from monitor.core.rules import Rules
from monitor.core.settings import Settings
from monitor.replay import fold_call
from monitor.service.hub import FeedFilter
from monitor.service.runtime import Runtime
from monitor.service.store import Store
from stream.messages import Agent, CallEnd, CallStart, Transcript

WORDS = {
    "furious": ("anger", 3.8),
    "annoyed": ("disgust", 2.2),
}
LABELS = {"manager": "ask_superior", "lawyer": "threat_legal", "thanks": "eased"}


class WordScorer:
    """Hears a few words; a `gate` holds every batch back until a test opens it."""

    version = "words"

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.gate.set()
        self.fail_on = "unscorable"

    def score(self, inputs: Sequence[ScoreInput]) -> list[Score]:
        assert self.gate.wait(60)
        return [self._one(item) for item in inputs]

    def _one(self, item: ScoreInput) -> Score:
        if self.fail_on in item.text:
            raise ValueError("cannot score this")
        customer = item.role == "customer"
        emotions, heat = dict.fromkeys(EMOTIONS, 0.02), 0.3
        for word, (emotion, hot) in WORDS.items():
            if word in item.text and customer:
                heat = max(heat, hot)
                emotions[emotion] = 0.9
        labels = {label: 0.9 for word, label in LABELS.items() if word in item.text and customer}
        seed = sum(item.text.encode()) % 100
        embedding = bytes((seed * (at + 3)) % 128 for at in range(32))
        return Score(emotions if customer else {}, heat if customer else None, labels, embedding)


def start(call_id: str = "c", agent: str | None = "a-1", team: str | None = "billing") -> CallStart:
    return CallStart(call_id=call_id, language="en", agent=None if agent is None else Agent(id=agent, team=team))


def said(n: int, text: str, call_id: str = "c", role: str = "customer", at_s: float | None = None) -> Transcript:
    """Final number `n`, four seconds a turn unless told otherwise."""
    begin = 4.0 * n if at_s is None else at_s
    return Transcript(
        call_id=call_id, segment_id=str(n), role=role, text=text, final=True, start_s=begin, end_s=begin + 3.0,
        language="en",
    )  # type: ignore[arg-type] # fmt: skip


def end(at_s: float, call_id: str = "c") -> CallEnd:
    return CallEnd(call_id=call_id, at_s=at_s, reason="hangup")


def make_rules(packs: Sequence[str] = ()) -> Rules:
    """What ships, with these phrase packs: mostly the scorer's labels are enough here."""
    texts = [f"{folder}/en.toml" for folder in ("prompts", "reasons")]
    return Rules.load(
        Settings(),
        packs=[(name, (BUNDLED / name).read_text("utf-8")) for name in packs],
        texts=[(name, (BUNDLED / name).read_text("utf-8")) for name in texts],
        risk=(BUNDLED / "risk.json").read_bytes(),
        guess=lambda text, prior: (prior or "en", 1.0),
        model_version="words",
    )


@pytest.fixture(scope="session")
def rules() -> Rules:
    return make_rules()


def with_settings(rules: Rules, **values: Any) -> Rules:
    """The same rules with other settings of the assembler or of the alerts."""
    settings = rules.settings
    parts = {
        name: {key: value for key, value in values.items() if key in getattr(settings, name).__struct_fields__}
        for name in ("assembler", "alerts")
    }
    changed = {name: msgspec.structs.replace(getattr(settings, name), **part) for name, part in parts.items()}
    return msgspec.structs.replace(rules, settings=msgspec.structs.replace(settings, **changed))


class Service:
    """One life of the service on one database."""

    def __init__(self, path: Path, rules: Rules, config: Config | None = None) -> None:
        self.path = path
        self.rules = rules
        self.config = config or Config()
        self.scorer = WordScorer()
        self.store = Store.open(str(path))
        self.runtime = Runtime(self.config, rules, ScoringWorker(self.scorer), self.store)

    async def until(self, call_id: str, found: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
        """The call's stored events once `found` says yes; looks again after every event of the feed."""
        async with asyncio.timeout(30):
            subscription = self.runtime.hub.subscribe(FeedFilter(call_id=call_id))
            try:
                async for _ in subscription:
                    stored = self.events(call_id)
                    if found(stored):
                        return stored
            finally:
                subscription.close()
        raise AssertionError("the feed ended")

    async def ended(self, call_id: str) -> list[dict[str, Any]]:
        """All events of a call once it has ended and left memory."""
        stored = await self.until(call_id, has_ended)
        await asyncio.to_thread(self.store.flush)
        assert self.runtime.view(call_id) is None
        return stored

    def events(self, call_id: str) -> list[dict[str, Any]]:
        return [msgspec.json.decode(body) for body in self.store.events(call_id)]

    def check(self, call_id: str) -> None:
        """The journal, folded again, gives the stored events byte for byte."""
        assert refolded(self.store.records(call_id), self.rules) == self.store.events(call_id)


def refolded(records: list[bytes], rules: Rules) -> list[bytes]:
    """The events of a journal as a replay makes them."""
    decoded = [decode_record(record) for record in records]
    return [encode(event) for event in fold_call(decoded[0].call_id, decoded, rules)] if decoded else []


def has_ended(events: list[dict[str, Any]]) -> bool:
    return any(event["type"] == "call" and event["state"] == "end" for event in events)


def of_type(events: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [event for event in events if event["type"] == kind]


Run = Callable[..., Any]


@pytest.fixture
def run(tmp_path: Path, rules: Rules) -> Run:
    """`async with run() as service:` is one life; a second `run()` is the next life of the same database."""

    @asynccontextmanager
    async def life(config: Config | None = None, rules: Rules = rules, **settings: Any) -> AsyncIterator[Service]:
        chosen = with_settings(rules, **settings) if settings else rules
        service = Service(tmp_path / "becalm.db", chosen, config)
        await service.runtime.start()
        try:
            yield service
        finally:
            service.scorer.gate.set()
            await service.runtime.stop()
            service.store.close()

    return life


async def take_all(service: Service, messages: Sequence[Any]) -> None:
    for message in messages:
        await service.runtime.take(message)
