"""The words on the screens: calm-down prompts for the agent, one plain reason an alert for the supervisor. Pure."""

import hashlib
import re
import tomllib
from collections.abc import Iterable, Mapping
from typing import Self

import msgspec

FALLBACK = "en"
"""The language used where a text is missing."""
PROMPT_SLOTS = frozenset({"point", "issue", "customer"})
WORDS, CHARACTERS = 12, 24
"""Length of a prompt: words, or characters where a language has no spaces."""
WORDINGS = 3
"""Least number of different wordings a situation: the prompt returns while tension stays high."""
SITUATIONS = tuple(
    "listen name_feeling care stock_apology repeated_point only_one_way extreme_demand compensation loyalty hardship "
    "must_report safety ask_superior relapse confront taboo disbelieve defend deflect hesitate rush_close overpromise "
    "cold_transfer space_mismatch miss_emotion sarcasm prior_doubt silence resigned next_step urgency bounced blocked "
    "insult cool_down".split()
)
REASONS = {
    "risk": {"tension_pct", "turns", "labels"},
    "must_report": {"labels"},
    "safety": {"labels"},
    "escalation_request": set[str](),
    "agent_conduct": {"labels"},
    "silence": {"seconds"},
    "unsatisfied_close": set[str](),
    "relapse": {"labels"},
    "again": {"reason", "turns"},
    **{
        f"route_{why}": set[str]() for why in ("danger", "outside", "demand", "superior", "bounced", "blocked", "stuck")
    },
    "recovered": set[str](),
    "answered": set[str](),
    "ended": set[str](),
}
"""Reasons of alerts and of suggestions (`route_`), with the slots that the code fills."""
PROMPT_LANGUAGES = ("zh-Hans", "zh-Hant", "hr", "en", "es", "de")
REASON_LANGUAGES = ("en", "zh-Hans", "zh-Hant", "hr")
CJK = re.compile(r"[\u3400-\u9fff]")
SLOT = re.compile(r"\{(\w+)\}")


class _Situation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    texts: list[str]


class _Reasons(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    reasons: dict[str, str]
    labels: dict[str, str]


class TextProblem(msgspec.Struct, frozen=True):
    """What is wrong with a text, where, and how to mend it."""

    file: str
    entry: str
    message: str
    hint: str


class TextError(ValueError):
    """A text file that cannot be read: which file, how to mend it."""

    def __init__(self, file: str, mend: str) -> None:
        super().__init__(f"{file}: {mend}")
        self.file, self.mend = file, mend


class Texts:
    """All texts, by language."""

    def __init__(self, prompts: dict[str, dict[str, _Situation]], reasons: dict[str, _Reasons], version: str) -> None:
        self._prompts = prompts
        self._reasons = reasons
        self.version = version
        """Short hash of all texts."""

    @classmethod
    def load(cls, files: Iterable[tuple[str, str]]) -> Self:
        """Texts from (path name, TOML text) pairs, `prompts/<language>.toml` and `reasons/<language>.toml`."""
        prompts: dict[str, dict[str, _Situation]] = {}
        reasons: dict[str, _Reasons] = {}
        digest = hashlib.sha256()
        for file, text in sorted(files):
            digest.update(f"{file}\n{text}\n".encode())
            folder, _, name = file.removesuffix(".toml").rpartition("/")
            try:
                if folder.endswith("prompts"):
                    prompts[name] = msgspec.convert(tomllib.loads(text), dict[str, _Situation])
                elif folder.endswith("reasons"):
                    reasons[name] = msgspec.convert(tomllib.loads(text), _Reasons)
                else:
                    raise TextError(file, "put it into a folder prompts or reasons")
            except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
                raise TextError(file, str(error)) from error
        return cls(prompts, reasons, digest.hexdigest()[:12])

    def prompt(self, situation: str, language: str | None, nth: int, slots: Mapping[str, str]) -> tuple[str, str]:
        """The nth wording of a situation and the language it is in; wordings whose slots are empty are passed over."""
        code = language if language in self._prompts and situation in self._prompts[language] else FALLBACK
        entry = self._prompts.get(code, {}).get(situation)
        filled = {name: value for name, value in slots.items() if value}
        fitting = [text for text in entry.texts if _slots(text) <= filled.keys()] if entry else []
        if not fitting:
            raise KeyError(f"no prompt for {situation!r} in {code}")
        return _fill(fitting[nth % len(fitting)], filled), code

    def reason(self, kind: str, language: str | None, slots: Mapping[str, object]) -> str:
        """One plain sentence why an alert is there."""
        code = language if language in self._reasons and kind in self._reasons[language].reasons else FALLBACK
        return _fill(self._reasons[code].reasons[kind], {name: str(value) for name, value in slots.items()})

    def label(self, name: str, language: str | None) -> str:
        """A label's name for people; the label itself where there is none."""
        code = language if language in self._reasons else FALLBACK
        own = self._reasons[code].labels.get(name) if code in self._reasons else None
        return own if own is not None else name.replace("_", " ")

    def labels(self, names: Iterable[str], language: str | None) -> str:
        """Their display names as a list in a sentence."""
        separator = "、" if language is not None and language.startswith("zh") else ", "
        return separator.join(self.label(name, language) for name in names)

    def lint(self) -> list[TextProblem]:
        """Missing languages, situations, wordings and names, long prompts, unknown slots."""
        out = [
            TextProblem(f"prompts/{code}.toml", "", "missing", "write it")
            for code in PROMPT_LANGUAGES
            if code not in self._prompts
        ]
        out += [
            TextProblem(f"reasons/{code}.toml", "", "missing", "write it")
            for code in REASON_LANGUAGES
            if code not in self._reasons
        ]
        for code, situations in self._prompts.items():
            for name in sorted({*SITUATIONS, *situations}):
                texts = situations[name].texts if name in situations else []
                out += _prompt_problems(f"prompts/{code}.toml", name, texts)
        for code, reasons in self._reasons.items():
            out += _reason_problems(f"reasons/{code}.toml", reasons, self._reasons.get(FALLBACK, reasons))
        return out


def _prompt_problems(file: str, name: str, texts: list[str]) -> list[TextProblem]:
    out = []
    if name not in SITUATIONS:
        out.append(TextProblem(file, name, "unknown situation", "take one of the known situations"))
    if len(set(texts)) < WORDINGS:
        out.append(TextProblem(file, name, f"{len(set(texts))} wordings", f"write at least {WORDINGS} different ones"))
    if texts and all(_slots(text) for text in texts):
        out.append(TextProblem(file, name, "every wording has a slot", "write one without"))
    for text in texts:
        if unknown := _slots(text) - PROMPT_SLOTS:
            out.append(TextProblem(file, name, f"unknown slot {sorted(unknown)}", f"use {sorted(PROMPT_SLOTS)}"))
        if (CJK.search(text) and len(text) > CHARACTERS) or (not CJK.search(text) and len(text.split()) > WORDS):
            out.append(TextProblem(file, name, f"too long: {text}", f"at most {WORDS} words, {CHARACTERS} characters"))
    return out


def _reason_problems(file: str, own: _Reasons, model: _Reasons) -> list[TextProblem]:
    out = [TextProblem(file, kind, "no reason", "write one sentence") for kind in REASONS if kind not in own.reasons]
    for kind, text in own.reasons.items():
        if kind not in REASONS or _slots(text) - REASONS[kind]:
            out.append(TextProblem(file, kind, "unknown reason or slot", f"use {sorted(REASONS.get(kind, REASONS))}"))
    lacking = sorted(model.labels.keys() - own.labels.keys())
    return out + [TextProblem(file, name, "no display name", "add it under [labels]") for name in lacking]


def _slots(text: str) -> set[str]:
    return set(SLOT.findall(text))


def _fill(text: str, slots: Mapping[str, str]) -> str:
    """One pass, so that braces in a customer's words stay what they are."""
    return SLOT.sub(lambda match: slots.get(match[1], ""), text)
