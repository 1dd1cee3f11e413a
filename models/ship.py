"""Write the shipped directory: half-precision weights, tokenizer, calibration, embedding map, figures."""

import json
import logging
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
import torch

from models import fit, network
from models.cache import by_length, pad
from models.calibrate import apply, calibrate
from models.directory import Calibration, Embedding
from models.encoding import encode, load_tokenizer
from models.measure import figures
from models.types import ScoreInput

if TYPE_CHECKING:
    from models.train import Plan

log = logging.getLogger("models.train")
Array = np.ndarray[Any, Any]


def held_logits(plan: "Plan", run: str) -> dict[str, tuple[Array, Array]]:
    """Rows and logits nobody trained on: `utterances` of this run, `calls` from the two folds where they are done."""
    first = len(plan.called) and plan.called[0]
    found: dict[str, tuple[Array, Array]] = {}
    if not (plan.work / f"{run}.npz").exists():
        plan.save_logits(run, plan.held)
    saved = np.load(plan.work / f"{run}.npz")
    mine = saved["rows"] < first
    found["utterances"] = saved["rows"][mine], saved["logits"][mine]
    folds = [plan.work / f"fold{i}.npz" for i in (0, 1)]
    names = folds if all(path.exists() for path in folds) else [plan.work / "base.npz"]
    parts = [np.load(path) for path in names if path.exists()]
    if parts:
        rows = np.concatenate([part["rows"] for part in parts])
        logits = np.concatenate([part["logits"] for part in parts])
        found["calls"] = rows[rows >= first], logits[rows >= first]
    return found


def embedding_map(plan: "Plan", sample: int = 6000) -> tuple[Array, Array, float]:
    """Ridge regression from the mean lower hidden state of a turn (heard in its context) to the pretrained encoder's
    own embedding of the turn alone, centred. Returns `[h, h]`, `[h]` and the mean cosine on a tenth left out."""
    from transformers import BertModel

    rows = np.random.default_rng(5).permutation(len(plan.cache.examples))[:sample]
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
    given = plan.cache.turn_means()[rows].astype(np.float64)
    wanted -= wanted.mean(0)
    centre = given.mean(0)
    cut = len(rows) // 10
    x, y = given[cut:] - centre, wanted[cut:]
    matrix = np.linalg.solve(x.T @ x + 1e-3 * len(x) * np.eye(x.shape[1]) * x.var(), x.T @ y)
    guess, truth = (given[:cut] - centre) @ matrix, wanted[:cut]
    cosine = (guess * truth).sum(1) / (np.linalg.norm(guess, axis=1) * np.linalg.norm(truth, axis=1) + 1e-9)
    return matrix, -centre @ matrix, float(cosine.mean())


def _embedding(plan: "Plan") -> tuple[Array, Array, float]:
    path = plan.work / "embedding.npz"
    if not path.exists():
        matrix, bias, cosine = embedding_map(plan)
        np.savez(path, matrix=matrix, bias=bias, cosine=cosine)
    saved = np.load(path)
    return saved["matrix"], saved["bias"], float(saved["cosine"])


def ship(plan: "Plan", run: str, out: Path) -> dict[str, Any]:
    """Write everything beside `out`, then swap it in. Returns the figures."""
    from safetensors.numpy import save_file

    plan.start(run)
    fresh = out.with_name(out.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    network.save(plan.model, plan.encoder, fresh)
    matrix, bias, cosine = _embedding(plan)
    tensors: dict[str, Array] = {"weight": matrix.astype(np.float16), "bias": bias.astype(np.float32)}
    save_file(tensors, fresh / "embedding.safetensors")
    parts = held_logits(plan, run)
    rows = np.concatenate([rows for rows, _ in parts.values()])
    logits = np.concatenate([logits for _, logits in parts.values()])
    wanted, counts = plan.cache.wanted.numpy(), plan.cache.counts.numpy()
    mappings = calibrate(logits, wanted[rows], counts[rows])
    stored = Calibration(mappings, Embedding(fit.Settings().frozen))
    (fresh / "calibration.json").write_bytes(msgspec.json.format(msgspec.json.encode(stored), indent=1) + b"\n")
    result: dict[str, Any] = {"run": run, "embedding_cosine": round(cosine, 4)}
    for name, (rows, logits) in parts.items():
        result[name] = figures(apply(mappings, logits), wanted[rows], counts[rows])
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
    return result
