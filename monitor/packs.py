"""Phrase packs: what must never be missed, found by words. Pure: the same text always gives the same hits.

One Aho-Corasick pass finds anchor words of all packs at once; only phrases whose anchor is there are verified, with
their gaps and guards. Spans are exact in the original text.
"""

import hashlib
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable
from typing import Annotated, Self

import ahocorasick
import msgspec

from monitor.packs_fold import CJK, Folded, fold
from monitor.packs_phrase import NOT_WORD, UNSPACED, Compiler, Guard, Phrase, PhraseError

SENTENCE_END = re.compile(r"[.!?\n]")
GUARD_REACH = 90
"""A guard without `~` counts within the hit's sentence, at most so many folded characters away."""
FOREIGN_NAMES = frozenset({"must_report", "safety", "superior"})
"""Packs that are tried for another language too: a customer may switch language to threaten."""
ROLES = {"customer": "customer", "agent": "agent", "manager": "agent"}
"""Which packs a speaker's turns are read with."""
Text = Annotated[str, msgspec.Meta(min_length=1)]


class Hit(msgspec.Struct, frozen=True):
    """A phrase found: `text[start:end]` says `label`, by entry `entry` of pack `pack` ("hr/must_report")."""

    label: str
    start: int
    end: int
    pack: str
    entry: str


class PackHead(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose words a pack holds; its guards hold for every entry."""

    language: Text
    name: Text
    role: Text
    version: Text
    unless: list[Text] = []


class PackEntry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Phrases of one construction, the guards that make it harmless, and its examples."""

    label: Text
    id: Text
    phrases: Annotated[list[Text], msgspec.Meta(min_length=1)]
    source: Text
    positive: list[Text] = []
    negative: list[Text] = []
    unless: list[Text] = []


class Pack(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One pack file."""

    pack: PackHead
    entry: list[PackEntry]
    words: dict[str, list[Text]] = {}

    @property
    def name(self) -> str:
        """Language and name, as evidence quotes it."""
        return f"{self.pack.language}/{self.pack.name}"


class PackError(ValueError):
    """A pack that cannot be used: which file, which entry, how to mend it."""

    def __init__(self, file: str, entry: str, mend: str) -> None:
        super().__init__(f"{file}: {entry}: {mend}" if entry else f"{file}: {mend}")
        self.file, self.entry, self.mend = file, entry, mend


class _Rule(msgspec.Struct, frozen=True):
    phrase: Phrase
    guards: list[Guard]
    language: str
    foreign: bool
    label: str
    pack: str
    entry: str


def read_pack(file: str, text: str) -> Pack:
    """The pack in a file's text, or `PackError`."""
    try:
        pack = msgspec.convert(tomllib.loads(text), Pack)
    except tomllib.TOMLDecodeError as error:
        raise PackError(file, "", f"not valid TOML: {error}") from error
    except msgspec.ValidationError as error:
        raise PackError(file, "", str(error)) from error
    if pack.pack.role not in ROLES.values():
        raise PackError(file, "[pack]", f"role {pack.pack.role!r}: write one of {sorted(set(ROLES.values()))}")
    return pack


def _rules(file: str, pack: Pack) -> list[_Rule]:
    compiler = Compiler(pack.pack.language, pack.words)
    foreign = pack.pack.name in FOREIGN_NAMES
    rules = []
    for entry in pack.entry:
        try:
            guards = [compiler.guard(guard) for guard in [*pack.pack.unless, *entry.unless]]
            phrases = [compiler.phrase(phrase) for phrase in entry.phrases]
        except PhraseError as error:
            raise PackError(file, entry.id, str(error)) from error
        head = (guards, pack.pack.language, foreign, entry.label, pack.name, entry.id)
        rules += [_Rule(phrase, *head) for phrase in phrases]
    return rules


def _guarded(rule: _Rule, text: str, start: int, end: int) -> bool:
    if not rule.guards:
        return False
    left = max(0, start - GUARD_REACH)
    for stop in SENTENCE_END.finditer(text, left, start):
        left = stop.end()
    right = min(len(text), end + GUARD_REACH)
    if stop_after := SENTENCE_END.search(text, end, right):
        right = stop_after.end()
    return any(guard.holds(text, left, start, end, right) for guard in rule.guards)


class Packs:
    """All packs of a configuration, ready to search."""

    def __init__(self, packs: Iterable[tuple[str, Pack]], version: str) -> None:
        self.version = version
        self._rules: list[_Rule] = []
        anchors: dict[tuple[str, bool], defaultdict[str, list[int]]] = {}
        languages = set()
        for file, pack in packs:
            languages.add(pack.pack.language)
            for rule in _rules(file, pack):
                key = (pack.pack.role, rule.language in UNSPACED)
                by_anchor = anchors.setdefault(key, defaultdict(list))
                for half, literals in enumerate((rule.phrase.first, rule.phrase.second)):
                    for anchor in literals:
                        by_anchor[anchor].append(2 * len(self._rules) + half)
                self._rules.append(rule)
        self.languages = tuple(sorted(languages))
        self._automata: dict[tuple[str, bool], ahocorasick.Automaton] = {}
        for key, by_anchor in anchors.items():
            automaton = self._automata[key] = ahocorasick.Automaton()
            for anchor, rules in by_anchor.items():
                automaton.add_word(anchor, tuple(rules))
            automaton.make_automaton()

    @classmethod
    def load(cls, files: Iterable[tuple[str, str]]) -> Self:
        """Packs from (path name, TOML text) pairs; the order of files changes nothing."""
        ordered = sorted(files)
        content = "\0".join(part for pair in ordered for part in pair)
        version = hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:12]
        return cls([(file, read_pack(file, text)) for file, text in ordered], version)

    def find(self, text: str, role: str, language: str | None = None) -> list[Hit]:
        """Hits in a turn, by position. Of overlapping hits with one label, the turn's own language's pack goes first,
        then the longest. Other languages' packs help with threats, safety and superiors; with all, if it is unknown."""
        pack_role = ROLES.get(role, "")
        folded = fold(text)
        spaced = CJK.sub("\x1f", folded.text)
        found: list[tuple[bool, int, int, str, str, _Rule]] = []
        for unspaced, read in ((True, folded.text), (False, spaced)):
            if unspaced and read == spaced:
                continue
            for index in self._candidates(pack_role, unspaced, read):
                rule = self._rules[index]
                own = language is None or rule.language == language
                if own or (rule.foreign and self._may_switch(language, rule.language)):
                    found += [(not own, a - b, a, rule.pack, rule.entry, rule) for a, b in _spans(rule, read)]
        return _longest(found, folded)

    def warm_up(self) -> None:
        """Compiles every expression, which otherwise happens at its first use: some seconds in all."""
        for rule in self._rules:
            rule.phrase.warm_up()
            for guard in rule.guards:
                guard.warm_up()

    def _may_switch(self, language: str | None, other: str) -> bool:
        """Whether a turn in `language` is read with packs of `other` too: English, Chinese in both scripts, another
        script, or anything where the turn's own language has no packs. Neighbours of one script only mislead."""
        if "ja" in (language, other) and any(str(code).startswith("zh") for code in (language, other)):
            return False
        return other == "en" or language not in self.languages or other in UNSPACED or language in UNSPACED

    def _candidates(self, role: str, unspaced: bool, text: str) -> list[int]:
        """Rules both of whose anchors are in the text."""
        automaton = self._automata.get((role, unspaced))
        halves: set[int] = set()
        if automaton is not None and text:
            for _, found in automaton.iter(text if unspaced else f" {NOT_WORD.sub(' ', text)} "):
                halves.update(found)
        return [half >> 1 for half in halves if not half & 1 and half + 1 in halves]


def _spans(rule: _Rule, text: str) -> list[tuple[int, int]]:
    spans = [_trimmed(text, *match.span()) for match in rule.phrase.regex.finditer(text)]
    return [span for span in spans if span[0] < span[1] and not _guarded(rule, text, *span)]


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """The span without the punctuation at its ends."""
    while start < end and not text[end - 1].isalnum():
        end -= 1
    while start < end and not text[start].isalnum():
        start += 1
    return start, end


def _longest(found: list[tuple[bool, int, int, str, str, _Rule]], folded: Folded) -> list[Hit]:
    """The longest of overlapping hits, stretched over what it overlaps in its own pack."""
    kept: list[tuple[int, int, _Rule]] = []
    for _, length, start, _, _, rule in sorted(found, key=lambda hit: hit[:5]):
        end = start - length
        touched = [n for n, (a, b, one) in enumerate(kept) if one.label == rule.label and start < b and a < end]
        if not touched:
            kept.append((start, end, rule))
        elif len(touched) == 1 and kept[touched[0]][2].pack == rule.pack:
            a, b, one = kept[touched[0]]
            kept[touched[0]] = (min(a, start), max(b, end), one)
    hits = [Hit(rule.label, *folded.original(a, b), rule.pack, rule.entry) for a, b, rule in kept]
    return sorted(hits, key=lambda hit: (hit.start, hit.end, hit.label, hit.pack, hit.entry))
