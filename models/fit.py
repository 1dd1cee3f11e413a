"""One training run over cached hidden states: seeded, length-bucketed, resumable at every epoch.

Matrix products run in bfloat16 where the processor is faster in it; weights, norms, losses and the optimiser stay in
float32.
"""

import logging
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models import network
from models.cache import Cache, by_length

log = logging.getLogger("models.train")


class Settings(msgspec.Struct, frozen=True):
    """What one run needs; every default is the released one."""

    epochs: int = 6
    rate: float = 8e-5
    """Learning rate of the topmost pretrained layer."""
    decay: float = 0.9
    """Factor on the rate for each layer further down."""
    head_rate: float = 5e-4
    """Rate of the pooling layer's head (pooler, classifier); the pooling layer itself takes half of it."""
    batch: int = 32
    dropout: float = 0.1
    warmup: float = 0.06
    weight_decay: float = 0.01
    positive_power: float = 0.3
    """Positives weigh (negatives / positives) to this power."""
    seed: int = 7
    frozen: int = 6
    last_factor: float = 0.03
    """The rate falls linearly to this part of its peak."""
    hint: float = 1.0
    """Weight of a teacher's hidden states beside its answers, where there is a teacher."""


@cache
def bfloat16_pays() -> bool:
    """Whether a matrix product takes less time in bfloat16 than in float32 here. Having the instructions says little:
    with them AMD's Zen 4 takes half the time, Intel's cores without AMX nearly twice."""
    best = dict.fromkeys((torch.float32, torch.bfloat16), float("inf"))
    for _ in range(5):
        for dtype in best:
            left, right = torch.ones(256, 384, dtype=dtype), torch.ones(1536, 384, dtype=dtype)
            began = time.perf_counter()
            F.linear(left, right)
            best[dtype] = min(best[dtype], time.perf_counter() - began)
    return best[torch.bfloat16] < best[torch.float32]


def positive_weights(wanted: Tensor, counts: Tensor, power: float) -> Tensor:
    """`[outputs]` weights of the positives, 1 where an output has none."""
    positives, valid = (wanted * counts).sum(0), counts.sum(0)
    weights = ((valid - positives) / positives.clamp(min=1.0)) ** power
    return torch.where(positives > 0, weights.clamp(1.0, 8.0), torch.ones_like(weights))


def prior_bias(wanted: Tensor, counts: Tensor) -> Tensor:
    """`[outputs]` log odds of each output where it counts: the head's first bias."""
    rate = ((wanted * counts).sum(0) + 0.5) / (counts.sum(0) + 1.0)
    return torch.log(rate / (1 - rate))


def _groups(model: Any, settings: Settings) -> list[dict[str, Any]]:
    top = len(model.bert.encoder.layer) - 2
    groups = []
    for name, parameter in network.trainable(model, settings.frozen):
        rate = settings.head_rate
        if name.startswith("bert.encoder.layer."):
            layer = int(name.split(".")[3])
            rate = settings.head_rate / 2 if layer > top else settings.rate * settings.decay ** (top - layer)
        decay = settings.weight_decay if parameter.ndim > 1 else 0.0
        groups.append({"params": [parameter], "lr": rate, "peak": rate, "weight_decay": decay})
    return groups


def _batches(lengths: np.ndarray[Any, Any], size: int, random: np.random.Generator) -> list[np.ndarray[Any, Any]]:
    """Shuffled batches of like length: sorted within shuffled pools of 32 batches."""
    order = random.permutation(len(lengths))
    batches: list[np.ndarray[Any, Any]] = []
    for start in range(0, len(order), size * 32):
        pool = order[start : start + size * 32]
        pool = pool[np.argsort(lengths[pool], kind="stable")]
        batches.extend(pool[i : i + size] for i in range(0, len(pool), size))
    return [batches[i] for i in random.permutation(len(batches))]


def fit(
    model: Any,
    cache: Cache,
    epoch_rows: Callable[[int], np.ndarray[Any, Any]],
    settings: Settings,
    state: Path,
    teacher: Callable[[np.ndarray[Any, Any]], Tensor] | None = None,
) -> None:
    """Train `model` above its frozen layers. `epoch_rows(epoch)` gives that epoch's rows of `cache`. `state` is
    written after every epoch and picked up where it exists. `teacher(rows)`: the hidden states that those before the
    pooling layer shall come near to, `[batch, tokens, h]`."""
    total = sum(len(epoch_rows(epoch)) for epoch in range(settings.epochs)) // settings.batch + 1
    groups = _groups(model, settings)
    optimizer = torch.optim.AdamW(groups, betas=(0.9, 0.98), fused=True)
    weights = positive_weights(cache.wanted, cache.counts, settings.positive_power)
    done_epochs, step = 0, 0
    if state.exists():
        saved = torch.load(state, weights_only=True)
        model.load_state_dict(saved["model"], strict=False)
        optimizer.load_state_dict(saved["optimizer"])
        done_epochs, step = saved["epochs"], saved["step"]
    parameters = [parameter for _, parameter in network.trainable(model, settings.frozen)]
    started, seen = time.monotonic(), 0
    for epoch in range(done_epochs, settings.epochs):
        random = np.random.default_rng([settings.seed, epoch])
        torch.manual_seed(settings.seed * 1000 + epoch)
        rows = epoch_rows(epoch)
        mean, count = 0.0, 0
        for batch in _batches(cache.lengths[rows], settings.batch, random):
            chosen = rows[batch]
            progress = min(1.0, step / total)
            falling = max(settings.last_factor, 1 - progress * (1 - settings.last_factor))
            factor = min((step + 1) / (settings.warmup * total), falling, 1.0)
            for group in optimizer.param_groups:
                group["lr"] = group["peak"] * factor
            loss = _loss(model, cache, chosen, weights, settings, teacher)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(parameters, 1.0)
            optimizer.step()
            step += 1
            seen += len(chosen)
            mean, count = mean + float(loss.detach()), count + 1
            if step % 50 == 0:
                rate = seen / (time.monotonic() - started)
                log.info(
                    "%s epoch %d step %d/%d loss %.4f %.1f/s",
                    state.stem,
                    epoch,
                    step,
                    total,
                    mean / count,
                    rate,
                )
        kept = {name: p.detach() for name, p in network.trainable(model, settings.frozen)}
        part = state.with_suffix(".part")
        torch.save({"model": kept, "optimizer": optimizer.state_dict(), "epochs": epoch + 1, "step": step}, part)
        part.replace(state)


def _loss(
    model: Any,
    cache: Cache,
    rows: np.ndarray[Any, Any],
    weights: Tensor,
    settings: Settings,
    teacher: Callable[[np.ndarray[Any, Any]], Tensor] | None,
) -> Tensor:
    """Role-masked binary cross-entropy, averaged over the outputs that count; and the angle to the teacher's states."""
    hidden, mask = cache.hidden(rows)
    bias = network.attention_bias(mask)
    with torch.autocast("cpu", torch.bfloat16, enabled=bfloat16_pays()):
        hidden = network.middle(model, hidden, bias, settings.frozen, settings.dropout)
        logits = network.pooled(model, hidden, bias, settings.dropout)
    logits = logits.float()
    wanted, counts = cache.wanted[rows], cache.counts[rows]
    each = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none", pos_weight=weights)
    loss = (each * counts).sum() / counts.sum()
    if teacher is not None:
        apart = 1.0 - F.cosine_similarity(hidden.float(), teacher(rows), dim=-1)
        loss = loss + settings.hint * (apart * mask).sum() / mask.sum()
    return loss


def predict(model: Any, cache: Cache, rows: np.ndarray[Any, Any], frozen: int) -> np.ndarray[Any, Any]:
    """Logits `[rows, outputs]`."""
    out = np.zeros((len(rows), cache.wanted.shape[1]), dtype=np.float32)
    with torch.inference_mode():
        for batch in by_length(cache.lengths[rows], 4096):
            hidden, mask = cache.hidden(rows[batch])
            out[batch] = network.upper(model, hidden, mask, frozen).numpy()
    return out
