"""`becalm doctor`: is this machine able to run Becalm."""

from __future__ import annotations

import argparse
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from monitor.cli import common
from monitor.cli.failure import Failure

if TYPE_CHECKING:
    from monitor.config import Config

NEEDED_FREE_BYTES = 200 * 2**20
LATE_YEAR = 2026


class Finding(msgspec.Struct, frozen=True):
    """One line of the diagnosis. `ok` None: works without it, but not everything does."""

    ok: bool | None
    name: str
    text: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    common.add_config_arguments(parser)


def run(args: argparse.Namespace) -> int:
    config = common.load_config(args)
    failed = 0
    for check in CHECKS:
        for finding in check(config):
            mark = {True: "ok  ", None: "note", False: "FAIL"}[finding.ok]
            print(f"{mark}  {finding.name:9} {finding.text}", flush=True)
            failed += finding.ok is False
    if failed:
        raise Failure(f"{failed} of the checks above failed")
    return 0


def _python(config: Config) -> Iterator[Finding]:
    fine = sys.version_info >= (3, 11)
    yield Finding(fine, "python", f"{platform.python_version()}" + ("" if fine else "; 3.11 or later is needed"))


def _model(config: Config) -> Iterator[Finding]:
    from models.types import ScoreInput

    began_s = time.perf_counter()
    try:
        scorer = common.load_scorer(config)
    except Failure as failure:
        yield Finding(False, "model", str(failure))
        return
    loaded_s = time.perf_counter()
    score = scorer.score([ScoreInput("I have been waiting for three weeks and nobody calls me back!", "customer")])[0]
    took_ms = (time.perf_counter() - loaded_s) * 1000
    told = score.heat is not None
    yield Finding(
        told,
        "model",
        f"version {scorer.version} in {scorer.precision}, loaded in {loaded_s - began_s:.1f} s, "
        f"one turn in {took_ms:.0f} ms",
    )


def _rules(config: Config) -> Iterator[Finding]:
    try:
        rules = common.load_rules(config, "unknown")
    except Failure as failure:
        yield Finding(False, "rules", str(failure))
        return
    yield Finding(True, "rules", f"packs {rules.versions['packs']}, languages {', '.join(rules.packs.languages)}")


def _port(config: Config) -> Iterator[Finding]:
    where = f"{config.server.host}:{config.server.port}"
    try:
        with socket.create_server((config.server.host, config.server.port)):
            yield Finding(True, "port", f"{where} is free")
    except OSError as error:
        yield Finding(False, "port", f"{where}: {error.strerror}; set server.port, or stop what runs there")


def _database(config: Config) -> Iterator[Finding]:
    path = Path(config.store.database).absolute()
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            free = shutil.disk_usage(path.parent).free
    except OSError as error:
        yield Finding(False, "database", f"{path.parent}: {error.strerror}; set store.database")
        return
    text = f"{path.parent} can be written, {free / 2**30:.1f} GiB free"
    yield Finding(free >= NEEDED_FREE_BYTES, "database", text)


def _fonts(config: Config) -> Iterator[Finding]:
    if shutil.which("fc-list") is None:
        yield Finding(None, "fonts", "fontconfig is not installed; only pictures and screenshots need fonts here")
        return
    listed = subprocess.run(["fc-list", ":lang=zh", "family"], capture_output=True, text=True, check=False).stdout
    found = bool(listed.strip())
    text = (
        "a font with Chinese characters is installed" if found else "no font with Chinese characters (fonts-noto-cjk)"
    )
    yield Finding(True if found else None, "fonts", text)


def _chromium(config: Config) -> Iterator[Finding]:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    yield Finding(True if found else None, "chromium", found or "not installed; only the browser tests need it")


def _clock(config: Config) -> Iterator[Finding]:
    now = time.gmtime()
    fine = now.tm_year >= LATE_YEAR
    text = time.strftime("%Y-%m-%dT%H:%M:%SZ", now) + ("" if fine else "; set the clock: alerts carry wall time")
    yield Finding(fine, "clock", text)


CHECKS: tuple[Callable[[Config], Iterator[Finding]], ...] = (
    _python, _model, _rules, _port, _database, _fonts, _chromium, _clock,
)  # fmt: skip
