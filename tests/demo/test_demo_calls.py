"""The bundled sample calls are well-formed, well-paced and cover what the demo promises."""

import json
import re
from collections import defaultdict
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from stream.messages import Transcript, decode

DEMO = Path(__file__).parents[2] / "configs" / "demo"
FILES = sorted(DEMO.glob("*.jsonl"))

LANGUAGES = {"zh-Hans", "zh-Hant", "hr", "en", "es", "de"}
KINDS = {
    "polite-must-report",
    "slow-burn",
    "sudden-burst",
    "failing-agent",
    "relapse",
    "sarcasm",
    "harmless-look-alike",
    "noisy-nagging",
    "well-handled",
    "warm-transfer-manager",
    "calm-chat",
    "quiet-emergency",
}
FIRST_ALERT = ("01-polite-must-report", "2")  # the turn that puts the first alert on the page

each_call = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)

Message = dict[str, Any]


@cache
def messages(path: Path) -> list[Message]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def channel(path: Path) -> str:
    return str(messages(path)[0]["channel"])


def transcripts(path: Path) -> list[Message]:
    return [m for m in messages(path) if m["type"] == "transcript"]


def finals(path: Path) -> list[Message]:
    return [m for m in transcripts(path) if m["final"]]


def arrival_s(message: Message) -> float:
    """A transcript arrives when it has been said; a call starts at 0."""
    return float(message["end_s"] if message["type"] == "transcript" else message.get("at_s", 0.0))


def text_of(stem: str) -> str:
    return "\n".join(m["text"] for m in finals(DEMO / f"{stem}.jsonl"))


@each_call
def test_every_line_decodes(path: Path) -> None:
    for line, plain in zip(path.read_text(encoding="utf-8").splitlines(), messages(path), strict=True):
        message = decode(line)
        assert message.call_id == plain["call_id"]
        if plain["type"] == "transcript":
            assert isinstance(message, Transcript)
            assert (message.text, message.final) == (plain["text"], plain["final"])


@each_call
def test_opens_with_start_closes_with_end_and_is_one_call(path: Path) -> None:
    types = [m["type"] for m in messages(path)]
    assert (types[0], types[-1]) == ("call.start", "call.end")
    assert types.count("call.start") == types.count("call.end") == 1
    assert {m["call_id"] for m in messages(path)} == {f"demo-{path.stem}"}
    start = messages(path)[0]
    assert start["language"] in LANGUAGES
    assert start["agent"]["team"] in {"billing", "technical", "support", "claims"}
    assert "started_at" not in start, "the demo's clock says when a call started"


@each_call
def test_messages_stand_in_the_order_they_arrive(path: Path) -> None:
    arrivals = [arrival_s(m) for m in messages(path)]
    assert arrivals == sorted(arrivals)
    assert all(0 <= m["start_s"] < m["end_s"] for m in transcripts(path))
    starts = [m["start_s"] for m in finals(path)]
    assert starts == sorted(starts)


@each_call
def test_segment_ids_count_up_from_one(path: Path) -> None:
    ids = [m["segment_id"] for m in finals(path)]
    assert ids == [str(n) for n in range(1, len(ids) + 1)]


@each_call
def test_interims_lead_to_their_final_with_rising_revision(path: Path) -> None:
    by_segment: dict[str, list[Message]] = defaultdict(list)
    for message in transcripts(path):
        by_segment[message["segment_id"]].append(message)
    for versions in by_segment.values():
        assert [m["revision"] for m in versions] == list(range(len(versions)))
        assert [m["final"] for m in versions] == [False] * (len(versions) - 1) + [True]
        assert len({(m["role"], m["start_s"], m["language"]) for m in versions}) == 1


@each_call
def test_length_is_watchable(path: Path) -> None:
    assert 12 <= len(finals(path)) <= 30
    assert 60 <= messages(path)[-1]["at_s"] <= 240


@pytest.mark.parametrize("path", [p for p in FILES if channel(p) == "voice"], ids=lambda path: path.stem)
def test_speech_has_the_pace_of_speech(path: Path) -> None:
    start = messages(path)[0]
    slowest, fastest = (4.0, 5.2) if start["language"].startswith("zh") else (12.0, 16.0)
    for m in finals(path):
        unclear = m["confidence"] < 0.5
        if len(m["text"]) < 20 or unclear or re.search(r"\d", m["text"]):
            continue
        pace = len(m["text"]) / (m["end_s"] - m["start_s"])
        assert slowest <= pace <= fastest, (m["segment_id"], pace)


def test_all_six_languages_and_all_kinds_are_there() -> None:
    assert {messages(path)[0]["language"] for path in FILES} == LANGUAGES
    assert {path.stem.partition("-")[2] for path in FILES} == KINDS
    assert [path.stem[:2] for path in FILES] == [f"{n:02d}" for n in range(1, len(FILES) + 1)]
    assert {channel(path) for path in FILES} == {"voice", "chat"}


def test_every_type_of_message_is_there() -> None:
    types = {m["type"] for path in FILES for m in messages(path)}
    assert types == {"call.start", "transcript", "call.hold", "call.resume", "call.transfer", "call.end"}
    assert {m["role"] for path in FILES for m in transcripts(path)} == {"customer", "agent", "manager"}
    assert any(not m["final"] for path in FILES for m in transcripts(path))


def test_the_first_alert_is_due_within_twelve_seconds_of_the_first_call() -> None:
    stem, segment_id = FIRST_ALERT
    assert FILES[0].stem == stem
    (turn,) = [m for m in finals(FILES[0]) if m["segment_id"] == segment_id]
    assert turn["role"] == "customer"
    assert turn["end_s"] <= 12
    assert "Ombudsman" in turn["text"]


def test_the_agent_falls_silent_after_the_burst() -> None:
    turns = finals(DEMO / "03-sudden-burst.jsonl")
    silences = [
        after["start_s"] - before["end_s"]
        for before, after in pairwise(turns)
        if (before["role"], after["role"]) == ("customer", "agent")
    ]
    assert 9 <= max(silences) <= 12


def test_speakers_overlap_now_and_then() -> None:
    overlapping = [
        path.stem
        for path in FILES
        if any(after["start_s"] < before["end_s"] for before, after in pairwise(finals(path)))
    ]
    assert len(overlapping) >= 4


def test_data_to_be_redacted_is_valid() -> None:
    """Redaction checks checksums, so what is said aloud must pass them."""
    (card,) = re.findall(r"\b(?:\d{4} ){3}\d{4}\b", text_of("07-harmless-look-alike"))
    digits = [int(d) for d in reversed(card.replace(" ", ""))]
    doubled = [sum(divmod(2 * d, 10)) for d in digits[1::2]]
    assert (sum(digits[::2]) + sum(doubled)) % 10 == 0

    (iban,) = re.findall(r"\bDE\d\d(?: \d{2,4}){5}", text_of("10-warm-transfer-manager"))
    compact = iban.replace(" ", "")
    assert len(compact) == 22
    assert int("".join(str(int(c, 36)) for c in compact[4:] + compact[:4])) % 97 == 1


def test_the_readme_lists_every_call_and_no_other() -> None:
    readme = (DEMO / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `([^`]+\.jsonl)`", readme, flags=re.MULTILINE) == [path.name for path in FILES]
