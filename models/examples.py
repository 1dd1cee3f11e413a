"""The corpus as examples: one turn, its context, its labels, and the key that keeps relatives in one fold."""

import json
import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from models.labels import ALL_LABELS, EMOTIONS, HEAT_OUTPUTS, ROLE_LABELS, scored_role
from models.types import ScoreInput

CORPUS = Path(__file__).parent / "corpus"
LABEL_INDEX = {name: i for i, name in enumerate(ALL_LABELS)}


class Example(msgspec.Struct, frozen=True):
    """One labelled turn."""

    input: ScoreInput
    emotions: tuple[str, ...]
    heat: int | None
    labels: tuple[str, ...]
    source: str
    """The corpus file's stem, e.g. `contrast-en`."""
    key: str
    """`prev` or the text itself, folded: equal keys are never split."""
    call_id: str | None = None
    turn: int | None = None
    outputs: tuple[str, ...] | None = None
    """The only outputs that its source annotates; None: all of its role."""
    weight: float = 1.0
    """How far its labels are trusted, 0 to 1."""


def fold(text: str) -> str:
    """Letters only, case and width folded: what makes two texts the same."""
    return re.sub(r"\W+", "", unicodedata.normalize("NFKC", text).lower())


def _example(row: dict[str, Any], item: ScoreInput, source: str, **where: Any) -> Example:
    key = f"{item.language}:{fold(item.prev or item.text)}"
    emotions, labels = tuple(row.get("emotions", ())), tuple(row["labels"])
    return Example(item, emotions, row.get("heat"), labels, source, key, **where)


def utterances(folder: Path = CORPUS) -> Iterator[Example]:
    """Every line of `utterances/*.jsonl`, in file order."""
    for path in sorted((folder / "utterances").glob("*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            yield utterance(json.loads(line), path.stem)


def utterance(row: dict[str, Any], source: str) -> Example:
    """One line of an utterance file. Raises `KeyError` where a field is missing."""
    item = ScoreInput(row["text"], row["role"], row.get("prev"), tuple(row.get("history") or ()), row["lang"])
    return _example(row, item, source)


def calls(folder: Path = CORPUS) -> Iterator[dict[str, Any]]:
    """Every call of `calls/*.jsonl`, with its file's stem as `source`."""
    for path in sorted((folder / "calls").glob("*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            yield {**json.loads(line), "source": path.stem}


def call_turns(call: dict[str, Any]) -> Iterator[Example]:
    """The call's turns as the live service asks for them (`monitor.core.context`): `prev` is the other party's last
    turn, `history` a customer's own last one."""
    last: dict[bool, str] = {}
    for index, row in enumerate(call["turns"]):
        text, is_customer = row["text"], scored_role(row["role"]) == "customer"
        earlier = (last[is_customer],) if is_customer and is_customer in last else ()
        channel = call.get("channel") or "voice"
        item = ScoreInput(text, row["role"], last.get(not is_customer), earlier, call["lang"], channel)
        yield _example(row, item, call["source"], call_id=call["call_id"], turn=index)
        last[is_customer] = text


def target(example: Example) -> tuple[list[float], list[float]]:
    """`[outputs]` 0/1 targets and `[outputs]` weights: 0 where the output does not count for this role or source."""
    role = scored_role(example.input.role)
    wanted, counts = [0.0] * len(ALL_LABELS), [0.0] * len(ALL_LABELS)
    for name in ROLE_LABELS[role] if example.outputs is None else example.outputs:
        counts[LABEL_INDEX[name]] = example.weight
    if role == "customer" and example.heat is not None:
        for name in EMOTIONS:
            counts[LABEL_INDEX[name]] = 1.0
        for level, name in enumerate(HEAT_OUTPUTS, start=1):
            counts[LABEL_INDEX[name]] = 1.0
            wanted[LABEL_INDEX[name]] = float(example.heat >= level)
    for name in (*example.emotions, *example.labels):
        wanted[LABEL_INDEX[name]] = 1.0
    return wanted, counts
