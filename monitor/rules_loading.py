"""From configuration files to the rules that every call shares."""

from __future__ import annotations

from pathlib import Path

from models.language import LanguageGuesser
from monitor.config import Config
from monitor.core.rules import SUPPORTED_LANGUAGES, Rules


def load_rules(config: Config, model_version: str, risk: bytes | None = None) -> Rules:
    """Reads packs, prompts, reasons and risk weights (or takes `risk`, where those are to be trained anew).

    Raises PackError, TextError, RiskError or OSError.
    """
    folder = config.texts_dir
    return Rules.load(
        config.core,
        packs=_texts(folder, "packs/*/*.toml"),
        texts=[*_texts(folder, "prompts/*.toml"), *_texts(folder, "reasons/*.toml")],
        risk=risk or (folder / "risk.json").read_bytes(),
        guess=LanguageGuesser(sorted(SUPPORTED_LANGUAGES)).guess,
        model_version=model_version,
    )


def _texts(folder: Path, pattern: str) -> list[tuple[str, str]]:
    return [(str(path.relative_to(folder)), path.read_text(encoding="utf-8")) for path in sorted(folder.glob(pattern))]
