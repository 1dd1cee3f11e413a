"""The settings of the service: defaults, overlaid by a TOML file, then the environment, then
`--set section.key=value`.

`configs/becalm.toml` shows every setting with its default; it is written from the structs here and in
`monitor.core.settings` by `python -m monitor.config_text`, and a test holds it to them.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import msgspec

from monitor.config_checks import ConfigError, Problem, Reader, check_order, is_text, similar
from monitor.core.settings import Settings

BUNDLED = Path(__file__).resolve().parent.parent / "configs"
"""The folder with the packs, prompts, reasons, demo calls and default files that ship inside the package."""
BUNDLED_MODEL = Path(__file__).resolve().parent.parent / "models" / "default"

COMMAND_LINE = "command line"
"""What a problem names as its source when it came from `--set` or an option that stands for a setting."""

ENVIRONMENT = "BECALM_"
"""What variables begin with that stand for a setting; two underscores follow the section."""

PathText = Annotated[str, msgspec.Meta(extra={"path": True})]
"""A path; in a file it is relative to that file, on the command line to the working directory."""


class ServerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the service listens."""

    host: str = "127.0.0.1"
    """Address to listen on. Anything but loopback needs tokens (see `[auth]`)."""
    port: int = 8700
    """TCP port, 0 to 65535; 0 takes any free one."""
    allowed_origins: tuple[str, ...] = ()
    """Origins of pages on other hosts that may open websockets, such as "https://desk.example.com"."""
    drain_s: float = 10.0
    """Seconds that a stopping service gives to work under way."""


class IngestSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What comes in."""

    max_calls: int = 5000
    """Live calls beyond which new ones are refused with `overloaded`."""
    max_waiting: int = 2000
    """Turns waiting for their score beyond which ingest reads no further."""
    region: str = ""
    """Country whose national phone and id formats are expected, such as "HR"; empty: by language."""


class StoreSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is kept, and where."""

    database: PathText = "becalm.db"
    """SQLite file; it is created when missing."""


class AuthSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who may do what."""

    tokens_file: PathText = ""
    """File of hashed tokens, made by `becalm token`; empty: none, so open on loopback, closed elsewhere."""


class ModelSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The classifier."""

    directory: PathText = ""
    """Model directory that transformers can load; empty: a bundled one."""
    layers: Literal[6, 12] = 6
    """Which of the two bundled models: six layers, or twelve at some 0.6 of the speed."""
    label_map: PathText = ""
    """TOML file that maps the outputs of a model of another kind to Becalm's labels; empty: it has Becalm's own."""
    threads: int = 0
    """Inference threads, at most one a core; 0: one fewer than there are cores, at most four."""
    precision: Literal["auto", "float32", "int8"] = "auto"
    """Arithmetic of the classifier: `auto` takes 8 bits where the processor has them (VNNI) and a trial at the start
    shows that they are near float32 and the same in any batch."""


class AlertingSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where alerts go beside the pages."""

    file: PathText = ""
    """Receivers and routes, a TOML file; empty: the bundled `alerting.toml`, which sends nothing out."""


class TextsSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Phrase packs, prompts and the words of reasons."""

    directory: PathText = ""
    """Folder with `packs`, `prompts` and `reasons`; empty: the bundled ones."""


class Config(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything an operator can set. The sections of `core` stand beside the others in the file."""

    server: ServerSettings = ServerSettings()
    ingest: IngestSettings = IngestSettings()
    store: StoreSettings = StoreSettings()
    auth: AuthSettings = AuthSettings()
    model: ModelSettings = ModelSettings()
    alerting: AlertingSettings = AlertingSettings()
    texts: TextsSettings = TextsSettings()
    core: Settings = Settings()

    @property
    def model_dir(self) -> Path:
        if self.model.directory:
            return Path(self.model.directory)
        return BUNDLED_MODEL if self.model.layers == 6 else BUNDLED_MODEL.with_name("twelve")

    @property
    def label_map(self) -> Path | None:
        return Path(self.model.label_map) if self.model.label_map else None

    @property
    def texts_dir(self) -> Path:
        return Path(self.texts.directory) if self.texts.directory else BUNDLED

    @property
    def alerting_file(self) -> Path:
        return Path(self.alerting.file) if self.alerting.file else BUNDLED / "alerting.toml"


def load(file: Path | str | None = None, sets: Iterable[str] = ()) -> Config:
    """The configuration from an optional file, the environment (`BECALM_SECTION__KEY`) and `section.key=value` texts;
    the last one wins.

    Raises ConfigError that lists every mistake at once.
    """
    reader = Reader()
    values: dict[str, dict[str, Any]] = {}
    if file is not None:
        path = Path(file)
        tables = _parse_file(path)
        reader.read(values, tables, sections(), source=str(path), base=path.resolve().parent)
    for source, text in (*_environment(), *((COMMAND_LINE, text) for text in sets)):
        section, key, value = _parse_set(text, reader)
        if section:
            reader.read(values, {section: {key: value}}, sections(), source=source, base=None)
    config = _build(values)
    if not reader.problems:
        check_order(config.core.policy, reader)
    if reader.problems:
        raise ConfigError(reader.problems)
    return config


def sections() -> dict[str, type[msgspec.Struct]]:
    """Name of every section of the file, in order, with the struct that holds its settings."""
    found: dict[str, type[msgspec.Struct]] = {}
    for struct in (Config, Settings):
        for field in msgspec.structs.fields(struct):
            if field.type is not Settings:
                found[field.name] = field.type
    return found


def _build(values: dict[str, dict[str, Any]]) -> Config:
    made: dict[str, Any] = {name: struct(**values.get(name, {})) for name, struct in sections().items()}
    core = Settings(**{f.name: made.pop(f.name) for f in msgspec.structs.fields(Settings)})
    return Config(**made, core=core)


def _parse_file(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError([Problem(str(path), "", error.strerror or "cannot be read", "")]) from None
    except UnicodeDecodeError:
        raise ConfigError([Problem(str(path), "", "is not UTF-8", "save it as UTF-8")]) from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(
            [Problem(str(path), "", f"is not TOML: {error}", 'text needs quotes: key = "text"')]
        ) from None


def _environment() -> list[tuple[str, str]]:
    """`BECALM_MODEL__THREADS=1` as (its name, "model.threads=1"), for every variable that names a section; others may
    be anybody's, such as a receiver's secret."""
    found = []
    for name in sorted(name for name in os.environ if name.startswith(ENVIRONMENT)):
        section, parts, key = name.removeprefix(ENVIRONMENT).lower().partition("__")
        if parts and key and section in sections():
            found.append((name, f"{section}.{key}={os.environ[name]}"))
    return found


def _parse_set(text: str, reader: Reader) -> tuple[str, str, Any]:
    """`policy.enter_at=0.7` -> ("policy", "enter_at", 0.7); what TOML cannot read is taken as text."""
    name, equals, raw = text.partition("=")
    section, dot, key = name.strip().partition(".")
    if not (equals and dot and section and key):
        reader.add(COMMAND_LINE, text, "is not section.key=value", "such as --set policy.enter_at=0.7")
        return "", "", None
    try:
        value = tomllib.loads(f"value = {raw.strip()}")["value"]
    except tomllib.TOMLDecodeError:
        value = raw.strip()
    struct = sections().get(section)
    wants_text = struct is not None and is_text(get_type_hints(struct).get(key))
    return section, key, value if isinstance(value, str) or not wants_text else raw.strip()


__all__ = [
    "BUNDLED",
    "BUNDLED_MODEL",
    "COMMAND_LINE",
    "Config",
    "ConfigError",
    "Problem",
    "load",
    "sections",
    "similar",
]
