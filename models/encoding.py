"""Text to token ids: `<s> turn </s>` and, where there is context, `prev </s> history </s>` as the second segment."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from models.types import ScoreInput

if TYPE_CHECKING:
    from tokenizers import Tokenizer

CLS, PAD, SEP = 0, 1, 2
TURN_TOKENS, PREV_TOKENS, HISTORY_TOKENS = 80, 32, 40


class Encoded(msgspec.Struct, frozen=True):
    """Token ids of one input; the first `turn` of them are the turn (token type 0), the rest context (type 1)."""

    ids: list[int]
    turn: int


def load_tokenizer(folder: Path) -> "Tokenizer":
    """The raw tokenizer of a model directory (twice as quick as its wrapper)."""
    from tokenizers import Tokenizer

    return Tokenizer.from_file(str(folder / "tokenizer.json"))


def _likely(text: str) -> int:
    return len(text.encode("utf-8", "replace")) // 3


def likely_tokens(item: ScoreInput) -> int:
    """About how many tokens an input will have, without tokenising: three bytes of UTF-8 make one.

    >>> likely_tokens(ScoreInput("\ud800 is no text", "customer"))
    6
    """
    turn, prev = min(_likely(item.text), TURN_TOKENS), min(_likely(item.prev or ""), PREV_TOKENS)
    return 2 + turn + prev + min(sum(_likely(text) for text in item.history), HISTORY_TOKENS)


def _cut(ids: list[int], limit: int) -> list[int]:
    """Keep the head and, as calls end on what matters, twice as much of the tail."""
    if len(ids) <= limit:
        return ids
    head = limit // 3
    return ids[:head] + ids[len(ids) - (limit - head) :]


def encode(tokenizer: "Tokenizer", items: Sequence[ScoreInput]) -> list[Encoded]:
    """One `Encoded` an item: the turn in at most 80 tokens, `prev` in 32, the latest `history` in 40."""
    texts: list[str] = []
    for item in items:
        texts.extend((item.text, item.prev or "", *item.history))
    pieces = iter(tokenizer.encode_batch_fast(texts, add_special_tokens=False))
    encoded: list[Encoded] = []
    for item in items:
        ids = [CLS, *_cut(next(pieces).ids, TURN_TOKENS), SEP]
        turn = len(ids)
        prev = _cut(next(pieces).ids, PREV_TOKENS)
        earlier = [token for _ in item.history for token in next(pieces).ids][-HISTORY_TOKENS:]
        if prev or earlier:
            ids += [*prev, SEP]
        if earlier:
            ids += [*earlier, SEP]
        encoded.append(Encoded(ids, turn))
    return encoded
