"""A model directory: which files it holds, what its calibration says, and its version. No torch here.

`calibration.json`: `{"labels": {name: {"slope", "offset", "threshold"}}, "embedding": {"layer": 6}}`. A label's
probability is `sigmoid(slope * logit + offset)`; its mapped probability is bent so that the threshold becomes 0.5.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import msgspec

from models.labels import ALL_LABELS

DEFAULT = Path(__file__).parent / "default"
REBUILD = "run `python -m models.rebuild` and `python -m models.train`, or install the released package again"


class ModelError(Exception):
    """A model directory that cannot be used; the text names the file and how to mend it."""


class Mapping(msgspec.Struct, frozen=True):
    """Logit to mapped probability: the probability itself, but bent between half the threshold and halfway from there
    to 1, so that the threshold becomes 0.5 and what is far from it stays true."""

    slope: float
    offset: float
    threshold: float = 0.5


class Embedding(msgspec.Struct, frozen=True):
    """Which hidden states the turn embedding is taken from."""

    layer: int


class Calibration(msgspec.Struct, frozen=True):
    """The content of `calibration.json`."""

    labels: dict[str, Mapping]
    embedding: Embedding | None = None


class ModelDirectory:
    """Paths and facts of one checked directory."""

    files = ("config.json", "model.safetensors", "tokenizer.json", "calibration.json")
    optional = ("embedding.safetensors",)

    def __init__(self, folder: Path | str = DEFAULT) -> None:
        self.folder = Path(folder)
        for name in self.files:
            if not (self.folder / name).is_file():
                raise ModelError(f"{self.folder / name}: file is missing; {REBUILD}")
        config = self._json("config.json")
        names = config.get("id2label") or {}
        self.outputs = [str(names.get(str(i))) for i in range(len(names))]
        missing = sorted(set(ALL_LABELS) - set(self.outputs))
        if missing:
            raise ModelError(f"{self.folder / 'config.json'}: id2label lacks {', '.join(missing[:4])}; {REBUILD}")
        try:
            self.calibration = msgspec.json.decode(self._bytes("calibration.json"), type=Calibration)
        except msgspec.DecodeError as error:
            raise ModelError(f"{self.folder / 'calibration.json'}: {error}; {REBUILD}") from error
        missing = sorted(set(self.outputs) - set(self.calibration.labels))
        if missing:
            raise ModelError(f"{self.folder / 'calibration.json'}: no entry for {missing[0]}; {REBUILD}")
        self.version = self._version()

    def _bytes(self, name: str) -> bytes:
        try:
            return (self.folder / name).read_bytes()
        except OSError as error:
            raise ModelError(f"{self.folder / name}: {error.strerror}; make it readable") from error

    def _json(self, name: str) -> dict[str, Any]:
        try:
            content = json.loads(self._bytes(name))
        except ValueError as error:
            raise ModelError(f"{self.folder / name}: not JSON ({error}); {REBUILD}") from error
        if not isinstance(content, dict):
            raise ModelError(f"{self.folder / name}: not a JSON object; {REBUILD}")
        return content

    def _version(self) -> str:
        """Twelve hex digits over everything that a score depends on."""
        digest = hashlib.blake2b(digest_size=6)
        for name in (*self.files, *self.optional):
            path = self.folder / name
            if path.is_file():
                digest.update(name.encode() + b"\0" + hashlib.blake2b(self._bytes(name)).digest())
        return digest.hexdigest()


def foreign_version(folder: Path, label_map: Path) -> str:
    """The same for a directory of another kind and the label map beside it. Raises `ModelError`."""
    digest = hashlib.blake2b(digest_size=6)
    try:
        kept = sorted(path for path in folder.iterdir() if path.suffix in {".json", ".safetensors", ".txt", ".model"})
        for path in [*kept, label_map]:
            with path.open("rb") as file:
                digest.update(path.name.encode() + b"\0" + hashlib.file_digest(file, "blake2b").digest())
    except OSError as error:
        raise ModelError(f"{error.filename}: {error.strerror}; check model.directory and model.label_map") from error
    return digest.hexdigest()
