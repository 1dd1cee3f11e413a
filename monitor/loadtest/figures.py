"""What a load step measured, in milliseconds and counts."""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec


class Spread(msgspec.Struct, frozen=True):
    """Percentiles by nearest rank and the largest value, in milliseconds."""

    p50: float
    p95: float
    p99: float
    max: float

    @classmethod
    def of(cls, values_s: Sequence[float]) -> Spread | None:
        """Of durations in seconds; None when there are none."""
        ordered = sorted(values_s)
        if not ordered:
            return None
        ranks = [max(0, math.ceil(share * len(ordered)) - 1) for share in (0.5, 0.95, 0.99, 1.0)]
        return cls(*(round(1000.0 * ordered[rank], 1) for rank in ranks))


class Figures(msgspec.Struct, frozen=True):
    """One step. Latencies of finals count from the instant they were due, so reading slowly does not look fast."""

    calls: int
    seconds: float
    finals: int
    acked: int
    scored: int
    lost: int
    """Finals that were acked and whose turn never came on the feed."""
    unanswered: int
    """Finals that came to nothing: neither acked, nor refused, nor scored."""
    errors: dict[str, int]
    """Error answers by code; `overloaded` ones were sent again. `connection`: connections given up."""
    reconnects: int
    alerts: int
    """Alert events that name a final that was just sent."""
    stopped: bool
    """Ended before its time: the limit could not be kept any more."""
    score_ms: Spread | None
    """From a final to its `turn` event on the feed."""
    alert_ms: Spread | None
    """From a final to an alert event that names it."""
    urgent_ms: Spread | None
    """The same for alerts that must be told at once: must-report, safety, the wish for a superior."""
    words_ms: Spread | None
    """Of these, the ones that a phrase pack found: they do not wait for the model."""
    ack_ms: Spread | None
    """From sent to acked."""
    late_ms: Spread | None
    """How late finals left: the service reads slowly, or this program cannot keep up."""

    def keeps(self, limit_ms: float) -> bool:
        """Every final was scored, nothing was refused, and p99 of the scores lies under the limit."""
        whole = self.scored == self.finals and not self.errors and not self.stopped
        return whole and self.score_ms is not None and self.score_ms.p99 < limit_ms
