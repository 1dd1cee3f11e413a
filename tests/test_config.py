"""Settings: the reference file is the defaults, overlays win, every mistake is named at once."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import msgspec
import pytest

from monitor import config_text
from monitor.config import ENVIRONMENT, Config, ConfigError, load, sections
from monitor.config_checks import RANGES

REFERENCE = Path(config_text.__file__).resolve().parent.parent / "configs" / "becalm.toml"


def problems(file: Path | None, *sets: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(file, sets)
    return str(caught.value).splitlines()


def test_the_reference_file_is_written_from_the_structs() -> None:
    assert REFERENCE.read_text("utf-8") == config_text.render(), (
        "run: python -m monitor.config_text > configs/becalm.toml"
    )


def test_the_reference_file_holds_the_defaults() -> None:
    tables = tomllib.loads(REFERENCE.read_text("utf-8"))
    assert list(tables) == list(sections())
    for name, struct in sections().items():
        assert tables[name] == msgspec.to_builtins(struct()) | {
            key: list(value) for key, value in msgspec.structs.asdict(struct()).items() if isinstance(value, tuple)
        }


def test_every_setting_is_explained() -> None:
    for name, struct in sections().items():
        missing = set(struct.__struct_fields__) - set(config_text.docs(struct)[1])
        assert not missing, f"[{name}] lacks a docstring under {missing}"


def test_every_number_has_a_range() -> None:
    for name, struct in sections().items():
        for field in msgspec.structs.fields(struct):
            if isinstance(field.default, int | float) and not isinstance(field.default, bool):
                assert field.name.endswith("_s") or f"{name}.{field.name}" in RANGES


def test_every_range_is_of_a_setting() -> None:
    known = {f"{name}.{field}" for name, struct in sections().items() for field in struct.__struct_fields__}
    assert set(RANGES) <= known


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(ENVIRONMENT)]:
        monkeypatch.delenv(name)


def test_the_environment_stands_between_file_and_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "becalm.toml"
    file.write_text("[policy]\nenter_at = 0.71\n[model]\nthreads = 4\n[server]\nport = 1\n", "utf-8")
    monkeypatch.setenv("BECALM_MODEL__THREADS", "1")
    monkeypatch.setenv("BECALM_SERVER__PORT", "2")
    for name in ("BECALM_TOKEN", "BECALM_PAGER__SECRET", "BECALM__SECRET", "BECALM_MODEL__"):
        monkeypatch.setenv(name, "no setting")
    config = load(file, ["server.port=3"])
    assert (config.core.policy.enter_at, config.model.threads, config.server.port) == (0.71, 1, 3)


@pytest.mark.parametrize(
    ("name", "value", "key"),
    [
        ("BECALM_MODEL__TREADS", "1", "model.treads"),
        ("BECALM_MODEL__PRECISION", "int4", "model.precision"),
        ("BECALM_MODEL__LAYERS", "7", "model.layers"),
        ("BECALM_MODEL__LAYERS", "six", "model.layers"),
    ],
)
def test_a_mistake_in_the_environment_names_the_variable(
    name: str, value: str, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError) as wrong:
        load()
    (problem,) = wrong.value.problems
    assert (problem.source, problem.key) == (name, key)
    assert problem.hint


def test_without_anything_the_defaults_hold() -> None:
    assert load() == Config()


def test_the_command_line_wins_over_the_file_and_the_file_over_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text("[policy]\nenter_at = 0.7\nexit_at = 0.5\n[curve]\nhalf_life_s = 60\n")
    config = load(file, ["policy.enter_at=0.8", "server.host=::1"])
    assert (config.core.policy.enter_at, config.core.policy.exit_at) == (0.8, 0.5)
    assert config.core.curve.half_life_s == 60.0
    assert config.server.host == "::1"
    assert config.core.stage == Config().core.stage


def test_paths_in_a_file_are_relative_to_it(tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    file.write_text('[store]\ndatabase = "calls.db"\n[texts]\ndirectory = "/srv/texts"\n')
    config = load(file, ["model.directory=model"])
    assert config.store.database == str(tmp_path / "calls.db")
    assert config.texts_dir == Path("/srv/texts")
    assert config.model_dir == Path("model")


def test_all_mistakes_of_a_file_are_named_with_key_and_hint(tmp_path: Path) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(
        'half_life_s = 3\n[curve]\nhalf_life = 3\nrise = 1.5\nhalf_life_s = "90s"\n[polcy]\nx = 1\n'
        "[policy]\nenter_at = true\nhold_for_s = -1\ncooldown_s = inf\n[server]\nallowed_origins = 3\n"
    )
    expected = [
        "half_life_s: is no section (it belongs under [curve])",
        "curve.half_life: is no setting (did you mean half_life_s?)",
        "curve.rise: is 1.5, outside 0 to 1",
        'curve.half_life_s: must be a number without quotes, not "90s" (in seconds)',
        "polcy: is no section (did you mean policy?)",
        "policy.enter_at: must be a number without quotes, not true",
        "policy.hold_for_s: is -1, outside 0 to 31622400 (in seconds)",
        "policy.cooldown_s: is inf, outside 0 to 31622400 (in seconds)",
        'server.allowed_origins: must be a list, such as ["a", "b"]',
    ]
    assert problems(file) == [f"{file}: {line}" for line in expected]


def test_thresholds_must_rise() -> None:
    assert problems(None, "policy.enter_at=0.3")[0].startswith(
        "settings: policy.exit_at: is 0.7, above policy.enter_at"
    )
    assert "policy.critical_at: is 0.97, below" in problems(None, "policy.enter_at=0.98")[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x", "command line: x: is not section.key=value (such as --set policy.enter_at=0.7)"),
        ("policy=1", "command line: policy=1: is not section.key=value (such as --set policy.enter_at=0.7)"),
        ("policy.enter=1", "command line: policy.enter: is no setting (did you mean enter_at?)"),
        ("policy.enter_at=nan", "command line: policy.enter_at: is nan, outside 0 to 1"),
        ("server.port=http", 'command line: server.port: must be a whole number without quotes, not "http"'),
    ],
)
def test_mistakes_on_the_command_line(text: str, said: str) -> None:
    assert problems(None, text) == [said]


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"[policy", "is not TOML"), (b"a = \xff", "is not UTF-8"), (None, "No such file or directory")],
)
def test_a_file_that_cannot_be_read(tmp_path: Path, content: bytes | None, said: str) -> None:
    file = tmp_path / "own.toml"
    if content is not None:
        file.write_bytes(content)
    assert said in problems(file)[0]
