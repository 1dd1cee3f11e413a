"""Finds payment cards, bank accounts and national ids, each by its form and its check digits."""

import re
from collections.abc import Callable, Iterator

from stream import checksums
from stream.context import before, is_reference

_HEAD, _TAIL = r"(?<![0-9A-Za-z])", r"(?![0-9A-Za-z])"
_DIGIT_GROUPS = re.compile(r"\d+(?:[ .-]{1,2}\d+)*")
_IBAN_HEAD = re.compile(rf"{_HEAD}[A-Za-z]{{2}}\d\d(?=[ -]?[0-9A-Za-z])")
_SEPARATORS = " -"


class _IdForm:
    """The form of one country's id; where it is weak, it counts in that country or after the id's name alone."""

    def __init__(
        self, form: str, check: Callable[[str], bool], regions: str = "", named: str = "", flags: int = 0
    ) -> None:
        self.form = re.compile(_HEAD + form + _TAIL, flags)
        self.check = check
        self.regions = regions.split()
        self.named = re.compile(named, re.IGNORECASE) if named else None

    def find(self, text: str, region: str | None) -> Iterator[tuple[int, int]]:
        for found in self.form.finditer(text):
            start, end = found.span()
            compact = re.sub(r"[ .-]", "", found.group()).upper()
            named = self.named is not None and self.named.search(before(text, start)) is not None
            at_home = not self.regions or region is None or region in self.regions
            if (named or (at_home and not is_reference(text, start))) and self.check(compact):
                yield start, end


def _always(_: str) -> bool:
    return True


_DATE = r"(?:18|19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
_CHINESE = _IdForm(rf"[1-9]\d{{5}}[ -]?{_DATE}[ -]?\d{{3}}[\dXx]", checksums.is_chinese_id)
_OTHERS = [
    _IdForm(r"[A-Za-z][1289A-Da-d]\d{8}", checksums.is_taiwanese_id, "TW CN HK", "身[分份][證证]|居留"),
    _IdForm(r"\d{11}", checksums.is_iso_7064, "HR", r"\boib"),
    _IdForm(r"[1-9]\d(?: ?\d{3}){3}", checksums.is_german_tax_id, "DE", r"steuer|\bidnr|tax"),
    _IdForm(
        r"(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z](?:[ -]?\d\d){3}[ -]?[A-D]",
        _always,
        "GB US",
        r"national insurance|\bni\b|\bnino\b",
        re.IGNORECASE,
    ),
    _IdForm(r"(?<!\d-)(?!000|666|9)\d{3}-(?!00)\d\d-(?!0000)\d{4}(?!-\d)", _always),
    _IdForm(r"(?!000|666|9)\d{3} (?!00)\d\d (?!0000)\d{4}", _always, "US GB", r"\bssn\b|social security"),
    _IdForm(r"(?<!\d[.,])(?:\d{8}|\d{1,2}\.\d{3}\.\d{3})(?:-?[A-Za-z]| [A-Z])", checksums.is_spanish_id),
    _IdForm(r"[XYZxyz]-?\d{7}-?[A-Za-z]", checksums.is_spanish_id),
]


def find_ids(text: str, region: str | None) -> Iterator[tuple[int, int]]:
    """National ids but the Chinese: their forms are weaker than a card's."""
    for form in _OTHERS:
        yield from form.find(text, region)


def find_chinese_ids(text: str, region: str | None) -> Iterator[tuple[int, int]]:
    """Resident ids of the People's Republic, whatever the language."""
    yield from _CHINESE.find(text, region)


def find_cards(text: str, region: str | None) -> Iterator[tuple[int, int]]:
    """Payment cards, alone or among other groups of digits."""
    for run in _DIGIT_GROUPS.finditer(text):
        if run.end() - run.start() < 13:
            continue
        groups = [found.span() for found in re.compile(r"\d+").finditer(text, *run.span())]
        first = 0
        while first < len(groups):
            last = _card_end(text, groups, first)
            if last is not None:
                yield groups[first][0], groups[last][1]
            first = first + 1 if last is None else last + 1


def _card_end(text: str, groups: list[tuple[int, int]], first: int) -> int | None:
    """The last group of the longest card that begins with group `first`."""
    digits, end = "", None
    for i in range(first, len(groups)):
        digits += text[slice(*groups[i])]
        if len(digits) > 19:
            break
        if checksums.is_card(digits) and not _touches_letters(text, groups[first][0], groups[i][1]):
            end = i
    return end


def _touches_letters(text: str, start: int, end: int) -> bool:
    """Is it glued to Latin letters, as a part of a longer code?"""
    around = text[max(0, start - 1) : start] + text[end : end + 1]
    return any(char.isascii() and char.isalpha() for char in around)


def _is_ascii_alnum(char: str) -> bool:
    return char.isascii() and char.isalnum()


def find_ibans(text: str, region: str | None) -> Iterator[tuple[int, int]]:
    """Bank accounts in the international form, with or without spaces."""
    for head in _IBAN_HEAD.finditer(text):
        length, compact, at = checksums.iban_chars(head.group()), "", head.start()
        while at < len(text) and len(compact) < length and (_is_ascii_alnum(text[at]) or text[at] in _SEPARATORS):
            if text[at] not in _SEPARATORS:
                compact += text[at].upper()
            at += 1
        follows_on = at < len(text) and _is_ascii_alnum(text[at])
        if length and not follows_on and checksums.is_iban(compact):
            yield head.start(), at
