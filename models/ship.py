"""Write the shipped directory: half-precision weights, tokenizer, calibration, embedding map, figures."""

import json
import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import torch

from models import fit, network
from models.cache import by_length, pad
from models.calibrate import apply, calibrate
from models.directory import Calibration, Embedding, Mapping
from models.encoding import encode, load_tokenizer
from models.measure import figures
from models.types import ScoreInput

if TYPE_CHECKING:
    from models.train import Plan

log = logging.getLogger("models.train")
Array = np.ndarray[Any, Any]
UTTERANCE_WEIGHT = 4.0
"""A held-out utterance beside a call turn, when slopes and thresholds are set: the calls have few of most labels."""


def embedding_map(
    plan: "Plan", turn_means: Callable[[Array], Array], path: Path, sample: int = 6000
) -> tuple[Array, Array, float]:
    """Ridge regression from the mean hidden state of a turn (heard in its context; `turn_means(rows)`: `[rows, h]`) to
    the pretrained encoder's own embedding of the turn alone, centred. Returns `[h, h]`, `[h]` and the mean cosine on a
    tenth left out. Kept in `path`, and read back from there."""
    if path.exists():
        saved = np.load(path)
        return saved["matrix"], saved["bias"], float(saved["cosine"])
    matrix, bias, cosine = _ridge(plan, turn_means, sample)
    np.savez(path, matrix=matrix, bias=bias, cosine=cosine)
    return matrix, bias, cosine


def _ridge(plan: "Plan", turn_means: Callable[[Array], Array], sample: int) -> tuple[Array, Array, float]:
    from transformers import BertModel

    rows = np.random.default_rng(5).permutation(len(plan.called) + plan.called[0])[:sample]
    texts = ["query: " + plan.cache.examples[row].input.text for row in rows]
    encoded = encode(load_tokenizer(plan.encoder), [ScoreInput(text, "customer") for text in texts])
    bert: Any = BertModel.from_pretrained(plan.encoder, add_pooling_layer=False)
    bert.eval()
    wanted = np.zeros((len(rows), bert.config.hidden_size), dtype=np.float64)
    with torch.inference_mode():
        for batch in by_length(np.array([len(one.ids) for one in encoded]), 4096):
            ids, types, mask = pad([encoded[i] for i in batch])
            holder = type("Holder", (), {"bert": bert})
            hidden = network.lower(holder, ids, types, mask, bert.config.num_hidden_layers)
            mean = (hidden * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)
            wanted[batch] = torch.nn.functional.normalize(mean, dim=-1).numpy()
    given = turn_means(rows).astype(np.float64)
    wanted -= wanted.mean(0)
    centre = given.mean(0)
    cut = len(rows) // 10
    x, y = given[cut:] - centre, wanted[cut:]
    matrix = np.linalg.solve(x.T @ x + 1e-3 * len(x) * np.eye(x.shape[1]) * x.var(), x.T @ y)
    guess, truth = (given[:cut] - centre) @ matrix, wanted[:cut]
    cosine = (guess * truth).sum(1) / (np.linalg.norm(guess, axis=1) * np.linalg.norm(truth, axis=1) + 1e-9)
    return matrix, -centre @ matrix, float(cosine.mean())


def ship(plan: "Plan", out: Path) -> dict[str, Any]:
    """The default model. Returns the figures."""
    plan.start("final")
    rows, logits = plan.unseen()
    embedding = embedding_map(plan, plan.cache.turn_means, plan.work / "embedding.npz")
    return write(plan, plan.model, out, (rows, logits), (*embedding, fit.Settings().frozen))


def write(
    plan: "Plan", model: Any, out: Path, unseen: tuple[Array, Array], embedding: tuple[Array, Array, float, int]
) -> dict[str, Any]:
    """Write `model` beside `out`, then swap it in. `unseen`: rows that it has not seen, and their logits; `embedding`:
    map, bias, cosine and layer. Returns the figures."""
    from safetensors.numpy import save_file

    fresh = out.with_name(out.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    network.save(model, plan.encoder, fresh)
    matrix, bias, cosine, layer = embedding
    tensors: dict[str, Array] = {"weight": matrix.astype(np.float16), "bias": bias.astype(np.float32)}
    save_file(tensors, fresh / "embedding.safetensors")
    rows, logits = unseen
    wanted, counts = plan.cache.wanted.numpy()[rows], plan.cache.counts.numpy()[rows]
    calls = rows >= plan.called[0]
    mappings = calibrate(logits, wanted, counts, np.where(calls, 1.0, UTTERANCE_WEIGHT))
    stored = Calibration(mappings, Embedding(layer))
    (fresh / "calibration.json").write_bytes(msgspec.json.format(msgspec.json.encode(stored), indent=1) + b"\n")
    result = unseen_figures(plan, unseen, mappings) | {"embedding_cosine": round(cosine, 4)}
    if (out / "figures.json").exists():
        before = json.loads((out / "figures.json").read_text("utf-8"))
        result |= {key: before[key] for key in ("baseline",) if key in before}
    (fresh / "figures.json").write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    for name in ("README.md",):
        if (out / name).exists():
            shutil.copy(out / name, fresh / name)
    for path in fresh.iterdir():
        path.chmod(0o644)
    old = out.with_name(out.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if out.exists():
        os.rename(out, old)
    os.rename(fresh, out)
    shutil.rmtree(old, ignore_errors=True)
    return {
        key: {head: part for head, part in result[key].items() if head != "labels"} for key in ("utterances", "calls")
    }


def unseen_figures(plan: "Plan", unseen: tuple[Array, Array], mappings: dict[str, Mapping]) -> dict[str, Any]:
    """Figures on what was not seen: utterances, call turns, and the utterances of each language."""
    rows, logits = unseen
    wanted, counts = plan.cache.wanted.numpy()[rows], plan.cache.counts.numpy()[rows]
    calls, probability = rows >= plan.called[0], apply(mappings, logits)
    languages = np.array([plan.cache.examples[row].input.language or "" for row in rows])

    def of(chosen: Array) -> dict[str, Any]:
        return figures(probability[chosen], wanted[chosen], counts[chosen])

    by_language = {name: of(~calls & (languages == name)) for name in sorted(set(languages[~calls]))}
    for part in by_language.values():
        del part["labels"]
    return {"utterances": of(~calls), "calls": of(calls), "languages": by_language}
