"""The training command end to end, with a tiny encoder: every stage, twice the same, and on after a stop."""

import gzip
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoModelForSequenceClassification, BertConfig, BertModel

from models import distil, oof, ship, train
from models.calibrate import best_cut, platt
from models.directory import DEFAULT
from models.emotions import public
from models.examples import CORPUS
from models.labels import ALL_LABELS
from models.measure import ece
from models.scorer import Scorer
from models.types import ScoreInput

STAGES = ("emotions", "base", "fold0", "fold1", "final")


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight layers of width 24 with random weights, and the shipped tokenizer."""
    folder = tmp_path_factory.mktemp("encoder")
    torch.manual_seed(1)
    config = BertConfig(
        vocab_size=48_000,
        hidden_size=24,
        num_hidden_layers=8,
        num_attention_heads=2,
        intermediate_size=48,
        type_vocab_size=2,
    )
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(DEFAULT / name, folder / name)
    return folder


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ninety utterances in three languages and eight calls of the real corpus."""
    folder = tmp_path_factory.mktemp("corpus")
    for kind, names, count in (("utterances", ("en", "hr", "zh-Hans"), 30), ("calls", ("en", "de"), 4)):
        (folder / kind).mkdir()
        for name in names:
            lines = (CORPUS / kind / f"{name}.jsonl").read_text("utf-8").splitlines()[:count]
            (folder / kind / f"{name}.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    return folder


@pytest.fixture(scope="module")
def emotions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows in the form of the public sets."""
    path = tmp_path_factory.mktemp("emotions") / "rows.jsonl.gz"
    kept = {"lang": "en", "source": "goemotions", "use": "train", "split": "train", "kind": "human", "neutral": False}
    rows = [
        {**kept, "text": "what a lovely day", "labels": ["joy"]},
        {**kept, "text": "i am afraid of it", "labels": ["fear"], "mask": ["disgust"]},
        {**kept, "text": "the meeting is at ten", "labels": [], "neutral": True},
        {**kept, "text": "kept for measuring", "labels": ["joy"], "split": "test"},
        {**kept, "text": "only to measure", "labels": ["joy"], "use": "eval"},
        {**kept, "text": "no emotion of ours", "labels": []},
        {**kept, "text": "what a lovely day", "labels": ["joy"]},
    ]
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    return path


def plan_of(encoder: Path, work: Path, corpus: Path, emotions: Path) -> train.Plan:
    torch.set_num_threads(1)
    return train.Plan(encoder, work, corpus, [emotions])


@pytest.fixture(scope="module")
def trained(encoder: Path, corpus: Path, emotions: Path, tmp_path_factory: pytest.TempPathFactory) -> train.Plan:
    plan = plan_of(encoder, tmp_path_factory.mktemp("work"), corpus, emotions)
    for stage in STAGES:
        plan.run(stage)
    return plan


def test_only_training_rows_of_public_sets_are_read(emotions: Path) -> None:
    rows = {example.input.text: example for example in public([emotions])}
    assert set(rows) == {"what a lovely day", "i am afraid of it", "the meeting is at ten"}
    assert rows["i am afraid of it"].outputs == ("anger", "fear", "sadness", "surprise", "joy")


def test_no_row_is_seen_by_the_fold_that_scores_it(trained: train.Plan) -> None:
    rows, logits = trained.unseen()
    assert len(set(rows.tolist())) == len(rows) == len(logits)
    assert set(trained.called.tolist()) <= set(rows.tolist()), "every call turn is scored by the other fold"
    assert not set(trained.said.tolist()) & set(rows.tolist())
    assert not set(trained.held[0].tolist()) & set(trained.held[1].tolist())


def test_relatives_are_held_out_together(trained: train.Plan) -> None:
    examples = trained.cache.examples
    held = {examples[row].key for part in trained.held for row in part}
    assert not held & {examples[row].key for row in trained.said}


def test_the_same_seed_gives_the_same_weights_also_after_a_stop(
    trained: train.Plan,
    encoder: Path,
    corpus: Path,
    emotions: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Stopped(Exception):
        pass

    again = plan_of(encoder, tmp_path, corpus, emotions)
    again.run("emotions")
    epochs: list[int] = []

    def dies_in_epoch_two(rows: np.ndarray, size: int, seed: int):  # type: ignore[no-untyped-def]
        of = mixed(rows, size, seed)

        def once(epoch: int):  # type: ignore[no-untyped-def]
            epochs.append(epoch)
            if len(epochs) > train.BASE.epochs and epoch == 2:  # the schedule asks for every epoch's rows first
                raise Stopped
            return of(epoch)

        return once

    mixed = again.mixed
    monkeypatch.setattr(again, "mixed", dies_in_epoch_two)
    with pytest.raises(Stopped):
        again.run("base")
    assert not (tmp_path / "base.done").exists()
    resumed = plan_of(encoder, tmp_path, corpus, emotions)
    resumed.run("base")
    for name, value in torch.load(tmp_path / "base.pt", weights_only=True)["model"].items():
        before = torch.load(trained.work / "base.pt", weights_only=True)["model"][name]
        assert torch.allclose(value, before, atol=1e-6), name


def test_the_result_ships_and_scores(trained: train.Plan, tmp_path: Path) -> None:
    out = tmp_path / "model"
    shown = ship.ship(trained, out)
    assert set(shown) == {"utterances", "calls"}
    figures = json.loads((out / "figures.json").read_text("utf-8"))
    assert set(figures["languages"]) == {"en", "hr", "zh-Hans"}
    stock = AutoModelForSequenceClassification.from_pretrained(out)
    assert stock.config.id2label[0] == "anger"
    score = Scorer(out, threads=1).score([ScoreInput("good morning", "customer")])[0]
    assert score.heat is not None
    assert len(score.embedding) == 24


@pytest.fixture(scope="module")
def release(trained: train.Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both models of the training, shipped."""
    folder = tmp_path_factory.mktemp("release")
    distil.prepare(trained)
    for fold in (0, 1):
        distil.Course(trained, fold).train()
    distil.ship_mean(trained, folder / "default")
    ship.ship(trained, folder / "twelve")
    return folder


def calls_of(plan: train.Plan, rows: np.ndarray) -> set[str | None]:
    return {plan.cache.examples[row].call_id for row in rows} - {None}


def test_the_small_model_is_taught_and_ships(trained: train.Plan, release: Path) -> None:
    every_call = calls_of(trained, trained.called)
    courses = [distil.Course(trained, fold) for fold in (0, 1)]
    for course in courses:
        assert len(course.rows(0)) == len(course.fresh)
        assert not calls_of(trained, course.held) & calls_of(trained, course.rows(0)), "whole calls are kept from it"
    assert calls_of(trained, courses[0].held) | calls_of(trained, courses[1].held) == every_call
    figures = json.loads((release / "default" / "figures.json").read_text("utf-8"))
    assert figures["calls"]["examples"] == len(trained.called)
    score = Scorer(release / "default", threads=1).score([ScoreInput("good morning", "customer")])[0]
    assert score.heat is not None
    assert len(score.embedding) == 24


def test_a_release_goes_on_with_calls_that_it_has_not_seen(
    trained: train.Plan, release: Path, encoder: Path, corpus: Path, emotions: Path, tmp_path: Path
) -> None:
    new = corpus / "calls" / "de.jsonl"
    plan = train.Plan(encoder, tmp_path / "work", corpus, [emotions], release, [new])
    distil.prepare(plan)
    courses = [distil.Course(plan, fold) for fold in (0, 1)]
    written_since = {json.loads(line)["call_id"] for line in new.read_text("utf-8").splitlines()}
    assert calls_of(plan, courses[0].held) | calls_of(plan, courses[1].held) == written_since
    before = {name: value.clone() for name, value in courses[0].model.state_dict().items()}
    shipped = train.stored(release / "default")
    assert all(torch.equal(before[name], value) for name, value in shipped.items()), "it starts as the release"
    for course in courses:
        assert set(course.fresh.tolist()) <= set(course.rows(1).tolist())
        course.train()
    distil.ship_mean(plan, tmp_path / "default")
    scored = list(oof.turn_scores(plan, Scorer(tmp_path / "default", threads=1)))
    assert {one.call_id for one in scored} == written_since
    assert all(set(one.labels) <= set(ALL_LABELS) for one in scored)


@pytest.mark.parametrize(
    ("since", "new", "told"), [(True, [], "go together"), (False, ["de"], "go together"), (True, ["dee"], "--new dee")]
)
def test_going_on_needs_a_release_and_calls_that_are_new_to_it(
    encoder: Path, corpus: Path, tmp_path: Path, since: bool, new: list[str], told: str
) -> None:
    files = [corpus / "calls" / f"{name}.jsonl" for name in new]
    with pytest.raises(ValueError, match=told):
        train.Plan(encoder, tmp_path, corpus, (), tmp_path if since else None, files)


def test_calibration_finds_slope_and_cut() -> None:
    random = np.random.default_rng(3)
    logits = random.normal(size=20_000)
    wanted = (random.random(20_000) < 1 / (1 + np.exp(-(2 * logits - 1)))).astype(float)
    slope, offset = platt(logits, wanted, np.ones(20_000))
    assert slope == pytest.approx(2.0, abs=0.1)
    assert offset == pytest.approx(-1.0, abs=0.1)
    assert ece(1 / (1 + np.exp(-(slope * logits + offset))), wanted) < 0.02
    assert ece(1 / (1 + np.exp(-(4 * logits + 2))), wanted) > 0.1
    sure = np.array([-2.0, -1.0, 1.0, 2.0])
    assert -1 < best_cut(sure, np.array([0.0, 0.0, 1.0, 1.0]), np.ones(4)) < 1
