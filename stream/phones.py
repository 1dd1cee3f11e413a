"""Finds phone numbers by the numbering plans of the countries whose people call."""

import re
from collections.abc import Iterator

from stream.context import has_phone_cue, is_money, is_reference

# A language's speakers live in more than one country.
_NEIGHBOURS = {"GB": ("GB", "US"), "US": ("US", "GB"), "DE": ("DE", "AT", "CH"), "AT": ("AT", "DE"), "HR": ("HR", "BA")}
_COUNTRIES = ("CN", "TW", "HR", "GB", "US", "ES", "DE")
_DAY, _MONTH = r"(?:0?[1-9]|[12]\d|3[01])", r"(?:0?[1-9]|1[0-2])"
_DATE = (
    rf"(?<![\d.,/-])(?:{_DAY}[./-] ?{_MONTH}[./-] ?(?:(?:19|20)\d\d|\d\d)|{_MONTH}[/-]{_DAY}[/-](?:19|20)\d\d"
    rf"|(?:19|20)\d\d[./-] ?{_MONTH}[./-] ?{_DAY})(?!\d|[/-]\d|\.\d)"
)
_HOUR = r"(?<!\d)(?:[01]?\d|2[0-3])[.:][0-5]\d(?!\d)"
_IP_ADDRESS = r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])"
_NO_PHONE = re.compile(
    rf"{_DATE}|{_IP_ADDRESS}|{_HOUR}(?: ?- ?{_HOUR}| ?(?:Uhr|h|am|pm)\b)|(?<!\d[.:/-])(?<!\d )\d\d?:[0-5]\d(?!\d)"
)
_CANDIDATE = re.compile(r"[+(]{0,2}\d(?:[ ()./-]{0,3}\d){6,}")
_MARGIN_CHARS = 3  # what stands around a number has a say in whether it is one
_MAX_DIGITS = 300


def find_phones(text: str, region: str | None) -> Iterator[tuple[int, int]]:
    """Spans of phone numbers that the numbering plan of a country takes for valid.

    The region's own countries are tried first. By another country's plan a number counts only after a word that
    speaks of a phone; where no region is known, so does a bare run of digits.
    """
    text = _NO_PHONE.sub(lambda found: "\ufffc" * len(found.group()), text)
    candidates = [found.span() for found in _CANDIDATE.finditer(text)]
    if sum(end - start for start, end in candidates) > _MAX_DIGITS:
        yield from candidates  # more than anyone says: not worth asking the plans, which takes long
        return
    home = _NEIGHBOURS.get(region, (region,)) if region is not None else ()
    for first, last in candidates:
        cued = has_phone_cue(text, first)
        offset = max(0, first - _MARGIN_CHARS)
        around = text[offset : last + _MARGIN_CHARS]
        for country in _countries(home, cued):
            for start, end in _valid(around, country):
                start, end = start + offset, end + offset
                sure = cued or country in home or text[start] in "+0" or not text[start:end].isdigit()
                if sure and not is_reference(text, start) and not is_money(text, start, end):
                    yield start, end


def _countries(home: tuple[str, ...], cued: bool) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*home, *_COUNTRIES))) if cued or not home else home


def _valid(text: str, country: str) -> Iterator[tuple[int, int]]:
    import phonenumbers  # its numbering plans are large: loaded for the first number, not for --help

    for match in phonenumbers.PhoneNumberMatcher(text, country, leniency=phonenumbers.Leniency.VALID):
        yield match.start, match.end
