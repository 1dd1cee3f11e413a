"""The linter of cue packs: every example is run, every label known; and their measure on labelled turns. Pure."""

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from models.labels import CUES, EMOTIONS, MOVES
from monitor.packs import Pack, PackError, Packs, read_pack

LABELS = {
    "must_report": ("threat_complaint", "threat_regulator", "threat_media", "threat_legal"),
    "safety": ("self_harm", "threat_violence", "emergency"),
    "superior": ("ask_superior",),
    "insults": ("insult",),
    "taboo": ("confront", "taboo", "stock_apology", "helpless", "overpromise", "defend", "disbelieve"),
}
"""The bundled packs and the labels each must have; an operator's own pack may have any known label."""
FULL = ("zh-Hans", "zh-Hant", "hr", "en", "es", "de")
"""Languages with every pack; the others have at least must_report and safety."""
EXAMPLES = 2
"""Sentences of each kind that an entry needs."""
KNOWN = frozenset((*EMOTIONS, *CUES, *MOVES))
"""Labels that a pack may give (LABELS.md)."""


class Problem(msgspec.Struct, frozen=True):
    """What is wrong, where, and how to mend it."""

    file: str
    entry: str
    message: str
    hint: str


def lint(files: Iterable[tuple[str, str]], labels: Iterable[str] = KNOWN) -> list[Problem]:
    """Every problem of the packs, by file and entry; empty when all is well."""
    known = frozenset(labels)
    problems: list[Problem] = []
    for file, text in sorted(files):
        try:
            pack = read_pack(file, text)
            one = Packs([(file, pack)], "lint")
        except PackError as error:
            problems.append(Problem(error.file, error.entry, error.mend, "mend the file; the format is in README"))
            continue
        problems += _entries(file, pack, one, known)
    return problems


def _entries(file: str, pack: Pack, one: Packs, known: frozenset[str]) -> list[Problem]:
    out: list[Problem] = []
    counts = Counter(entry.id for entry in pack.entry)
    for entry in pack.entry:
        if counts[entry.id] > 1:
            out.append(Problem(file, entry.id, "id is used more than once", "give each entry its own id"))
        if entry.label not in known:
            out.append(Problem(file, entry.id, f"unknown label {entry.label!r}", "take a label of the label guide"))
        for kind, sentences in (("positive", entry.positive), ("negative", entry.negative)):
            if len(sentences) < EXAMPLES:
                hint = f"write at least {EXAMPLES} whole sentences"
                out.append(Problem(file, entry.id, f"{len(sentences)} {kind} examples", hint))
        for sentence in entry.positive:
            if not _hit(one, pack, sentence, entry.label, entry.id):
                out.append(Problem(file, entry.id, f"does not hit: {sentence}", "widen a phrase or narrow a guard"))
        for sentence in entry.negative:
            if _hit(one, pack, sentence, entry.label, None):
                out.append(Problem(file, entry.id, f"must not hit: {sentence}", "narrow a phrase or add a guard"))
    return out


def _hit(one: Packs, pack: Pack, sentence: str, label: str, entry: str | None) -> bool:
    hits = one.find(sentence, pack.pack.role, pack.pack.language)
    ids = {hit.entry for hit in hits if hit.label == label}
    same_label = {other.id for other in pack.entry if other.label == label}
    return bool(ids) if entry is None else entry in ids or bool(ids & same_label)


def coverage(files: Iterable[tuple[str, str]]) -> dict[str, dict[str, int]]:
    """Phrases by label and language, `{label: {language: phrases}}`."""
    table: dict[str, dict[str, int]] = defaultdict(dict)
    for file, text in sorted(files):
        pack = read_pack(file, text)
        for entry in pack.entry:
            row = table[entry.label]
            row[pack.pack.language] = row.get(pack.pack.language, 0) + len(entry.phrases)
    return dict(table)


def missing(table: Mapping[str, Mapping[str, int]]) -> list[Problem]:
    """Labels that a full language lacks."""
    wanted = [label for labels in LABELS.values() for label in labels]
    gaps = [(label, code) for label in wanted for code in FULL if not table.get(label, {}).get(code)]
    return [Problem(f"{code}/", "", f"no phrase for {label}", "add an entry with that label") for label, code in gaps]


def coverage_table(table: Mapping[str, Mapping[str, int]]) -> str:
    """The coverage as lines of text, one label a line, one language a column."""
    codes = [*FULL, *sorted({code for row in table.values() for code in row} - set(FULL))]
    lines = [" ".join(["label".ljust(18), *(code.rjust(7) for code in codes)])]
    for label in sorted(table):
        lines.append(" ".join([label.ljust(18), *(str(table[label].get(code, 0)).rjust(7) for code in codes)]))
    return "\n".join(lines)


class Measure(msgspec.Struct):
    """Of one label: turns that carry it, those found, and false alarms among `others` turns without it."""

    label: str
    carried: int = 0
    found: int = 0
    others: int = 0
    false: int = 0


def measure(packs: Packs, turns: Iterable[Mapping[str, Any]], labels: Sequence[str]) -> list[Measure]:
    """How the packs do on labelled turns (`lang`, `role`, `text`, `labels`), by label."""
    out = {label: Measure(label) for label in labels}
    for turn in turns:
        got = {hit.label for hit in packs.find(turn["text"], turn["role"], turn["lang"])}
        for label, row in out.items():
            if label in turn["labels"]:
                row.carried += 1
                row.found += label in got
            else:
                row.others += 1
                row.false += label in got
    return list(out.values())


def labelled_turns(path: Path) -> list[dict[str, Any]]:
    """The labelled turns of a corpus file, of calls or of single utterances."""
    rows: list[dict[str, Any]] = []
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        rows += [{**turn, "lang": row["lang"]} for turn in row["turns"]] if "turns" in row else [row]
    return rows


def main(arguments: list[str]) -> None:
    """`python -m monitor.packlint PACKS_FOLDER CORPUS_FILE...`: problems, coverage, and the measure by language."""
    folder = Path(arguments[0])
    files = [(str(path.relative_to(folder)), path.read_text("utf-8")) for path in sorted(folder.glob("*/*.toml"))]
    for problem in lint(files):
        print(f"{problem.file}: {problem.entry}: {problem.message} ({problem.hint})")
    print(coverage_table(coverage(files)))
    packs = Packs.load(files)
    turns = [turn for path in arguments[1:] for turn in labelled_turns(Path(path))]
    roles = {label: "agent" if name == "taboo" else "customer" for name, labels in LABELS.items() for label in labels}
    for code in sorted({turn["lang"] for turn in turns} & set(packs.languages)):
        for role in ("customer", "agent"):
            chosen = [turn for turn in turns if turn["lang"] == code and turn["role"] == role]
            for row in measure(packs, chosen, [label for label, who in roles.items() if who == role]):
                if row.carried or row.false:
                    print(f"{code:8}{row.label:18}{row.found:4}/{row.carried:<4} false {row.false}/{row.others}")


if __name__ == "__main__":
    main(sys.argv[1:])
