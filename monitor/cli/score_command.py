"""`becalm score`: what is heard in single texts, by the model and by the phrase packs, as in a `turn` event.

`labels` are those that hold; `scores` are the model's own probabilities, mapped so that a label holds from 0.5 up.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast, get_args

import msgspec

from monitor.cli import common
from monitor.cli.failure import Failure
from stream.schema import Channel, Role

if TYPE_CHECKING:
    from models.types import Score, ScoreInput
    from monitor.core.rules import Rules

ROLES = get_args(Role)
CHANNELS = get_args(Channel)


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
    parser.add_argument("--no-packs", action="store_true", help="what the model hears, without the phrase packs")
    common.add_config_arguments(parser)


def run(args: argparse.Namespace) -> int:
    from monitor.core.heard import vote

    config = common.load_config(args)
    rules = common.load_rules(config, common.model_version(config))
    texts = [_question(asked, args, rules) for asked in _asked(args.texts)]
    scorer = common.load_scorer(config)
    scores = iter(scorer.score([item for item, abstained in texts if abstained is None]))
    for item, abstained in texts:
        score = next(scores) if abstained is None else _abstained(abstained)
        hits = [] if args.no_packs else rules.packs.find(item.text, item.role, item.language)
        heard = {
            "language": item.language,
            "emotions": score.emotions,
            "heat": score.heat,
            "labels": msgspec.to_builtins(list(vote(None if score.abstained else score, hits).values())),
            "abstained": score.abstained,
            "scores": score.labels,
        }
        print(json.dumps(heard, ensure_ascii=False) if args.json else _readable(item.text, heard))
    return 0


def _question(asked: _Asked, args: argparse.Namespace, rules: Rules) -> tuple[ScoreInput, str | None]:
    """What is asked of the scorer and why it must not answer, as on the first turn of a live call."""
    from models.types import ScoreInput
    from monitor.core.context import Context
    from monitor.core.rules import SUPPORTED_LANGUAGES
    from stream.assembler import Utterance

    role = cast(Role, args.role or asked.role or "customer")
    stated = args.language or asked.language or asked.lang
    turn = Utterance(("0",), role, asked.text, 0.0, 0.0, stated)
    _, language, abstained = Context(rules.guess, SUPPORTED_LANGUAGES).take(turn)
    return ScoreInput(asked.text, role, asked.prev, tuple(asked.history), language, asked.channel), abstained


def _abstained(reason: str) -> Score:
    from models.types import Score

    return Score({}, None, {}, b"", reason)


def _asked(texts: list[str]) -> Iterator[_Asked]:
    if texts:
        yield from (_Asked(text) for text in texts)
        return
    for number, raw in enumerate(sys.stdin.buffer, start=1):
        try:
            line = raw.decode("utf-8-sig" if number == 1 else "utf-8").strip()
            asked = msgspec.json.decode(line, type=_Asked) if line.startswith("{") else _Asked(line)
        except UnicodeDecodeError:
            raise Failure(f"stdin:{number}: is not UTF-8") from None
        except msgspec.DecodeError as error:
            raise Failure(f"stdin:{number}: {error}") from None
        for name, value, known in (("role", asked.role, ROLES), ("channel", asked.channel, CHANNELS)):
            if value is not None and value not in known:
                raise Failure(f"stdin:{number}: the {name} {value!r} is unknown: write one of {', '.join(known)}")
        yield asked


def _readable(text: str, heard: dict[str, Any]) -> str:
    lines = [text, f"  language {heard['language'] or 'unknown'}"]
    if heard["abstained"] is not None:
        lines.append(f"  abstained: {heard['abstained']}")
    elif heard["heat"] is not None:
        emotions = sorted(((p, name) for name, p in heard["emotions"].items() if p >= 0.5), reverse=True)
        held = ", ".join(f"{name} {p:.2f}" for p, name in emotions) or "none"
        lines.append(f"  heat {heard['heat']:.1f} of 4; emotions: {held}")
    labels = (
        f"{hit['name']} {hit['score']:.2f}" + (f' ("{text[hit["start"] : hit["end"]]}")' if "pack" in hit else "")
        for hit in heard["labels"]
    )
    return "\n".join([*lines, f"  labels: {', '.join(labels) or 'none'}"])
