"""The phrase language of cue packs: words in order, compiled to one regular expression over folded text.

`word*` any ending, `*word` any beginning, `a|b` either word, `(a b|c)` the same with several words, `{name}` any of the
pack's word list, `word?` may be missing, `+` up to 4 words between (`+2`: up to 2), `^` and `$` begin and end of the
turn. In a guard, `~` is the hit.
"""

import functools
import itertools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from monitor.packs_fold import CJK, fold_text

UNSPACED = frozenset({"zh-Hans", "zh-Hant", "ja"})
"""Languages written without spaces: no word boundaries, gaps counted in characters."""
CHARS_PER_WORD = 2
GAP_WORDS = 4
COMMON = frozenset(
    "will have your that with this they them what from going want would about kann werde nicht will dass ihnen "
    "para esto todo voy usted ustedes pero como ovo vas vama sam samo kako nisam hocu zelim odmah vous nous pour "
    "avec dans siete sono come para você com mais you your the and for it be is are was not can get que les des los "
    "una mit und sie ist das ich ein eine der die den von auf hat ihr wir vous je il la le".split()
)
COMMON_CHARS = frozenset("我你您咱就会让给这那不了再个要去上到是有的在也已")
"""Words and ideographs too frequent to look for first."""
OPTIONAL = {"de": {"ä": "ae", "ö": "oe", "ü": "ue"}, "hr": {"đ": "dj"}}
"""Second spellings of a letter, by language."""
NEGATIONS = {
    "en": "not|never|nor",
    "hr": "ne|necu|nisam|nikad|nikada",
    "de": "nicht|nie|niemals|kein|keine|keinen",
    "es": "no|nunca|jamas",
    "fr": "ne|n|pas|jamais|aucun|aucune",
    "it": "non|mai|nessun|nessuna|nessuno",
    "pt": "nao|nunca|jamais|nem|nenhum|nenhuma",
    "ru": "не|ни|нет|никогда|никакого",
    "pl": "nie|nigdy|ani|zaden|zadna|zadnej",
    "zh-Hans": "不|没|别|唔|冇",
    "zh-Hant": "不|没|别|唔|冇",
    "ja": "ません|ない",
    "ko": "안|못|말고|아니라",
    "tr": "degil|yok|hic",
    "ar": "لن|لا|لم|مش|مو|ليس|بدون",
    "hi": "नहीं|मत|nahi|nahin|mat",
}
"""A gap does not step over a negation; folded."""
WORD_FORM = re.compile(r"\*?[^\s*|{}()+?^$~]+\*?")
TOKEN = re.compile(r"\([^()]*\)\??|\S+")


NOT_WORD = re.compile(r"\W")


class PhraseError(ValueError):
    """A phrase that cannot be read; the message says how to mend it."""


@functools.cache
def _compiled(expression: str) -> re.Pattern[str]:
    """Compiled when first needed: most phrases never meet their anchor, and their classes of ideographs cost."""
    return re.compile(expression)


class Phrase(NamedTuple):
    """A phrase: the expression and, twice, literals of which one must be in the text."""

    expression: str
    first: frozenset[str]
    second: frozenset[str]

    @property
    def regex(self) -> re.Pattern[str]:
        return _compiled(self.expression)

    def warm_up(self) -> None:
        _compiled(self.expression)


class Guard(NamedTuple):
    """What makes a hit harmless: expressions for the words before it, after it, both, or near it."""

    before: str | None
    after: str | None
    near: str | None

    def warm_up(self) -> None:
        for expression in self:
            if expression is not None:
                _compiled(expression)

    def holds(self, text: str, left: int, start: int, end: int, right: int) -> bool:
        """Whether the hit `start:end` is guarded within `left:right`."""
        if self.near is not None:
            return _compiled(self.near).search(text, left, right) is not None
        if self.before is not None and not _compiled(self.before).search(text, left, start):
            return False
        return self.after is None or _compiled(self.after).match(text, end, right) is not None


class _Item(NamedTuple):
    variants: tuple[str, ...]  # each one or more words with stars
    optional: bool


@functools.cache
def spellings(word: str, language: str) -> tuple[str, ...]:
    """Every folded spelling of a word: apostrophe or none, ae for ä in German. Cached: a pack's word lists come back
    in phrase after phrase."""
    second = OPTIONAL.get(language, {})
    choices: list[tuple[str, ...]] = []
    for char in word.casefold():
        plain = fold_text(char)
        if plain == "'":
            choices.append(("'", ""))
        elif char in second:
            choices.append((plain, second[char]))
        else:
            choices.append((plain,))
    return tuple("".join(parts) for parts in itertools.islice(itertools.product(*choices), 16))


@functools.cache
def _folded(word: str) -> str:
    return fold_text(word)


def _listed(part: str, words: Mapping[str, Sequence[str]]) -> Sequence[str]:
    if not part.startswith("{"):
        return [part]
    if part.strip("{}") not in words:
        raise PhraseError(f"no word list {part!r} under [words]")
    return words[part.strip("{}")]


def _items(phrase: str, words: Mapping[str, Sequence[str]]) -> list[_Item | int | str]:
    items: list[_Item | int | str] = []
    for token in TOKEN.findall(phrase):
        bare = token.removesuffix("?")
        if token in ("^", "$", "~"):
            items.append(token)
        elif token[0] == "+":
            if not (token == "+" or token[1:].isdecimal()):
                raise PhraseError(f"gap {token!r} is neither + nor + and a number")
            items.append(int(token[1:] or GAP_WORDS))
        else:
            inner = bare[1:-1] if bare[0] == "(" and bare[-1] == ")" else bare
            variants = [word for part in inner.split("|") for word in _listed(part, words)]
            items.append(_Item(tuple(dict.fromkeys(variants)), bare != token))
    for item in items:
        for variant in item.variants if isinstance(item, _Item) else ():
            if not variant.split() or not all(WORD_FORM.fullmatch(word) for word in variant.split()):
                raise PhraseError(f"{variant!r} is not a word with an optional * at its ends")
    if not any(isinstance(item, _Item) and not item.optional for item in items):
        raise PhraseError("no word that must be there")
    return items


class Compiler:
    """Compiles the phrases of one pack."""

    def __init__(self, language: str, words: Mapping[str, Sequence[str]]) -> None:
        self.language = language
        self.words = words
        self.unspaced = language in UNSPACED
        negation = fold_text(NEGATIONS.get(language, ""))
        self.sep = r"[\s\"']*" if self.unspaced else r"[^\w.!?]+"
        self.clause = self.sep if self.unspaced else r"[^\w.!?,;]+"
        self.skip = "" if not negation else f"(?!{negation})" if self.unspaced else rf"(?!(?:{negation})(?!\w))"

    def phrase(self, phrase: str) -> Phrase:
        """A phrase with its anchors."""
        items = _items(phrase, self.words)
        if "~" in items:
            raise PhraseError("~ belongs in guards only")
        words = [item for item in items if isinstance(item, _Item) and not item.optional]
        anchors = [[a for variant in item.variants for a in _anchors(variant, self.language)] for item in words]
        rarest = sorted(anchors, key=lambda some: (-min(map(_weight, some)), len(some)))[:2]
        sets = [frozenset(some) for some in rarest]
        return Phrase(self._join(items, skip=self.skip), sets[0], sets[-1])

    def guard(self, phrase: str) -> Guard:
        """A guard, before, after or around the hit, or anywhere near."""
        items = _items(phrase, self.words)
        if "~" not in items:
            return Guard(None, None, self._join(items))
        at = items.index("~")
        before, after = items[:at], items[at + 1 :]
        return Guard(
            self._join(before, closed=True) + r"\Z" if before else None,
            self._join(after, opened=True) if after else None,
            None,
        )

    def _gap(self, size: int, sep: str, glue: str, skip: str, last: bool) -> str:
        """Up to `size` words and the space after them; `glue`: the space before, unless it is there already."""
        if self.unspaced:
            return rf"(?:{skip}[^.!?,;\n]){{0,{size * CHARS_PER_WORD}}}?"
        if last:
            return rf"(?:{sep}{skip}\w+){{0,{size}}}?"
        return rf"{glue}(?:{skip}\w+{sep}){{0,{size}}}?"

    def _join(
        self, items: Iterable[_Item | int | str], skip: str = "", opened: bool = False, closed: bool = False
    ) -> str:
        """One expression; `skip`: what a gap may not hold; `opened`, `closed`: something stands before, after it."""
        sep = self.clause if opened or closed else self.sep
        out: list[str] = []
        glue = sep if opened else ""
        sequence = list(items)
        for item, following in zip(sequence, [*sequence[1:], None], strict=True):
            last = following in ("$", None) and not closed
            if item == "^":
                out.append(r"\A\W*")
                glue = ""
            elif item == "$":
                out.append(r"\W*\Z")
                glue = ""
            elif isinstance(item, int):
                out.append(self._gap(item, sep, glue, skip, last))
                glue = ""
            elif isinstance(item, _Item):
                body = "(?:" + "|".join(self._variants(item.variants)) + ")"
                if item.optional and not glue:  # after a gap the space goes with the word
                    out.append(f"(?:{body}{sep})?")
                else:
                    out.append(f"(?:{glue}{body})?" if item.optional else glue + body)
                    glue = sep
        return "".join(out) + (glue if closed else "")

    def _variants(self, variants: Sequence[str]) -> list[str]:
        ordered = sorted(variants, key=lambda variant: (-len(variant), variant))
        return [self.sep.join(_word(word, self.language) for word in variant.split()) for variant in ordered]


@functools.cache
def _anchors(variant: str, language: str) -> tuple[str, ...]:
    """Spellings of a variant's rarest word, with a space at each end where the word must end."""
    word = max(variant.split(), key=lambda one: _weight(_folded(one.strip("*"))))
    forms = spellings(word.strip("*"), language)
    if language in UNSPACED:
        return forms
    head, tail = "" if word[0] == "*" else " ", "" if word[-1] == "*" else " "
    return tuple(head + NOT_WORD.sub(" ", form) + tail for form in forms)


@functools.cache
def _word(word: str, language: str) -> str:
    """The expression of one word with its stars."""
    unspaced = language in UNSPACED
    body = word.strip("*")
    forms = [re.escape(form) for form in spellings(body, language)]
    text = forms[0] if len(forms) == 1 else "(?:" + "|".join(forms) + ")"
    folded = _folded(body)
    letter = "[a-z0-9]" if unspaced else r"\w"
    head = "" if CJK.match(folded[0]) else f"(?<!{letter})"
    tail = "" if CJK.match(folded[-1]) else f"(?!{letter})"
    if word[0] == "*":
        head = f"{head}{letter}*"
    if word[-1] == "*":
        tail = f"{letter}*"
    return head + text + tail


def _weight(word: str) -> int:
    """How rare a word is: common ones little, else its length; an ideograph says as much as two letters."""
    bare = word.strip()
    if bare in COMMON or bare[0] in COMMON_CHARS or bare[-1] in COMMON_CHARS:
        return 1
    return len(bare) * (2 if CJK.match(bare) else 1)
