"""The alerting file: what ships loads, and every mistake is named with its key."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from alerts.settings import SettingsError, load
from monitor.config import BUNDLED
from tests.alerts.receiver import SECRET

GOOD = f"""
[[receiver]]
name = "on-call"
url = "https://hooks.example.com/becalm"
secret = "{SECRET}"
"""


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "alerting.toml"
    path.write_text(text)
    return path


def test_the_bundled_file_loads_and_tells_nobody() -> None:
    assert load(BUNDLED / "alerting.toml").receiver == []


def test_the_bundled_example_loads_once_its_comments_are_taken_off(tmp_path: Path) -> None:
    text = (BUNDLED / "alerting.toml").read_text()
    example = text[text.index("# [[receiver]]") :]
    bare = re.sub(r"^# ?(?=\[|\w+ = )", "", example, flags=re.MULTILINE)
    alerting = load(write(tmp_path, bare), {"BECALM_WEBHOOK_SECRET": SECRET})
    assert [one.name for one in alerting.receiver] == ["on-call"]
    assert alerting.receiver[0].match.teams == ["billing"]
    assert len(alerting.silence) == 1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("https://hooks", "ftp://hooks", "url"),
        ("https://hooks", "http://hooks", "allow_private"),
        ("https://hooks", "https://me:pw@hooks", "user name"),
        (SECRET, "whsec_short", "whsec_"),
        (f'secret = "{SECRET}"', 'secret_env = "NOT_THERE"', "NOT_THERE"),
        (f'secret = "{SECRET}"', "", "secret"),
        ('name = "on-call"', 'name = "on-call"\nmin_severity = "loud"', "min_severity"),
        ('name = "on-call"', 'name = "on-call"\ntimeout_s = 0', "timeout_s"),
        ('name = "on-call"', 'name = "on-call"\ncolour = "red"', "colour"),
        ('name = "on-call"', "name = 7", "name"),
        ("[[receiver]]", "[[receiver]", "alerting.toml"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(said)):
        load(write(tmp_path, GOOD.replace(old, new)), {})


def test_names_are_unique(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="twice"):
        load(write(tmp_path, GOOD + GOOD), {})


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.toml"):
        load(tmp_path / "nowhere.toml", {})
