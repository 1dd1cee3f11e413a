"""Scoring alone, without a service: `python -m tests.bench.scoring --threads 2 FILE...` prints one JSON object.

The limit is what the processor gives for the matrix products of the plain model, measured in the same process with
torch's own fp32 matmul of the encoder's shapes. It counts each token that a turn and its context really have, once.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec

ROWS = 2048
BATCH = 64


class Scoring(msgspec.Struct, frozen=True):
    """Utterances per second, unless the name says otherwise."""

    threads: int
    layers: int
    utterances: int
    tokens: float
    """Mean length with context, as Becalm reads it."""
    gemm_gflops: float
    limit: float
    """What the matrix products alone would allow."""
    becalm_batches: float
    becalm_single: float
    peer_single: float
    """One pipeline call a text, without context."""


def rate(work: Callable[[int], int], seconds: float) -> float:
    """Items a second: `work(n)` does the nth portion and says how many items it had."""
    done, nth, begun_s = 0, 0, time.perf_counter()
    while time.perf_counter() - begun_s < seconds:
        done += work(nth)
        nth += 1
    return done / (time.perf_counter() - begun_s)


def measure(files: Sequence[Path], threads: int, seconds: float, most: int) -> Scoring:
    """Each path for so many seconds, on the same utterances."""
    os.environ["OMP_NUM_THREADS"] = str(threads)
    import torch

    from models.encoding import encode, load_tokenizer
    from models.types import ScoreInput
    from monitor.config import load
    from tests.bench.peer import classifier

    torch.set_num_threads(threads)
    config = load()
    ear, inputs = becalm_inputs(files, threads, most)
    shape = json.loads((config.model_dir / "config.json").read_text("utf-8"))
    tokenizer = load_tokenizer(config.model_dir)
    tokens = sum(len(one.ids) for one in encode(tokenizer, inputs)) / len(inputs)
    flops = 2.0 * tokens * products(shape["num_hidden_layers"], shape["hidden_size"], shape["intermediate_size"])
    gemm = gemm_flops(shape["hidden_size"], shape["intermediate_size"], min(seconds, 2.0))
    classify = classifier(config.model_dir, threads)

    def score(chosen: list[ScoreInput]) -> int:
        return len(ear.score(chosen))

    def batch(nth: int) -> int:
        at = nth * BATCH % len(inputs)
        return score(inputs[at : at + BATCH])

    def single(nth: int) -> int:
        return score([inputs[nth % len(inputs)]])

    def peer(nth: int) -> int:
        classify(inputs[nth % len(inputs)].text)
        return 1

    return Scoring(
        threads=threads,
        layers=shape["num_hidden_layers"],
        utterances=len(inputs),
        tokens=round(tokens, 1),
        gemm_gflops=round(gemm / 1e9, 1),
        limit=round(gemm / flops, 1),
        becalm_batches=round(rate(batch, seconds), 1),
        becalm_single=round(rate(single, seconds), 1),
        peer_single=round(rate(peer, seconds), 1),
    )


def becalm_inputs(files: Sequence[Path], threads: int, most: int) -> tuple[Any, list[Any]]:
    """The scorer as the service loads it, and what it is asked over labelled calls: turns with their context."""
    from models.ear import load as load_ear
    from monitor.config import load
    from monitor.labelled_calls import decode_call, questions
    from monitor.rules_loading import load_rules

    config = load()
    ear = load_ear(config.model_dir, config.label_map, threads, config.model.precision)
    ear.warm_up()
    rules = load_rules(config, ear.version)
    lines = list(chain.from_iterable(path.read_bytes().splitlines() for path in files))
    inputs: list[Any] = []
    # Every so many-th line: files are sorted by language, and a few calls must stand for all of them.
    for line in lines[:: max(1, len(lines) * 12 // most)]:
        inputs += questions(decode_call(line), rules).values()
        if len(inputs) >= most:
            break
    return ear, inputs[:most]


def products(layers: int, hidden: int, inner: int) -> int:
    """Multiplications a token in the linear layers of an encoder."""
    return layers * (4 * hidden * hidden + 2 * hidden * inner)


def gemm_flops(hidden: int, inner: int, seconds: float) -> float:
    """Floating-point operations a second of fp32 products of the encoder's two largest shapes."""
    import torch

    tall, wide, back = torch.randn(ROWS, hidden), torch.randn(hidden, inner), torch.randn(inner, hidden)

    def both(nth: int) -> int:
        tall.matmul(wide).matmul(back)
        return 2 * 2 * ROWS * hidden * inner

    both(0)
    return rate(both, seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--utterances", type=int, default=512)
    options = parser.parse_args()
    found = measure(options.files, options.threads, options.seconds, options.utterances)
    print(json.dumps(msgspec.to_builtins(found)))


if __name__ == "__main__":
    main()
