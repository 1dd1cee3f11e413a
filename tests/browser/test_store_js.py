"""The pages' pure modules, under node's own test runner."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from monitor.pages import PAGES_DIR

NODE = shutil.which("node")


@pytest.mark.skipif(NODE is None, reason="there is no node on this machine")
def test_the_pure_modules(tmp_path: Path) -> None:
    assert NODE is not None
    shutil.copytree(PAGES_DIR / "static", tmp_path / "static")
    shutil.copy(Path(__file__).with_name("store.test.js"), tmp_path)
    (tmp_path / "package.json").write_text('{"type": "module"}', "utf-8")
    done = subprocess.run([NODE, "--test", "store.test.js"], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
