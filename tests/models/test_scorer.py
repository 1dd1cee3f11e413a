"""The shipped model: what stock transformers loads is what the scorer scores, and no score depends on another."""

import json
import math
import random
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch

from models.directory import DEFAULT, ModelDirectory, ModelError
from models.encoding import encode
from models.labels import ALL_LABELS, CUES, EMOTIONS, MOVES, MUST_NOT_MISS, STEPS
from models.scorer import Scorer, too_little_text
from models.types import ScoreInput

ITEMS = [
    ScoreInput("This is the third time I call. I want your manager, now!", "customer", "How can I help?"),
    ScoreInput("我要去消协投诉你们!", "customer", "非常抱歉,请您稍等。", ("我已经等了三天了。",)),
    ScoreInput("Hvala vam lijepa, sad je sve u redu.", "customer", "Riješeno je."),
    ScoreInput("Es tut mir leid, dass die Lieferung verspätet ist, ich kümmere mich sofort darum.", "agent"),
    ScoreInput("Mein Name ist Weber, ich leite hier den Kundendienst.", "manager"),
    ScoreInput("Quiero cambiar mi dirección.", "unknown"),
    ScoreInput("Please enter your customer number.", "bot"),
    ScoreInput("word " * 300, "customer", "prev " * 100, ("history " * 100,)),
]


SAME = (
    (
        "The refund never arrived.",
        "Die Rückerstattung ist nie angekommen.",
        "El reembolso nunca llegó.",
        "退款一直没到。",
    ),
    (
        "My internet is down again.",
        "Internet mi opet ne radi.",
        "Mein Internet ist schon wieder weg.",
        "我的网络又断了。",
    ),
    (
        "I would like to cancel my contract.",
        "Quiero cancelar mi contrato.",
        "Želim raskinuti ugovor.",
        "我想取消合約。",
    ),
    ("The parcel was damaged.", "Das Paket war beschädigt.", "Paket je stigao oštećen.", "包裹壞掉了。"),
    ("You charged me twice.", "Me han cobrado dos veces.", "Dvaput ste mi naplatili.", "你们扣了我两次款。"),
)
"""Each said in four languages."""


def test_stock_transformers_loads_it_offline_and_gives_the_same_logits(scorer: Scorer) -> None:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    stock = AutoModelForSequenceClassification.from_pretrained(DEFAULT, local_files_only=True).eval()
    assert type(stock).__name__ == "BertForSequenceClassification"
    assert stock.dtype == torch.float32
    assert [stock.config.id2label[i] for i in range(len(ALL_LABELS))] == list(ALL_LABELS)
    assert stock.config.problem_type == "multi_label_classification"
    tokenizer = AutoTokenizer.from_pretrained(DEFAULT, local_files_only=True)
    for item in (ITEMS[0], ITEMS[2], ITEMS[3]):
        pair = (item.text, item.prev) if item.prev else (item.text,)
        with torch.inference_mode():
            wanted = stock(**tokenizer(*pair, return_tensors="pt")).logits[0].numpy()
        got = scorer.forward(encode(scorer.tokenizer, [item]))[0][0]
        np.testing.assert_allclose(got, wanted, atol=2e-4)


def test_a_score_does_not_depend_on_its_neighbours_or_on_the_run(scorer: Scorer) -> None:
    alone = [scorer.score([item])[0] for item in ITEMS]
    assert scorer.score(ITEMS) == alone
    many = ITEMS * 5
    order = list(range(len(many)))
    random.Random(3).shuffle(order)
    mixed = scorer.score([many[i] for i in order])
    assert all(mixed[at] == alone[i % len(ITEMS)] for at, i in enumerate(order))


def test_labels_and_emotions_of_the_role_only(scorer: Scorer) -> None:
    allowed = {"customer": set(CUES), "agent": set(MOVES), "manager": set(MOVES) | set(STEPS)}
    allowed |= {"unknown": allowed["customer"], "bot": allowed["agent"]}
    for item, score in zip(ITEMS, scorer.score(ITEMS), strict=True):
        assert set(score.labels) <= allowed[item.role]
        assert all(p <= 1.0 and p == round(p, 4) for p in score.labels.values())
        assert all(p >= 0.1 or name in MUST_NOT_MISS for name, p in score.labels.items())
        assert item.role not in ("customer", "unknown") or set(MUST_NOT_MISS) <= set(score.labels)
        if item.role in ("customer", "unknown"):
            assert set(score.emotions) == set(EMOTIONS)
            assert score.heat is not None
            assert 0.0 <= score.heat <= 4.0
        else:
            assert (score.emotions, score.heat) == ({}, None)


def test_a_unit_embedding_that_finds_the_same_thing_said_in_another_language(scorer: Scorer) -> None:
    texts = [text for said in SAME for text in said]
    vectors = [
        np.frombuffer(s.embedding, np.int8) / 127.0 for s in scorer.score([ScoreInput(t, "customer") for t in texts])
    ]
    assert all(vector.shape == (scorer.hidden_size,) for vector in vectors)
    assert all(math.isclose(float(np.linalg.norm(vector)), 1.0, abs_tol=0.03) for vector in vectors)
    likeness = np.stack(vectors) @ np.stack(vectors).T
    topic = np.repeat(np.arange(len(SAME)), len(SAME[0]))
    same = (topic[:, None] == topic) & ~np.eye(len(texts), dtype=bool)
    assert likeness[same].mean() > likeness[topic[:, None] != topic].mean() + 0.2
    np.fill_diagonal(likeness, -1.0)
    assert (topic[likeness.argmax(1)] == topic).mean() > 0.5, "by chance: 3 of 19"


@pytest.mark.parametrize("text", ["", "   ", "?!...", "123 45", "🙂"])
def test_too_little_text_abstains(scorer: Scorer, text: str) -> None:
    assert too_little_text(text)
    score = scorer.score([ScoreInput(text, "customer")])[0]
    assert (score.abstained, score.heat, score.labels) == ("too_little_text", None, {})
    assert not too_little_text("好")


def test_it_hears_plain_cases(scorer: Scorer) -> None:
    angry, calm = scorer.score([ITEMS[0], ITEMS[5]])
    assert angry.labels["ask_superior"] >= 0.5
    assert angry.heat is not None
    assert calm.heat is not None
    assert angry.heat > 2.0 > 1.2 > calm.heat
    assert angry.emotions["anger"] >= 0.5 > calm.emotions["anger"]


def test_the_figures_beside_it_beat_a_majority_guess() -> None:
    figures = json.loads((DEFAULT / "figures.json").read_text("utf-8"))
    for part in ("utterances", "calls"):
        for head in ("cues", "moves", "steps", "emotions"):
            assert figures[part][head]["f1"] > figures[part][head]["majority_f1"] + 0.1
        assert figures[part]["heat"]["mae"] < figures[part]["heat"]["majority_mae"]


def test_no_file_is_too_large_for_the_repository() -> None:
    assert max(path.stat().st_size for path in DEFAULT.iterdir()) < 95_000_000


def _copy(folder: Path) -> Path:
    folder.mkdir()
    for name in ModelDirectory.files:
        if name == "model.safetensors":
            (folder / name).symlink_to(DEFAULT / name)
        else:
            shutil.copy(DEFAULT / name, folder / name)
    return folder


def test_a_broken_directory_is_named_with_its_file(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"config\.json: file is missing; run"):
        ModelDirectory(tmp_path)
    folder = _copy(tmp_path / "model")
    whole = ModelDirectory(folder).version
    (folder / "calibration.json").write_text('{"labels": {"anger": {"slope": "x"}}}')
    with pytest.raises(ModelError, match=r"calibration\.json: Expected"):
        ModelDirectory(folder)
    (folder / "calibration.json").write_text('{"labels": {}}')
    with pytest.raises(ModelError, match=r"calibration\.json: no entry for alternatives"):
        ModelDirectory(folder)
    shutil.copy(DEFAULT / "calibration.json", folder)
    (folder / "calibration.json").write_text((folder / "calibration.json").read_text() + " ")
    assert ModelDirectory(folder).version != whole
    config = json.loads((folder / "config.json").read_text())
    config["id2label"]["3"] = "LABEL_3"
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="id2label lacks sadness"):
        ModelDirectory(folder)
