"""Which pieces of the tokenizer are kept: counted on real text, filled up by script. The rest is re-segmented."""

import gzip
import json
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LANGUAGES = frozenset(["zh", "hr", "en", "es", "de", "fr", "it", "pt", "ru", "ja", "ko", "pl", "tr", "ar", "hi", "bs"])
"""Languages whose extra texts are counted (`bs` reads as `hr`)."""
SPECIALS = ("<s>", "<pad>", "</s>", "<unk>")
FILL_SCRIPTS = ("HIRAGANA", "KATAKANA", "CJK", "DEVANAGARI", "ARABIC", "CYRILLIC", "HANGUL")
"""Scripts with the least text to count on: filled up by the tokenizer's own scores."""
Counts = dict[str, Counter[int]]


def _texts(path: Path) -> Iterator[str]:
    """Every text of a corpus file, or of an extra file's training rows in the languages read here."""
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if "turns" in row:
                yield from (turn["text"] for turn in row["turns"])
            elif "use" not in row:
                yield from [row["text"], *([row["prev"]] if row.get("prev") else []), *row.get("history", ())]
            elif row["use"] == "train" and row["lang"].split("-")[0] in LANGUAGES:
                yield row["text"]


def count_pieces(tokenizer: dict[str, Any], corpus: list[Path], extra: list[Path]) -> Counts:
    """How often each token id occurs in the corpus and in the extra texts."""
    from tokenizers import Tokenizer

    full = Tokenizer.from_str(json.dumps(tokenizer))
    counts: Counts = {"corpus": Counter(), "extra": Counter()}
    for name, paths in (("corpus", corpus), ("extra", extra)):
        for path in paths:
            texts = list(_texts(path))
            for start in range(0, len(texts), 4096):
                for one in full.encode_batch(texts[start : start + 4096], add_special_tokens=False):
                    counts[name].update(one.ids)
    return counts


def _script(piece: str) -> str:
    text = piece.lstrip("▁")
    return unicodedata.name(text[0], "?").split()[0] if text else "?"


def choose_pieces(tokenizer: dict[str, Any], counts: Counts, size: int) -> list[int]:
    """Token ids to keep, rising. Specials, every corpus piece, frequent extra pieces, then single characters and
    the likeliest pieces of thinly counted scripts, `size` in all."""
    vocab: list[tuple[str, float]] = tokenizer["model"]["vocab"]
    keep = dict.fromkeys(range(len(SPECIALS)))
    keep.update(dict.fromkeys(piece for piece, _ in counts["corpus"].most_common()))
    by_score = sorted(range(len(SPECIALS), len(vocab)), key=lambda i: -vocab[i][1])
    fill: list[int] = []
    singles: list[int] = []
    for index in by_score:
        piece = vocab[index][0]
        if _script(piece) in FILL_SCRIPTS:
            (singles if len(piece.lstrip("▁")) == 1 else fill).append(index)
        elif len(piece) == 1:
            keep.setdefault(index)
    keep.update(dict.fromkeys(singles[:6000]))
    room = size - len(keep)
    frequent = [i for i, n in counts["extra"].most_common() if n >= 2 and i not in keep]
    keep.update(dict.fromkeys(frequent[: int(room * 0.75)]))
    for index in [*fill, *by_score]:
        if len(keep) >= size:
            break
        keep.setdefault(index)
    return sorted(list(keep)[:size])


def same_pieces(tokenizer: dict[str, Any], earlier: Path) -> list[int]:
    """Token ids of the pieces that the tokenizer file `earlier` has kept, in its order."""
    places = {piece: i for i, (piece, _) in enumerate(tokenizer["model"]["vocab"])}
    return [places[piece] for piece, _ in json.loads(earlier.read_text("utf-8"))["model"]["vocab"]]


def trimmed_tokenizer(tokenizer: dict[str, Any], keep: list[int]) -> dict[str, Any]:
    """The tokenizer with only `keep`, renumbered; a pair is `<s> turn </s> context </s>` with types 0 and 1."""
    vocab = tokenizer["model"]["vocab"]
    pieces = [vocab[i] for i in keep]
    if tuple(piece for piece, _ in pieces[: len(SPECIALS)]) != SPECIALS:
        raise ValueError("unexpected special tokens in the tokenizer")
    added = [
        {"id": i, "content": name, "single_word": False, "lstrip": False, "rstrip": False,
         "normalized": False, "special": True}
        for i, name in enumerate(SPECIALS)
    ]  # fmt: skip

    def special(name: str, kind: int) -> dict[str, Any]:
        return {"SpecialToken": {"id": name, "type_id": kind}}

    single = [special("<s>", 0), {"Sequence": {"id": "A", "type_id": 0}}, special("</s>", 0)]
    pair = [*single, {"Sequence": {"id": "B", "type_id": 1}}, special("</s>", 1)]
    tokens = {name: {"id": name, "ids": [SPECIALS.index(name)], "tokens": [name]} for name in ("<s>", "</s>")}
    template = {"type": "TemplateProcessing", "single": single, "pair": pair, "special_tokens": tokens}
    return {
        **tokenizer,
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "post_processor": template,
        "model": {**tokenizer["model"], "vocab": pieces, "unk_id": SPECIALS.index("<unk>")},
    }
