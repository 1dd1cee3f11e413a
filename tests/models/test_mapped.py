"""A classifier of another kind behind a label map: a tiny one, made here."""

from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertForSequenceClassification, BertTokenizer

from models.directory import ModelError
from models.ear import load, version
from models.types import ScoreInput

MAP = """
activation = "softmax"
[labels]
anger = ["annoyance", "rage"]
joy = ["joy"]
churn = ["leaving"]
[thresholds]
anger = 0.25
[heat]
rage = 4.0
annoyance = 2.0
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five outputs over a vocabulary of twelve words, random weights."""
    folder = tmp_path_factory.mktemp("tiny")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "i", "am", "so", "angry", "happy", "leave", "now"]
    (folder / "vocab.txt").write_text("\n".join(words) + "\n", "utf-8")
    BertTokenizer(str(folder / "vocab.txt")).save_pretrained(folder)
    torch.manual_seed(3)
    names = ["joy", "annoyance", "rage", "leaving", "other"]
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        id2label=dict(enumerate(names)),
        label2id={name: i for i, name in enumerate(names)},
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder


@pytest.fixture
def label_map(tmp_path: Path) -> Path:
    path = tmp_path / "map.toml"
    path.write_text(MAP, "utf-8")
    return path


def test_its_outputs_are_read_through_the_map(folder: Path, label_map: Path) -> None:
    ear = load(folder, label_map)
    said = ScoreInput("i am so angry", "customer")
    score = ear.score([said])[0]
    with torch.inference_mode():
        model = ear.model  # type: ignore[attr-defined]
        p = model(**ear.tokenizer(said.text, return_tensors="pt")).logits[0].softmax(-1).tolist()  # type: ignore[attr-defined]
    anger = p[1] + p[2]
    assert score.emotions["anger"] == pytest.approx(0.5 + 0.5 * (anger - 0.25) / 0.75, abs=1e-4)
    assert score.emotions["fear"] == 0.0
    assert score.heat == pytest.approx(2 * p[1] + 4 * p[2], abs=1e-4)
    assert score.labels["churn"] == pytest.approx(p[3], abs=1e-4)
    assert len(score.embedding) == ear.hidden_size == 32
    assert ear.version == version(folder, label_map)


def test_a_score_does_not_depend_on_its_neighbours(folder: Path, label_map: Path) -> None:
    ear = load(folder, label_map)
    items = [ScoreInput(text, "customer") for text in ("leave now", "i am happy " * 30, "so", "...")]
    assert ear.score(items) == [ear.score([item])[0] for item in items]
    assert ear.score(items)[3].abstained == "too_little_text"


def test_an_agent_has_no_emotions(folder: Path, label_map: Path) -> None:
    score = load(folder, label_map).score([ScoreInput("i am so angry", "agent")])[0]
    assert (score.emotions, score.heat, score.labels) == ({}, None, {})


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ('[labels]\nangry = ["rage"]', "'angry' is none of Becalm's labels"),
        ('[labels]\nanger = ["fury"]', "[labels] names 'fury'; the model has joy, annoyance"),
        ('[labels]\nanger = ["rage"]\n[heat]\nfury = 2.0', "[heat] names 'fury'"),
        ('[labels]\nanger = ["rage"]\n[thresholds]\nanger = 1.5', "thresholds.anger is 1.5"),
        ("labels = 3", "Expected `object`"),
        ("[labels", "Expected"),
    ],
)
def test_a_wrong_map_is_named(folder: Path, tmp_path: Path, wrong: str, named: str) -> None:
    path = tmp_path / "map.toml"
    path.write_text(wrong, "utf-8")
    with pytest.raises(ModelError) as caught:
        load(folder, path)
    assert named in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_map_changes_the_version(folder: Path, label_map: Path) -> None:
    before = version(folder, label_map)
    label_map.write_text(MAP.replace("0.25", "0.3"), "utf-8")
    assert version(folder, label_map) != before
