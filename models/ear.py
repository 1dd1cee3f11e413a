"""The classifier that a configuration names, behind one face."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from models.types import Score, ScoreInput

if TYPE_CHECKING:
    from models.precision import Precision


class Ear(Protocol):
    """What the service needs of a classifier. Not thread-safe: one thread scores."""

    version: str
    """Changes with everything that a score depends on but the machine's arithmetic."""
    hidden_size: int
    """Bytes of a score's embedding."""
    precision: str
    """The arithmetic it runs in."""

    def score(self, inputs: Sequence[ScoreInput]) -> list[Score]:
        """One score an input, in their order; a pure function of each input."""
        ...

    def warm_up(self) -> None:
        """Pay for buffers and kernels before the first real turn."""
        ...


def load(
    folder: Path, label_map: Path | None = None, threads: int | None = None, precision: "Precision" = "float32"
) -> Ear:
    """Becalm's own kind of model directory, or with a label map any classifier, which runs in float32. Raises
    `ModelError`."""
    if label_map is not None:
        from models.mapped import MappedScorer

        return MappedScorer(folder, label_map, threads)
    from models.scorer import Scorer

    return Scorer(folder, threads, precision=precision)


def version(folder: Path, label_map: Path | None = None) -> str:
    """The version that `load` would report, read without torch. Raises `ModelError`."""
    from models.directory import ModelDirectory, foreign_version

    return ModelDirectory(folder).version if label_map is None else foreign_version(folder, label_map)
