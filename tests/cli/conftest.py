"""The real command in real processes, and one real service for all tests of this folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import msgspec
import pytest

from monitor.config import BUNDLED

SECONDS = 240
"""No command takes longer, not even beside other work on two cores."""
DEMO = BUNDLED / "demo"


def complaint(ran: subprocess.CompletedProcess[bytes]) -> str:
    """What a command said on standard error."""
    return ran.stderr.decode().strip()


class Becalm(Protocol):
    def __call__(self, *words: str | Path, stdin: str | bytes = b"") -> subprocess.CompletedProcess[bytes]: ...


@pytest.fixture(scope="session")
def becalm(tmp_path_factory: pytest.TempPathFactory) -> Becalm:
    """Runs the command in an empty folder; whatever happens, it must not end in a traceback."""
    folder = tmp_path_factory.mktemp("cwd")

    def run(*words: str | Path, stdin: str | bytes = b"") -> subprocess.CompletedProcess[bytes]:
        given = stdin.encode() if isinstance(stdin, str) else stdin
        command = [sys.executable, "-m", "monitor.cli", *map(str, words)]
        ran = subprocess.run(command, input=given, capture_output=True, cwd=folder, timeout=SECONDS, check=False)
        assert b"Traceback" not in ran.stderr, ran.stderr.decode()
        return ran

    return run


class Service(msgspec.Struct, frozen=True):
    url: str
    db: Path


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """`becalm serve` on a free port; told to stop with SIGTERM at the end, and then it must end well."""
    folder = tmp_path_factory.mktemp("service")
    command = [sys.executable, "-m", "monitor.cli", "serve", "--port", "0", "--db", str(folder / "calls.db")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, cwd=folder, env=dict(os.environ))
        try:
            assert process.stdout is not None
            line = process.stdout.readline().decode()
            assert "ready at http://127.0.0.1:" in line, (folder / "log").read_text()
            yield Service(line.split("ready at ")[1].split("/ ")[0].rstrip("/\n"), folder / "calls.db")
        finally:
            process.send_signal(signal.SIGTERM)
            status = process.wait(SECONDS)
    assert status == 0
