"""What simulated calls say: paced as people talk, the same for the same seed, in the service's own format."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from monitor.config import BUNDLED
from monitor.loadtest.scripts import Line, Script, read_scripts
from monitor.loadtest.traffic import Pace, Traffic
from monitor.recordings import LineError
from monitor.sending import Timed
from stream.messages import CallEnd, CallStart, Message, Transcript, decode, encode

LONG = "This is the third time that I call about the same bill, and nobody ever rings me back."
SCRIPT = Script("en", "voice", tuple(Line("customer", f"{LONG} {n}", "en") for n in range(5)))


def sent(seconds: float, *, places: int = 1, seed: int = 1, interims: bool = True) -> list[Timed]:
    traffic = Traffic([SCRIPT], Pace(4.0, interims), seconds, seed, "r")
    return list(traffic.connection(range(places)))


def finals(items: list[Timed]) -> list[tuple[float, Transcript]]:
    return [(i.due_s, i.message) for i in items if isinstance(i.message, Transcript) and i.message.final]


def test_one_final_every_so_often_from_a_random_instant_on() -> None:
    due = [due_s for due_s, _ in finals(sent(60.0))]
    assert len(due) == 15
    assert 0.0 <= due[0] < 4.0
    assert [b - a for a, b in pairwise(due)] == pytest.approx([4.0] * 14)
    phases = {round(finals(sent(5.0, places=9, seed=seed))[0][0], 3) for seed in range(4)}
    assert len(phases) == 4


def test_a_place_has_one_call_after_another_and_ends_each() -> None:
    items = sent(60.0)
    calls: dict[str, list[Message]] = {}
    for item in items:
        calls.setdefault(item.message.call_id, []).append(item.message)
    assert len(calls) >= 3
    for messages in calls.values():
        assert isinstance(messages[0], CallStart)
        assert isinstance(messages[-1], CallEnd)
        said = [m for m in messages if isinstance(m, Transcript) and m.final]
        assert [m.segment_id for m in said] == [str(n) for n in range(len(said))]
    assert [item.due_s for item in items] == sorted(item.due_s for item in items)


def test_interims_grow_into_their_final() -> None:
    items = [i.message for i in sent(20.0) if isinstance(i.message, Transcript)]
    first = [m for m in items if (m.call_id, m.segment_id) == (items[-1].call_id, items[-1].segment_id)]
    assert [m.final for m in first] == [False, False, True]
    assert [m.revision for m in first] == [0, 1, 2]
    assert all(first[-1].text.startswith(m.text) and m.text != first[-1].text for m in first[:-1])
    assert all(m.final for _, m in finals(sent(20.0, interims=False)))
    assert len(finals(sent(20.0, interims=False))) == len(finals(sent(20.0)))


def test_the_same_seed_says_the_same_and_every_message_is_valid() -> None:
    assert sent(30.0, places=3) == sent(30.0, places=3)
    assert sent(30.0, places=3) != sent(30.0, places=3, seed=2)
    for item in sent(30.0, places=3):
        assert decode(encode(item.message)) == item.message


def test_stopping_ends_the_calls_under_way() -> None:
    traffic = Traffic([SCRIPT], Pace(), 1000.0, 1, "r")
    items = []
    for item in traffic.connection(range(3)):
        items.append(item)
        if len(items) == 40:
            traffic.stop()
    assert len(items) < 60
    begun = {i.message.call_id for i in items if isinstance(i.message, CallStart)}
    assert begun == {i.message.call_id for i in items if isinstance(i.message, CallEnd)}


def test_scripts_of_recorded_and_labelled_calls(tmp_path: Path) -> None:
    labelled = tmp_path / "labelled.jsonl"
    turns = '[{"t":0,"role":"agent","text":"Hi"},{"t":4,"role":"customer","text":"Halo","heat":1}]'
    labelled.write_text(f'{{"call_id":"x","lang":"hr","channel":"chat","outcome":"resolved","turns":{turns}}}\n\n')
    demo = BUNDLED / "demo" / "02-slow-burn.jsonl"
    first, second = read_scripts([labelled, demo])
    assert (first.language, first.channel) == ("hr", "chat")
    assert [line.text for line in first.lines] == ["Hi", "Halo"]
    assert (second.language, len(second.lines) > 10) == ("zh-Hans", True)


def test_a_bad_line_is_named(tmp_path: Path) -> None:
    file = tmp_path / "bad.jsonl"
    file.write_text('\n{"turns":[]}\n')
    with pytest.raises(LineError, match=r"bad\.jsonl:2: "):
        read_scripts([file])
    file.write_text('\n\n{"type":"transcript"}\n')
    with pytest.raises(LineError, match=r"bad\.jsonl:3: The field call_id is missing"):
        read_scripts([file])
