"""Another classifier in the place of Becalm's own: any sequence classifier that transformers can load offline, and a
TOML file that says which of its outputs mean which of ours.

    activation = "softmax"          # its outputs exclude each other; "sigmoid": each stands alone
    [labels]
    anger = ["anger", "annoyance"]  # ours = the sum of theirs (softmax) or the highest (sigmoid)
    churn = ["cancel_intent"]
    [thresholds]
    anger = 0.35                    # from where it holds; 0.5 where nothing is said
    [heat]
    anger = 3.2                     # heat 0-4 = the weighted sum of theirs

Such a model hears a turn alone, without context; what the map does not name is not heard.
"""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np
import torch

from models.dense import use_threads
from models.directory import ModelError, foreign_version
from models.labels import EMOTIONS, HEAT_OUTPUTS, ROLE_LABELS, scored_role
from models.scorer import SHOWN_FROM, no_progress_bar
from models.scorer import too_little_text as too_little
from models.types import Score, ScoreInput

OURS = frozenset(name for names in (EMOTIONS, *ROLE_LABELS.values()) for name in names)


class LabelMap(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The content of a label map."""

    labels: dict[str, list[str]]
    activation: Literal["softmax", "sigmoid"] = "softmax"
    thresholds: dict[str, float] = {}
    heat: dict[str, float] = {}
    max_tokens: int = 128

    @classmethod
    def read(cls, path: Path, outputs: Sequence[str]) -> "LabelMap":
        """The map in a file, checked against the model's `outputs`. Raises `ModelError` that names file and key."""
        try:
            found = msgspec.convert(tomllib.loads(path.read_text("utf-8")), cls)
        except OSError as error:
            raise ModelError(f"{path}: {error.strerror}; name an existing file as model.label_map") from error
        except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
            raise ModelError(f"{path}: {error}") from error
        for name in (*found.labels, *found.thresholds):
            if name not in OURS:
                raise ModelError(f"{path}: {name!r} is none of Becalm's labels; LABELS.md lists them")
        for key, names in (("labels", [n for some in found.labels.values() for n in some]), ("heat", list(found.heat))):
            for name in names:
                if name not in outputs:
                    raise ModelError(f"{path}: [{key}] names {name!r}; the model has {', '.join(outputs[:8])}")
        for name, value in found.thresholds.items():
            if not 0.0 < value < 1.0:
                raise ModelError(f"{path}: thresholds.{name} is {value}; write a number between 0 and 1")
        return found


class MappedScorer:
    """A foreign classifier, loaded. One turn a pass, so that no score depends on its neighbours."""

    def __init__(self, folder: Path | str, label_map: Path | str, threads: int | None = None) -> None:
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        self.folder = Path(folder)
        if threads is not None:
            use_threads(threads)
        no_progress_bar()
        try:
            self.model: Any = AutoModelForSequenceClassification.from_pretrained(
                self.folder, dtype=torch.float32, local_files_only=True
            )
            self.tokenizer: Any = AutoTokenizer.from_pretrained(self.folder, local_files_only=True)
        except Exception as error:
            raise ModelError(f"{self.folder}: transformers cannot load it ({error})") from error
        self.model.eval().requires_grad_(False)
        config = self.model.config
        outputs = [str(config.id2label[i]) for i in range(config.num_labels)]
        self.map = LabelMap.read(Path(label_map), outputs)
        column = {name: i for i, name in enumerate(outputs)}
        self._columns = {ours: [column[name] for name in theirs] for ours, theirs in self.map.labels.items()}
        self._heat = np.array([self.map.heat.get(name, 0.0) for name in outputs])
        self.hidden_size = int(config.hidden_size)
        self.precision = "float32"
        self.version = foreign_version(self.folder, Path(label_map))

    def score(self, inputs: Sequence[ScoreInput]) -> list[Score]:
        """One score an input, in their order."""
        return [self._one(item) for item in inputs]

    def warm_up(self) -> None:
        """One pass, so that the first real turn does not pay for buffers."""
        self.score([ScoreInput("again and again", "customer")])

    def _one(self, item: ScoreInput) -> Score:
        if too_little(item.text):
            return Score({}, None, {}, bytes(self.hidden_size), "too_little_text")
        given = self.tokenizer(item.text, truncation=True, max_length=self.map.max_tokens, return_tensors="pt")
        with torch.inference_mode():
            out = self.model(**given, output_hidden_states=True)
        logits = out.logits[0]
        softmax = self.map.activation == "softmax"
        theirs = (logits.softmax(-1) if softmax else logits.sigmoid()).double().numpy()
        mean = out.hidden_states[-1][0].mean(0).double().numpy()
        vector = np.rint(mean / max(float(np.linalg.norm(mean)), 1e-9) * 127.0).astype(np.int8).tobytes()
        held: dict[str, float] = {}
        for name, columns in self._columns.items():
            p = float(theirs[columns].sum() if softmax else theirs[columns].max())
            held[name] = round(_to_half(min(1.0, p), self.map.thresholds.get(name, 0.5)), 4)
        role = scored_role(item.role)
        customer = role == "customer"
        heat = round(float(np.clip(self._heat @ theirs, 0.0, len(HEAT_OUTPUTS))), 4)
        return Score(
            emotions={name: held.get(name, 0.0) for name in EMOTIONS} if customer else {},
            heat=heat if customer else None,
            labels={name: held[name] for name in ROLE_LABELS[role] if held.get(name, 0.0) >= SHOWN_FROM},
            embedding=vector,
        )


def _to_half(p: float, threshold: float) -> float:
    """Stretch a probability so that `threshold` comes to lie at 0.5."""
    return 0.5 * p / threshold if p < threshold else 0.5 + 0.5 * (p - threshold) / (1.0 - threshold)
