"""Takes what identifies a person out of a text before it is stored, shown, scored or logged.

Cards, bank accounts, phone numbers, e-mail addresses and national ids become `[card]` `[iban]` `[phone]` `[email]`
`[id]`. Order numbers, amounts, dates, times and short service numbers stay. Numbers written in words stay too.
"""

import re
from collections.abc import Iterator

from stream.identifiers import find_cards, find_chinese_ids, find_ibans, find_ids
from stream.phones import find_phones

_SUSPECT = re.compile(r"[\d@\uff20]")
_DOT_WORDS = (" dot ", " punto ", " punkt ", " točka ")
# Full-width forms, odd spaces and dashes as their plain selves, one for one: places stay the same.
_PLAIN = (
    {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
    | dict.fromkeys([0xA0, 0x3000, 0x202F, *range(0x2000, 0x200B)], " ")
    | dict.fromkeys([*range(0x2010, 0x2016), 0x2212], "-")
)
_MASK = "\ufffc"
_LOCAL = r"[A-Za-z0-9À-ɏ._%+'-]"
_EMAIL = re.compile(rf"(?<!{_LOCAL}){_LOCAL}++@(?:[A-Za-z0-9À-ɏ-]{{1,63}}\.){{1,8}}[A-Za-z]{{2,24}}")
_SPOKEN_EMAIL = re.compile(
    r"\b[\w.+-]{1,64}(?: (?:dot|punto|punkt|točka) [\w.+-]{1,64}){0,3} (?:at|ät|et|arroba|manki)"
    r" (?:gmail|hotmail|outlook|yahoo|icloud|gmx|protonmail|t-online|qq|163)"
    r" (?:dot|punto|punkt|točka) (?:com|net|org|hr|de|es|uk)\b",
    re.IGNORECASE,
)
_REGIONS = {
    "zh": "CN", "zh-hans": "CN", "zh-hant": "TW", "yue": "HK", "hr": "HR", "en": "GB", "es": "ES", "de": "DE",
    "fr": "FR", "it": "IT", "pt": "PT", "nl": "NL", "pl": "PL", "sl": "SI", "sr": "RS", "bs": "BA", "cs": "CZ",
    "sk": "SK", "hu": "HU", "ja": "JP", "ko": "KR", "ru": "RU", "uk": "UA", "tr": "TR", "sv": "SE", "da": "DK",
    "nb": "NO", "no": "NO", "fi": "FI", "el": "GR", "ro": "RO", "bg": "BG",
}  # fmt: skip


def region_of(language: str | None) -> str | None:
    """The country whose numbers a speaker of the language most likely gives.

    >>> region_of("zh-Hant"), region_of("de-AT"), region_of("en"), region_of(None)
    ('TW', 'AT', 'GB', None)
    """
    if language is None:
        return None
    parts = language.replace("_", "-").split("-")
    for part in parts[1:]:
        if len(part) == 2 and part.isalpha():
            return part.upper()
    return _REGIONS.get("-".join(parts[:2]).lower()) or _REGIONS.get(parts[0].lower())


def redact(text: str, region: str | None = None) -> str:
    """The text with placeholders for what identifies a person. Redacting it again changes nothing."""
    while spans := _find(text, region):
        for start, end, placeholder in sorted(spans, reverse=True):
            text = f"{text[:start]}[{placeholder}]{text[end:]}"
    return text


def _find(text: str, region: str | None) -> list[tuple[int, int, str]]:
    """Disjoint spans and what each is: the surest kinds first, the others in what they leave."""
    if not _SUSPECT.search(text) and not any(word in text for word in _DOT_WORDS):
        return []
    plain = text.translate(_PLAIN)
    spans: list[tuple[int, int, str]] = []
    for placeholder, find in _KINDS:
        for start, end in list(find(plain, region)):
            if _MASK not in plain[start:end]:
                spans.append((start, end, placeholder))
                plain = plain[:start] + _MASK * (end - start) + plain[end:]
    return spans


def _find_emails(text: str, region: str | None) -> Iterator[tuple[int, int]]:
    for pattern in (_EMAIL, _SPOKEN_EMAIL):
        for found in pattern.finditer(text):
            yield found.span()


_KINDS = (
    ("email", _find_emails),
    ("iban", find_ibans),
    ("id", find_chinese_ids),
    ("card", find_cards),
    ("id", find_ids),
    ("phone", find_phones),
)
