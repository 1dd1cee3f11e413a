"""The check digits of cards, bank accounts and national ids: what tells them from any other number."""

# Lengths of the IBANs of the registry's countries.
_IBANS = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29"
    " ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HN28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20"
    " LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29"
    " PT25 QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20"
    " YE30"
)
_IBAN_CHARS = {entry[:2]: int(entry[2:]) for entry in _IBANS.split()}
_TAIWAN_LETTERS = "ABCDEFGHJKLMNPQRSTUVXYWZIO"  # in the order of their values, from 10
_SPANISH_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"


def is_card(digits: str) -> bool:
    """13 to 19 digits of a payment network's range, with a Luhn check digit."""
    if not 13 <= len(digits) <= 19 or not _is_card_range(digits):
        return False
    doubled = [int(digit) * (2 if i % 2 else 1) for i, digit in enumerate(reversed(digits))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0


def _is_card_range(digits: str) -> bool:
    """Visa, Mastercard, Maestro, UnionPay, Discover, JCB, Diners, Amex, Troy, old ICBC: the rest are other numbers."""
    if digits[0] == "2":
        return 2221 <= int(digits[:4]) <= 2720
    return (
        digits[0] in "456"
        or digits[:2] in ("34", "35", "36", "37", "38", "39", "30", "81")
        or digits[:4]
        in (
            "9558",
            "9792",
        )
    )


def iban_chars(head: str) -> int:
    """How long the IBANs that begin with this country are; 0: no such country."""
    return _IBAN_CHARS.get(head[:2].upper(), 0)


def is_iban(compact: str) -> bool:
    """Length and remainder of an IBAN without spaces."""
    if len(compact) != iban_chars(compact):
        return False
    return int("".join(str(int(char, 36)) for char in compact[4:] + compact[:4])) % 97 == 1


def is_chinese_id(text: str) -> bool:
    """18 characters, the last one a check of the others (GB 11643)."""
    total = sum(int(digit) * pow(2, 17 - i, 11) for i, digit in enumerate(text[:17]))
    return "10X98765432"[total % 11] == text[17].upper()


def is_taiwanese_id(text: str) -> bool:
    """A letter and nine digits, or a resident's two letters and eight digits."""
    first = _TAIWAN_LETTERS.index(text[0].upper()) + 10
    second = text[1].upper()
    if not second.isdigit():
        second = str((_TAIWAN_LETTERS.index(second) + 10) % 10)
    digits = second + text[2:]
    weighted = sum(int(digit) * weight for digit, weight in zip(digits, (8, 7, 6, 5, 4, 3, 2, 1, 1), strict=True))
    return (first // 10 + first % 10 * 9 + weighted) % 10 == 0


def is_iso_7064(digits: str) -> bool:
    """The last digit checks the others by ISO 7064, MOD 11,10: Croatia's OIB."""
    rest = 10
    for digit in digits[:-1]:
        rest = (rest + int(digit)) % 10 or 10
        rest = rest * 2 % 11
    return (11 - rest) % 10 == int(digits[-1])


def is_german_tax_id(digits: str) -> bool:
    """As an OIB, and of the first ten digits exactly one occurs twice or three times."""
    repeated = [digits[:10].count(digit) for digit in set(digits[:10]) if digits[:10].count(digit) > 1]
    return digits[0] != "0" and len(repeated) == 1 and repeated[0] <= 3 and is_iso_7064(digits)


def is_spanish_id(compact: str) -> bool:
    """The letter of a DNI (8 digits) or a NIE (X, Y or Z and 7 digits)."""
    number = str("XYZ".index(compact[0])) + compact[1:-1] if compact[0] in "XYZ" else compact[:-1]
    return _SPANISH_LETTERS[int(number) % 23] == compact[-1]
