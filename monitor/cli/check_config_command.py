"""`becalm check-config`: every mistake in the settings and in the files they name."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from monitor.cli import common
from monitor.cli.failure import Failure

if TYPE_CHECKING:
    from monitor.config import Config


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", metavar="FILE", help="settings to check; same as --config")
    common.add_config_arguments(parser)


def run(args: argparse.Namespace) -> int:
    args.config = args.config if args.file is None else args.file
    config = common.load_config(args)
    problems = [problem for check in (_alerting, _texts, _model, _tokens) for problem in check(config)]
    if problems:
        raise Failure("\n".join(problems))
    print(f"{args.config or 'the default settings'}: nothing wrong")
    print(f"\nphrases by label and language:\n{_coverage(config)}")
    return 0


def _coverage(config: Config) -> str:
    from monitor.packlint import coverage, coverage_table

    return coverage_table(coverage(_packs(config)))


def _packs(config: Config) -> list[tuple[str, str]]:
    folder = config.texts_dir
    return [(str(path.relative_to(folder)), path.read_text("utf-8")) for path in sorted(folder.glob("packs/*/*.toml"))]


def _alerting(config: Config) -> Iterator[str]:
    from alerts.settings import load

    yield from _said(lambda: load(config.alerting_file))


def _texts(config: Config) -> Iterator[str]:
    """Packs run their own examples, prompts and reasons are held to their slots and lengths."""
    from monitor.packlint import lint

    folder = config.texts_dir
    problems = lint(_packs(config))
    yield from (f"{folder / one.file}: {one.entry}: {one.message} ({one.hint})" for one in problems)
    try:
        rules = common.load_rules(config, "unknown")
    except Failure as failure:
        yield str(failure)
        return
    yield from (f"{folder / one.file}: {one.entry}: {one.message} ({one.hint})" for one in rules.texts.lint())


def _model(config: Config) -> Iterator[str]:
    yield from _said(lambda: common.model_version(config))


def _tokens(config: Config) -> Iterator[str]:
    from pathlib import Path

    from monitor.service.auth import Auth

    file = Path(config.auth.tokens_file) if config.auth.tokens_file else None
    yield from _said(lambda: Auth(file, config.server.host, config.server.allowed_origins))


def _said(load: Callable[[], object]) -> Iterator[str]:
    """The complaint of one loader, if it has one."""
    try:
        load()
    except (Failure, ValueError, OSError) as error:
        yield common.reason(error)
