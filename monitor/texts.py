"""The words that people read: prompts for agents, reasons for supervisors. Pure: files in, sentences out."""

from __future__ import annotations

import hashlib
import string
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any, Self

FALLBACK = "en"


class TextError(ValueError):
    """A file of texts that cannot be used: which file, what is wrong, how to mend it."""


class Texts:
    """Prompts by language and situation, reasons and label names by language."""

    def __init__(
        self,
        prompts: Mapping[str, Mapping[str, tuple[str, ...]]],
        reasons: Mapping[str, Mapping[str, str]],
        labels: Mapping[str, Mapping[str, str]],
        version: str,
    ) -> None:
        self._prompts, self._reasons, self._labels = prompts, reasons, labels
        self.version = version

    @classmethod
    def load(cls, files: Iterable[tuple[str, str]]) -> Self:
        """From (name, TOML text) of `prompts/<lang>.toml` and `reasons/<lang>.toml`. Raises TextError."""
        prompts: dict[str, dict[str, tuple[str, ...]]] = {}
        reasons: dict[str, dict[str, str]] = {}
        labels: dict[str, dict[str, str]] = {}
        digest = hashlib.sha256()
        for name, text in sorted(files):
            digest.update(f"{name}\n{text}\n".encode())
            folder, _, file = name.rpartition("/")
            language = file.removesuffix(".toml")
            try:
                data: dict[str, Any] = tomllib.loads(text)
                if folder.endswith("prompts"):
                    prompts[language] = {key: tuple(value["texts"]) for key, value in data.items()}
                else:
                    labels[language] = {key: str(value) for key, value in data.pop("labels").items()}
                    reasons[language] = {key: str(value) for key, value in data["reasons"].items()}
            except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError) as error:
                raise TextError(f"{name}: {type(error).__name__}: {error}") from error
        if FALLBACK not in prompts or FALLBACK not in reasons:
            raise TextError(f"prompts/{FALLBACK}.toml and reasons/{FALLBACK}.toml must be there")
        return cls(prompts, reasons, labels, digest.hexdigest()[:12])

    def prompt(self, situation: str, language: str | None, nth: int, slots: Mapping[str, str]) -> tuple[str, str]:
        """The nth wording (they repeat) for a situation whose slots are all there, and the language it is in."""
        spoken = language if language in self._prompts and situation in self._prompts[language] else FALLBACK
        usable = [text for text in self._prompts[spoken][situation] if slots_of(text) <= slots.keys()]
        return usable[nth % len(usable)].format_map(dict(slots)), spoken

    def reason(self, kind: str, language: str, slots: Mapping[str, str]) -> str:
        """One plain sentence on why an alert fired, grew or closed."""
        spoken = language if language in self._reasons else FALLBACK
        return self._reasons[spoken][kind].format_map(dict(slots))

    def label(self, name: str, language: str) -> str:
        """Display name of an emotion, cue, move or kind; the name itself where there is none."""
        spoken = language if language in self._labels else FALLBACK
        return self._labels[spoken].get(name, name.replace("_", " "))


def slots_of(text: str) -> set[str]:
    """Names of the slots in a wording.

    >>> slots_of("Say it back: {point}.")
    {'point'}
    """
    return {field for _, field, _, _ in string.Formatter().parse(text) if field is not None}
