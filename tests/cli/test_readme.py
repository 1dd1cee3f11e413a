"""What the README says is run: its Python example against a real service, its commands against the real parser."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from monitor.cli.main import COMMANDS
from tests.cli.conftest import SECONDS, Becalm, Service

README = Path(__file__).resolve().parent.parent.parent / "README.md"


def test_the_example_sends_a_call_and_sees_its_acks(service: Service, tmp_path: Path) -> None:
    code = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    assert len(code) == 1
    script = tmp_path / "example.py"
    script.write_text(code[0], "utf-8")
    address = service.url.replace("http", "ws", 1) + "/v1/ingest"
    ran = subprocess.run([sys.executable, script, address], capture_output=True, timeout=SECONDS, check=True)
    assert ran.stdout.decode().count("'type': 'ack'") == 2


def test_every_command_of_the_readme_exists_and_every_command_is_in_it() -> None:
    table = re.findall(r"^\| `becalm ([a-z-]+)", README.read_text("utf-8"), re.MULTILINE)
    assert sorted(table) == sorted(COMMANDS)


def test_the_options_that_the_readme_names_exist(becalm: Becalm) -> None:
    rows = re.findall(r"^\| `becalm ([a-z-]+)[^|]*\|(.*)\|$", README.read_text("utf-8"), re.MULTILINE)
    for command, text in rows:
        known = becalm(command, "--help").stdout.decode()
        for option in re.findall(r"`(--[a-z]+)", text):
            assert option in known, f"becalm {command} has no {option}"


def test_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README.read_text("utf-8")):
        assert "://" in target or (README.parent / target).exists(), target
