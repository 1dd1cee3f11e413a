"""Everything that a call is judged by, loaded once and shared by all calls; never changed afterwards."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable

import msgspec

from monitor.core.context import Guess
from monitor.core.risk import RiskModel
from monitor.core.settings import Settings
from monitor.packs import Packs
from monitor.texts import Texts

SUPPORTED_LANGUAGES = frozenset(
    {"zh-Hans", "zh-Hant", "hr", "en", "es", "de", "fr", "it", "pt", "ru", "ja", "ko", "pl", "tr", "ar", "hi"}
)

RULES_VERSION = "5"
"""Raised whenever the same journal would give other events."""


class Rules(msgspec.Struct, frozen=True):
    settings: Settings
    packs: Packs
    texts: Texts
    risk: RiskModel
    guess: Guess
    versions: dict[str, str]
    """`model`, `rules` and `packs`, as the call's start event states them."""

    @classmethod
    def load(
        cls,
        settings: Settings,
        *,
        packs: Iterable[tuple[str, str]],
        texts: Iterable[tuple[str, str]],
        risk: bytes,
        guess: Callable[[str, str | None], tuple[str | None, float]],
        model_version: str,
    ) -> Rules:
        """From the texts of files (name, content). Raises PackError, TextError or RiskError naming file and mend."""
        loaded_packs, loaded_texts = Packs.load(packs), Texts.load(texts)
        try:
            risk_model = msgspec.json.decode(risk, type=RiskModel)
        except (msgspec.DecodeError, ValueError) as error:
            raise RiskError(
                f"risk weights: {error}; train them again with `python -m monitor.risk_training`"
            ) from error
        marks = msgspec.json.encode([RULES_VERSION, settings, loaded_texts.version]) + risk
        versions = {
            "model": model_version,
            "rules": hashlib.sha256(marks).hexdigest()[:12],
            "packs": loaded_packs.version,
        }
        return cls(
            settings,
            loaded_packs,
            loaded_texts,
            risk_model,
            lambda text, prior: guess(text, prior)[0],
            versions,
        )


class RiskError(ValueError):
    """The risk weights cannot be used."""
