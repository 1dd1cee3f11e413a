"""The classifier in a process of its own.

Beside a busy event loop a scoring thread waits for the interpreter lock hundreds of times a batch: where the loop is
busy a third to half of the time, it scores a third to half fewer turns. A process has a lock of its own. It ends with
its owner, however that ends, and when it dies alone it is started anew and asked again.
"""

import contextlib
import logging
import multiprocessing
import signal
from collections.abc import Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from models.directory import ModelError
from models.types import Score, ScoreInput

if TYPE_CHECKING:
    from models.precision import Precision

log = logging.getLogger(__name__)


class ScoringFailed(Exception):
    """The classifier raised; the text names the kind of error and never what was scored."""


class EarProcess:
    """An `Ear` behind a pipe. Loading begins at once; `ready` waits for it. One thread scores, as with any ear."""

    version: str
    hidden_size: int
    precision: str

    def __init__(self, folder: Path, label_map: Path | None, threads: int, precision: "Precision") -> None:
        self._wanted = (folder, label_map, threads, precision)
        self._begin()

    def _begin(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        self._process = context.Process(target=_run, args=(theirs, *self._wanted), name="ear", daemon=True)
        self._process.start()
        theirs.close()

    @property
    def pid(self) -> int | None:
        """The process' number."""
        return self._process.pid

    def ready(self) -> None:
        """Wait until it can score. Raises `ModelError`."""
        try:
            told = self._pipe.recv()
        except (EOFError, OSError):
            self._process.join(5.0)
            status = self._process.exitcode
            text = f"the classifier's process ended while it loaded (status {status}); is there memory for it?"
            raise ModelError(f"{self._wanted[0]}: {text}") from None
        if isinstance(told, str):
            self.close()
            raise ModelError(told)
        self.version, self.hidden_size, self.precision = told

    def score(self, inputs: Sequence[ScoreInput]) -> list[Score]:
        """As the classifier does. Raises `ScoringFailed`; `ModelError` where the process does not come back."""
        try:
            answer = self._ask(inputs)
        except (EOFError, OSError):
            log.warning("the classifier's process has ended; it is started again")
            self.close()
            self._begin()
            self.ready()
            try:
                answer = self._ask(inputs)
            except (EOFError, OSError):
                raise ScoringFailed("the process ended again") from None
        if isinstance(answer, str):
            raise ScoringFailed(answer)
        return answer

    def _ask(self, inputs: Sequence[ScoreInput]) -> list[Score] | str:
        self._pipe.send(list(inputs))
        answer: list[Score] | str = self._pipe.recv()
        return answer

    def warm_up(self) -> None:
        """It has warmed up when it is ready."""

    def close(self) -> None:
        """End the process, which holds nothing to be saved; again does nothing."""
        self._pipe.close()
        self._process.kill()
        self._process.join()


def _run(pipe: "Connection[Any, Any]", *wanted: Any) -> None:
    """Load, tell so, and answer until the pipe closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the owner too, who ends this one
    from models.ear import load

    with contextlib.suppress(EOFError, OSError):
        try:
            ear = load(*wanted)
            ear.warm_up()
        except ModelError as error:
            pipe.send(str(error))
            return
        pipe.send((ear.version, ear.hidden_size, ear.precision))
        while True:
            inputs = pipe.recv()
            try:
                answer: list[Score] | str = ear.score(inputs)
            except Exception as error:
                answer = type(error).__name__
            pipe.send(answer)
