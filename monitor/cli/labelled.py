"""Labelled calls for `evaluate` and `tune`: read from files, with scores from a file or from the configured model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from monitor.cli import common
from monitor.cli.failure import Failure

if TYPE_CHECKING:
    from models.types import Score
    from monitor.config import Config
    from monitor.core.rules import Rules
    from monitor.labelled_calls import LabelledCall, Scores


def read_calls(paths: Sequence[Path]) -> list[LabelledCall]:
    """The calls of all files in order. Raises Failure that names file and line."""
    from monitor.labelled_calls import decode_call

    calls: list[LabelledCall] = []
    for path in paths:
        for number, line in enumerate(read_text(path).splitlines(), start=1):
            if line.strip():
                try:
                    calls.append(decode_call(line))
                except msgspec.DecodeError as error:
                    raise Failure(f"{path}:{number}: no labelled call: {error}") from None
    if not calls:
        raise Failure("the files hold no call")
    return calls


def read_scores(path: Path) -> Scores:
    """The scores of a file as `models/oof.py` writes it. Raises Failure."""
    from monitor.labelled_calls import decode_scores

    try:
        return decode_scores(read_text(path).splitlines())
    except ValueError as error:  # msgspec's and json's errors are ValueErrors
        raise Failure(f"{path}: no scores of turns: {error}") from None


def with_scores(
    calls: Sequence[LabelledCall], file: Path | None, config: Config, rules: Rules
) -> tuple[list[LabelledCall], Scores]:
    """The calls with a score for every turn, and the scores: from the file, or else from the configured model."""
    from monitor.labelled_calls import has_scores, questions
    from monitor.replay import score_all

    if file is not None:
        scores = read_scores(file)
        known = [call for call in calls if has_scores(call, scores)]
        if not known:
            raise Failure(f"{file}: no call has scores for all its turns")
        return known, scores
    asked = {key: item for call in calls for key, item in questions(call, rules).items()}
    answers = score_all(asked, common.load_scorer(config), common.Progress("scored"))
    found: dict[tuple[str, int], Score] = {}
    failed: set[str] = set()
    for (call_id, segment), answer in answers.items():
        if answer.score is None:
            failed.add(call_id)
        else:
            found[call_id, int(segment)] = answer.score
    return [call for call in calls if call.call_id not in failed], found


def rules_for(config: Config, scores: Path | None) -> Rules:
    """The rules; with a file of scores no model is looked at."""
    return common.load_rules(config, "scores file" if scores is not None else common.model_version(config))


def read_text(path: Path) -> str:
    """Raises Failure."""
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise Failure(common.reason(error)) from None
    except UnicodeDecodeError as error:
        raise Failure(f"{path}: is not UTF-8 ({error.reason} at byte {error.start})") from None
