"""`becalm score`: what the classifier hears in single texts."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from typing import Any

import msgspec

from monitor.cli import common
from monitor.cli.failure import Failure

ROLES = ("customer", "agent", "manager", "bot", "unknown")


class _Asked(msgspec.Struct):
    """A line of input that is a JSON object, as in the corpus."""

    text: str
    role: str | None = None
    prev: str | None = None
    history: list[str] = []
    language: str | None = None
    lang: str | None = None
    channel: str = "voice"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("texts", nargs="*", metavar="TEXT", help="texts; without any, lines of standard input")
    parser.add_argument("--role", choices=ROLES, help="who says it (default: customer, or what the line says)")
    parser.add_argument(
        "--language", metavar="TAG", help="such as hr or zh-Hant (default: what the line says, or a guess)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a text")
    common.add_config_arguments(parser)


def run(args: argparse.Namespace) -> int:
    from models.language import LanguageGuesser
    from models.types import ScoreInput
    from monitor.core.rules import SUPPORTED_LANGUAGES

    config = common.load_config(args)
    guesser = LanguageGuesser(sorted(SUPPORTED_LANGUAGES))
    items = []
    for asked in _asked(args.texts):
        language = args.language or asked.language or asked.lang or guesser.guess(asked.text)[0]
        role = args.role or asked.role or "customer"
        items.append(ScoreInput(asked.text, role, asked.prev, tuple(asked.history), language, asked.channel))
    scorer = common.load_scorer(config)
    for item, score in zip(items, scorer.score(items), strict=True):
        result = {
            "language": item.language,
            "emotions": score.emotions,
            "heat": score.heat,
            "labels": score.labels,
            "abstained": score.abstained,
        }
        print(json.dumps(result, ensure_ascii=False) if args.json else _readable(item.text, result))
    return 0


def _asked(texts: list[str]) -> Iterator[_Asked]:
    if texts:
        yield from (_Asked(text) for text in texts)
        return
    for number, raw in enumerate(sys.stdin.buffer, start=1):
        try:
            line = raw.decode("utf-8-sig" if number == 1 else "utf-8").strip()
            if line:
                yield msgspec.json.decode(line, type=_Asked) if line.startswith("{") else _Asked(line)
        except UnicodeDecodeError:
            raise Failure(f"stdin:{number}: is not UTF-8") from None
        except msgspec.DecodeError as error:
            raise Failure(f"stdin:{number}: {error}") from None


def _readable(text: str, result: dict[str, Any]) -> str:
    def listed(scores: dict[str, float]) -> str:
        held = sorted(((p, name) for name, p in scores.items() if p >= 0.5), reverse=True)
        return ", ".join(f"{name} {p:.2f}" for p, name in held) or "none"

    lines = [text, f"  language {result['language'] or 'unknown'}"]
    if result["abstained"] is not None:
        return "\n".join([*lines, f"  abstained: {result['abstained']}"])
    if result["heat"] is not None:
        lines.append(f"  heat {result['heat']:.1f} of 4; emotions: {listed(result['emotions'])}")
    return "\n".join([*lines, f"  labels: {listed(result['labels'])}"])
