"""The scoring thread: order, one callback an item, overload, poison."""

import threading
from collections.abc import Sequence

import pytest

from models.types import Score, ScoreInput
from models.worker import Overloaded, ScoringWorker

EMPTY = Score({}, None, {}, b"")


class Fake:
    """Scores nothing; holds each batch until `gate` is open; chokes on `poison`."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.entered = threading.Event()
        self.batches: list[int] = []

    def score(self, inputs: Sequence[ScoreInput]) -> list[Score]:
        self.entered.set()
        assert self.gate.wait(10)
        self.batches.append(len(inputs))
        if any(item.text == "poison" for item in inputs):
            raise ValueError("poison")
        return [EMPTY for _ in inputs]


class Collector:
    """Callbacks in order, and a way to wait for so many."""

    def __init__(self, wanted: int) -> None:
        self.got: list[tuple[object, Score | Exception]] = []
        self.wanted = wanted
        self.done = threading.Event()

    def __call__(self, key: object, result: Score | Exception) -> None:
        self.got.append((key, result))
        if len(self.got) == self.wanted:
            self.done.set()


def item(text: str = "hello") -> ScoreInput:
    return ScoreInput(text, "customer")


def test_every_item_is_called_back_once_in_order_and_batches_form_while_one_runs() -> None:
    fake, collect = Fake(), Collector(20)
    worker = ScoringWorker(fake)
    worker.start()
    worker.submit(0, item(), collect)
    assert fake.entered.wait(10)
    for key in range(1, 20):
        worker.submit(key, item(), collect)
    assert worker.depth == 20
    fake.gate.set()
    assert collect.done.wait(10)
    assert [key for key, _ in collect.got] == list(range(20))
    assert fake.batches == [1, 19]
    worker.stop()
    assert worker.depth == 0


def test_a_batch_keeps_to_its_budget() -> None:
    fake, collect = Fake(), Collector(5)
    worker = ScoringWorker(fake, token_budget=12)
    for key in range(5):
        worker.submit(key, item("x" * 12), collect)
    fake.gate.set()
    worker.start()
    assert collect.done.wait(10)
    assert fake.batches == [2, 2, 1]
    worker.stop()


def test_a_full_queue_is_refused_not_waited_for() -> None:
    fake, collect = Fake(), Collector(3)
    worker = ScoringWorker(fake, max_queue=2)
    worker.start()
    worker.submit(0, item(), collect)
    assert fake.entered.wait(10)
    worker.submit(1, item(), collect)
    worker.submit(2, item(), collect)
    with pytest.raises(Overloaded, match="2 turns"):
        worker.submit(3, item(), collect)
    fake.gate.set()
    assert collect.done.wait(10)
    worker.stop()


def test_one_poison_item_fails_alone() -> None:
    fake, collect = Fake(), Collector(4)
    worker = ScoringWorker(fake)
    for key, text in enumerate(["a", "poison", "b", "c"]):
        worker.submit(key, item(text), collect)
    fake.gate.set()
    worker.start()
    assert collect.done.wait(10)
    assert [type(result) for _, result in collect.got] == [Score, ValueError, Score, Score]
    assert worker.failures == 1
    worker.stop()


def test_a_failing_callback_does_not_stop_the_thread() -> None:
    fake, collect = Fake(), Collector(1)
    fake.gate.set()
    worker = ScoringWorker(fake)
    worker.start()

    def broken(key: object, result: Score | Exception) -> None:
        raise RuntimeError("callback")

    worker.submit(0, item(), broken)
    worker.submit(1, item(), collect)
    assert collect.done.wait(10)
    worker.stop()


def test_stopping_gives_back_what_waits_and_refuses_more() -> None:
    fake, collect = Fake(), Collector(2)
    worker = ScoringWorker(fake)
    worker.submit(0, item(), collect)
    worker.submit(1, item(), collect)
    worker.stop()
    assert [type(result) for _, result in collect.got] == [Overloaded, Overloaded]
    with pytest.raises(Overloaded):
        worker.submit(2, item(), collect)


def test_it_starts_once() -> None:
    worker = ScoringWorker(Fake())
    worker.start()
    with pytest.raises(RuntimeError):
        worker.start()
    worker.stop()
