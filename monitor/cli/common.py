"""What several commands share: settings, files, the scorer, progress. Nothing heavy is imported at the top."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.cli.failure import Failure, UsageFailure

if TYPE_CHECKING:
    from models.ear import Ear
    from models.types import Score, ScoreInput
    from monitor.config import Config
    from monitor.core.rules import Rules
    from monitor.recordings import Line


def add_config_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", metavar="FILE", help="settings that differ from configs/becalm.toml")
    parser.add_argument(
        "--set", action="append", default=[], metavar="SECTION.KEY=VALUE", help="one setting; may come again"
    )


def load_config(args: argparse.Namespace, sets: Iterable[str] = ()) -> Config:
    """The settings from `--config`, then `sets`, then `--set`."""
    from monitor.config import COMMAND_LINE, ConfigError, load

    try:
        return load(args.config, [*sets, *args.set])
    except ConfigError as error:
        only_usage = all(problem.source == COMMAND_LINE for problem in error.problems)
        raise (UsageFailure if only_usage else Failure)(str(error)) from None


def load_rules(config: Config, model_version: str) -> Rules:
    from monitor.rules_loading import load_rules as load

    try:
        return load(config, model_version)
    except (ValueError, OSError) as error:  # PackError, TextError and RiskError are ValueErrors
        raise Failure(reason(error)) from None


def model_version(config: Config) -> str:
    """The version of the model directory, read without torch."""
    from models.directory import ModelError
    from models.ear import version

    try:
        return version(config.model_dir, config.label_map)
    except ModelError as error:
        raise Failure(str(error)) from None


class LazyScorer:
    """Loads the model when the first turn is to be scored: replaying an export never needs it."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._scorer: Ear | None = None

    def score(self, inputs: Sequence[ScoreInput]) -> list[Score]:
        if not inputs:
            return []
        if self._scorer is None:
            self._scorer = load_scorer(self._config)
        return self._scorer.score(inputs)


def load_scorer(config: Config) -> Ear:
    from models.directory import ModelError
    from models.ear import load

    try:
        return load(config.model_dir, config.label_map, config.model.threads, config.model.precision)
    except ModelError as error:
        raise Failure(str(error)) from None


def read_files(names: Sequence[str]) -> Iterator[Line]:
    """The lines of all files in order; `-` is standard input. Raises Failure that names file and line."""
    from monitor.recordings import LineError, read_records

    for name in names:
        try:
            with _lines(name) as lines:
                yield from read_records(lines, "stdin" if name == "-" else name)
        except LineError as error:
            raise Failure(str(error)) from None
        except OSError as error:
            raise Failure(f"{name}: {error.strerror or error}") from None


def _lines(name: str) -> AbstractContextManager[Iterable[bytes]]:
    return nullcontext(sys.stdin.buffer) if name == "-" else Path(name).open("rb")


def reason(error: Exception) -> str:
    """An error in words: for an OSError the system's own, with the file where it is known."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.filename}: {error.strerror}" if error.filename else error.strerror
    return str(error) or type(error).__name__


class Progress:
    """A count on standard error, rewritten in place; silent unless that is a terminal."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._shown = sys.stderr.isatty()

    def __call__(self, done: int, total: int) -> None:
        if self._shown:
            end = "\n" if done >= total else ""
            print(f"\r{self._label} {done}/{total}", end=end, file=sys.stderr, flush=True)


def clock(seconds: float) -> str:
    """Call time as minutes and seconds.

    >>> clock(3725.4), clock(7)
    ('62:05', '0:07')
    """
    return f"{int(seconds // 60)}:{int(seconds % 60):02d}"
