"""Reading tables of settings into structs, collecting every mistake instead of stopping at the first."""

from __future__ import annotations

import difflib
import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, get_type_hints

import msgspec

if TYPE_CHECKING:
    from monitor.core.settings import PolicySettings

RATIO = (0.0, 1.0)
RANGES: dict[str, tuple[float, float]] = {
    "server.port": (0, 65535),
    "ingest.max_calls": (1, 1_000_000),
    "ingest.max_waiting": (1, 1_000_000),
    "model.threads": (0, 256),
    "model.layers": (6, 12),
    "assembler.first_segment": (0, 1_000_000),
    "assembler.max_turn_chars": (1, 1_000_000),
    "assembler.max_waiting": (1, 1_000_000),
    "curve.asynchronous_factor": (1, 100_000),
    "curve.rise": RATIO,
    "curve.fall": RATIO,
    "curve.cue_weight": (0, 10),
    "curve.credit_weight": (0, 10),
    "stage.upset_heat": (0, 4),
    "stage.calm_below": RATIO,
    "stage.pivot_step": RATIO,
    "policy.enter_at": RATIO,
    "policy.exit_at": RATIO,
    "policy.critical_at": RATIO,
    "policy.hot_heat": (0, 4),
    "policy.hot_turns": (1, 1000),
    "policy.defer_turns": (1, 1000),
    "alerts.danger_alone_at": RATIO,
    "alerts.request_alone_at": RATIO,
    "alerts.threat_alone_at": RATIO,
    "alerts.conduct_alone_at": RATIO,
    "prompts.wording_from": RATIO,
    "repetition.similarity": RATIO,
    "repetition.overlap": RATIO,
}
"""Least and greatest value of each number that is not a time; a test sees to it that none is forgotten."""
SECONDS_RANGE = (0.0, 366 * 86400.0)
"""For every setting whose name ends in `_s`."""
KINDS: dict[Any, str] = {
    bool: "true or false",
    int: "a whole number without quotes",
    float: "a number without quotes",
    str: "a text in quotes",
}
UNITS = {"_s": "seconds", "_ms": "milliseconds", "_bytes": "bytes", "_chars": "characters"}


class Problem(msgspec.Struct, frozen=True):
    """One mistake: where it stands, which key, what is wrong and how to mend it."""

    source: str
    key: str
    what: str
    hint: str

    def __str__(self) -> str:
        where = f"{self.source}: {self.key}" if self.key else self.source
        return f"{where}: {self.what}" + (f" ({self.hint})" if self.hint else "")


class ConfigError(Exception):
    """The settings cannot be used; `problems` has every mistake that was found, and `str()` one a line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def similar(name: str, known: Iterable[str]) -> str:
    """A hint that names the nearest known name, or lists all of them when none is near."""
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    return f"did you mean {near[0]}?" if near else "one of: " + ", ".join(names)


class Reader:
    """Checks tables of settings against structs and keeps the good values and the list of mistakes."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def add(self, source: str, key: str, what: str, hint: str = "") -> None:
        self.problems.append(Problem(source, key, what, hint))

    def read(
        self,
        into: dict[str, dict[str, Any]],
        tables: Mapping[str, Any],
        known: Mapping[str, type[msgspec.Struct]],
        source: str,
        base: Path | None,
    ) -> None:
        """Puts the good values of `tables` into `into`; `base` is what relative paths are relative to."""
        for section, table in tables.items():
            struct = known.get(section)
            if struct is None:
                self.add(source, section, "is no section", self._section_hint(section, table, known))
            elif not isinstance(table, Mapping):
                self.add(source, section, "is a section, not a value", f"write [{section}] and its settings below")
            else:
                into.setdefault(section, {}).update(self._settings(section, table, struct, source, base))

    def _settings(
        self,
        section: str,
        table: Mapping[str, Any],
        struct: type[msgspec.Struct],
        source: str,
        base: Path | None,
    ) -> dict[str, Any]:
        types = get_type_hints(struct, include_extras=True)
        good: dict[str, Any] = {}
        for key, value in table.items():
            name = f"{section}.{key}"
            if key not in types:
                self.add(source, name, "is no setting", similar(key, types))
                continue
            what, hint = fault(name, value, types[key])
            if what:
                self.add(source, name, what, hint)
                continue
            value = msgspec.convert(value, types[key])
            good[key] = str(base / value) if base and value and _is_path(types[key]) else value
        return good

    @staticmethod
    def _section_hint(section: str, table: Any, known: Mapping[str, type[msgspec.Struct]]) -> str:
        if not isinstance(table, Mapping):
            owners = [name for name, struct in known.items() if section in struct.__struct_fields__]
            if owners:
                return f"it belongs under [{owners[0]}]"
        return similar(section, known)


def fault(name: str, value: Any, kind: Any) -> tuple[str, str]:
    """What is wrong with a value and a hint, or two empty texts. `kind` is the setting's declared type."""
    unit = next((words for suffix, words in UNITS.items() if name.endswith(suffix)), "")
    try:
        value = msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        if get_origin(kind) is Literal:
            return f"is {json.dumps(value, ensure_ascii=False, default=str)}", "one of: " + ", ".join(
                map(str, get_args(kind))
            )
        return _mismatch(value, kind, str(error)), f"in {unit}" if unit else ""
    if isinstance(value, str) and "\0" in value:
        return "holds a NUL character", ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        low, high = SECONDS_RANGE if name.endswith("_s") else RANGES.get(name, (-math.inf, math.inf))
        if not math.isfinite(value) or not low <= value <= high:
            return f"is {value:g}, outside {low:.10g} to {high:.10g}", f"in {unit}" if unit else ""
    return "", ""


def check_order(policy: PolicySettings, reader: Reader) -> None:
    """The thresholds of a risk alert must rise: exit, enter, critical."""
    if policy.exit_at > policy.enter_at:
        reader.add(
            "settings",
            "policy.exit_at",
            f"is {policy.exit_at:g}, above policy.enter_at {policy.enter_at:g}",
            "an alert resolves below the risk at which it fires",
        )
    if policy.enter_at > policy.critical_at:
        reader.add(
            "settings",
            "policy.critical_at",
            f"is {policy.critical_at:g}, below policy.enter_at {policy.enter_at:g}",
            "a critical alert needs at least the risk of a warning",
        )


def _mismatch(value: Any, kind: Any, reason: str) -> str:
    plain = getattr(kind, "__origin__", kind)
    if plain in KINDS and type(value) is not plain:
        return f"must be {KINDS[plain]}, not {json.dumps(value, ensure_ascii=False, default=str)}"
    if plain is tuple and not isinstance(value, list):
        return 'must be a list, such as ["a", "b"]'
    return reason.replace("`", "").split(" - at ")[0].lower()


def is_text(kind: Any) -> bool:
    return kind is str or getattr(kind, "__origin__", None) is str


def _is_path(kind: Any) -> bool:
    return any(
        isinstance(meta, msgspec.Meta) and (meta.extra or {}).get("path", False)
        for meta in getattr(kind, "__metadata__", ())
    )
