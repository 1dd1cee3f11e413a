"""The words around a number: they tell a phone number from an order's."""

import re

_REFERENCE_WORDS = (
    r"(?<![a-z])(?:orders?|invoices?|tickets?|ref(?:erence)?s?|bookings?|reservations?|tracking|parcels?|shipments?"
    r"|contracts?|polic(?:y|ies)|serial|model|claims?|confirmations?|transactions?|articles?|sku"
    r"|case (?:number|no|id|ref(?:erence)?)"
    r"|pedidos?|facturas?|referencias?|reservas?|incidencias?|expedientes?|contratos?|env[íi]os?|albar[áa]n"
    r"|p[óo]lizas?|reclamaci[óo]n|localizador|commande|facture)"
    r"|(?:narudžb|račun|ugovor|pošilj|paket|rezervacij|predmet|zahtjev|prijav|ponud|referenc|bestell|auftr[aä]g"
    r"|rechnung|vorgang|kundennummer|buchung|sendung|referenz|vertrag|aktenzeichen|reklamation|artikel)\w*"
    r"|[订訂][单單]|[单單][号號]|[发發]票|工[单單]|快[递遞]|[运運][单單]|物流|合同|合[约約]|[编編][号號]|案[号號]|流水|保[单單]"
    r"|投[诉訴]|型[号號]|序列|[预預][约約]"
)
_LINKS = (
    r"(?:[\s:#º°.\-\"'/(]|number|no\b|nr\b|num\b|n\.?º|id\b|code|is\b|was\b|with\b|broj\w*|br\b|je\b|pod\b|n[úu]mero"
    r"|n[úu]m\b|con\b|es\b|nummer|ist\b|war\b|mit\b|lautet|[号號][码碼]?|是|[为為])*"
)
_AFTER_REFERENCE = re.compile(rf"(?:{_REFERENCE_WORDS}){_LINKS}\Z", re.IGNORECASE)
_PART_OF_A_CODE = re.compile(r"(?:[#№] ?|(?<![A-Za-z])(?!TEL|MOB|FAX)[A-Z]{1,6}[-_/])\Z")
_PHONE_CUE = re.compile(
    r"phone|mobile|\bcell|\btel\b|\bcall (?:me|him|her|us)\b|\bring me|(?:my|his|her|your|our|contact) number"
    r"|telefon|handy|rufnummer|meine nummer|\bmob\b|mobitel|(?:moj|njen|njegov|vaš|tvoj) broj"
    r"|m[óo]vil|tel[ée]fono|celular|mi n[úu]mero|whatsapp|手[机機]|[电電][话話]|[号號][码碼]|[联聯][系繫絡]|打[给給]",
    re.IGNORECASE,
)
_MONEY_BEFORE = re.compile(r"(?:[$€£¥]|\b(?:eur|usd|gbp|rmb|ntd?|hrk)) ?\Z", re.IGNORECASE)
_MONEY_AFTER = re.compile(
    r" ?(?:[$€£¥%]|(?:kn|eur[oa]?s?|usd|dollars?|pounds?|kuna|d[óo]lares|pesos|[块塊元圆圓])(?![a-z]))", re.IGNORECASE
)
_BEFORE_CHARS = 40


def before(text: str, start: int) -> str:
    """What leads up to a place."""
    return text[max(0, start - _BEFORE_CHARS) : start]


def is_reference(text: str, start: int) -> bool:
    """Does a word such as order or invoice lead straight up to it, or is it part of a code such as INV-2024?"""
    lead = before(text, start)
    return bool(_AFTER_REFERENCE.search(lead) or _PART_OF_A_CODE.search(lead))


def is_money(text: str, start: int, end: int) -> bool:
    """Does a currency stand beside it?"""
    return bool(_MONEY_BEFORE.search(before(text, start)) or _MONEY_AFTER.match(text, end))


def has_phone_cue(text: str, start: int) -> bool:
    """Does talk of a phone or a number lead up to it?"""
    return bool(_PHONE_CUE.search(before(text, start)))
