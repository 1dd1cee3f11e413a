"""Folds that keep relatives together: the same `prev`, one scene in two languages, near-duplicates, one call."""

import hashlib
import re
from typing import Any

import numpy as np

from models.examples import Example

SAME_SCENE = 0.7
"""Cosine of language-centred means from which mutual nearest neighbours of two languages count as one scene."""
NEAR_DUPLICATE = 0.8
"""The same within one language."""


class _Forest:
    """Union-find over row numbers."""

    def __init__(self, size: int) -> None:
        self.parent = list(range(size))

    def find(self, row: int) -> int:
        while self.parent[row] != row:
            self.parent[row] = self.parent[self.parent[row]]
            row = self.parent[row]
        return row

    def join(self, a: int, b: int) -> None:
        self.parent[max(self.find(a), self.find(b))] = min(self.find(a), self.find(b))


def groups(examples: list[Example], means: np.ndarray[Any, Any]) -> list[str]:
    """A group name for each example, the least key in it. `means` `[n, h]`: any sentence vectors, centred per
    language here."""
    forest = _Forest(len(examples))
    first: dict[str, int] = {}
    for row, example in enumerate(examples):
        forest.join(row, first.setdefault(example.key, row))
    languages = np.array([example.input.language or "" for example in examples])
    vectors = means.copy()
    for language in set(languages):
        vectors[languages == language] -= vectors[languages == language].mean(0)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-9
    names = sorted(set(languages))
    for i, one in enumerate(names):
        for other in names[i:]:
            for a, b in _pairs(vectors, np.flatnonzero(languages == one), np.flatnonzero(languages == other)):
                forest.join(a, b)
    roots = [forest.find(row) for row in range(len(examples))]
    name: dict[int, str] = {}
    for root, example in zip(roots, examples, strict=True):
        name[root] = min(name.get(root, example.key), example.key)
    return [name[root] for root in roots]


def _pairs(
    vectors: np.ndarray[Any, Any], left: np.ndarray[Any, Any], right: np.ndarray[Any, Any]
) -> list[tuple[int, int]]:
    """Near-duplicates within a language; likely translations, mutually nearest, between two."""
    likeness = vectors[left] @ vectors[right].T
    if left[0] == right[0]:
        np.fill_diagonal(likeness, -1.0)
        return [(int(left[a]), int(left[b])) for a, b in zip(*np.where(likeness > NEAR_DUPLICATE), strict=True)]
    best, back = likeness.argmax(1), likeness.argmax(0)
    return [(int(left[a]), int(right[b])) for a, b in enumerate(best) if back[b] == a and likeness[a, b] > SAME_SCENE]


def share(name: object, seed: str) -> float:
    """A stable number in [0, 1) for a name: which fold it falls into."""
    digest = hashlib.blake2b(f"{seed}:{name}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64


def scene(call_id: str) -> str:
    """Calls of one scene in several languages share this name.

    >>> scene("more-hi-02"), scene("more-pt-02"), scene("ct-zht-08h"), scene("m3-en-boiler")
    ('more-02', 'more-02', 'ct-08h', 'm3-en-boiler')
    """
    return re.sub(r"^(more|ct)-[a-z]+-", r"\1-", call_id)
