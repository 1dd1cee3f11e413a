"""What the service counts. Base units, no call, agent or customer in any label, never a text."""

from __future__ import annotations

import asyncio
import itertools
import platform
import time
from collections import Counter as Counts
from collections.abc import Callable, Mapping, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_FAST_S = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class Metrics:
    """One registry a service; the attributes are its instruments."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.build_info = self._gauge("build_info", "Always 1.", "version", "model", "rules", "packs", "python")
        self.active_calls = self._gauge("active_calls", "Calls that have not ended.", "source")
        self.connections = self._gauge("websocket_connections", "Open websockets.", "role")
        self.received = self._counter("chunks_received", "Messages taken.", "source", "kind")
        self.rejected = self._counter("chunks_rejected", "Messages answered with an error.", "source", "reason")
        self.repeated = self._counter("chunks_repeated", "Finals that were known already.", "source")
        self.stale = self._counter("interims_stale", "Interims that came after a newer one or after their final.")
        self.shed = self._counter("interims_shed", "Interims dropped under load.")
        self.last_chunk = self._gauge("last_chunk_timestamp_seconds", "When the last message was taken.", "source")
        self.inference = self._histogram(
            "inference_duration_seconds", "One batch.", (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
        )
        self.batch_size = self._histogram("inference_batch_size", "Turns a batch.", (1, 2, 4, 8, 16, 32, 64))
        self.chunk_to_score = self._histogram(
            "chunk_to_score_seconds", "From a final's arrival until the events of its turn were stored.", _FAST_S
        )
        self.overdue = self._counter("scores_overdue", "Turns whose words were acted on before their score came.")
        self.score_failures = self._counter("score_failures", "Turns that could not be scored.")
        self.queue_depth = self._gauge("queue_depth", "Turns that wait for their score.")
        self.queue_age = self._gauge("queue_oldest_age_seconds", "How long the oldest of them has waited.")
        self.write_queue = self._gauge("write_queue_depth", "Writes that wait for the disk.")
        self.commit_jobs = self._histogram("commit_writes", "Writes a commit.", (1, 2, 4, 8, 16, 32, 64, 128, 256, 512))
        self.store_failures = self._counter("store_failures", "Writes of a call that failed.")
        self.core_failures = self._counter("core_failures", "Records that the core failed at.")
        self.reader_pauses = self._counter("reader_pauses", "Times that reading was stopped because too much waited.")
        self.recovered = self._counter("recovered_calls", "Calls that were taken up again after a restart.")
        self.recovery_mismatches = self._counter(
            "recovery_mismatches", "Recovered calls whose stored events were made by other rules."
        )
        self.tension = self._histogram(
            "tension_ratio",
            "Tension after each turn, over all calls.",
            (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1),
        )
        self.alerts = self._counter("alerts", "Alerts that fired.", "severity", "kind")
        self.alerts_active = self._gauge(
            "alerts_active", "Alerts that are not resolved, of calls in memory.", "severity"
        )
        self.ack_duration = self._histogram(
            "alert_ack_duration_seconds", "From firing to the acknowledgement.", (5, 15, 30, 60, 120, 300), "severity"
        )
        self.notifications = self._counter("notification_attempts", "Deliveries tried.", "channel", "outcome")
        self.feed_dropped = self._counter("feed_dropped", "Frames that slow readers did not get.", "reason")
        self.prompts = self._counter("prompts", "Prompts by what became of them.", "situation", "outcome")
        self.loop_lag = self._histogram(
            "event_loop_lag_seconds", "How late the event loop woke up.", (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1)
        )
        self.loop_lag_max = self._gauge("event_loop_lag_max_seconds", "The latest it ever woke up.")

    def build(self, version: str, versions: Mapping[str, str]) -> None:
        """Says what is running: the program's version and those of model, rules and packs."""
        known = {name: versions.get(name, "") for name in ("model", "rules", "packs")}
        self.build_info.labels(version=version, python=platform.python_version(), **known).set(1)

    def sample(self, sources: Sequence[str], severities: Sequence[str], load: Mapping[str, float]) -> None:
        """Sets the gauges: the source of every live call, the severity of every open alert, the runtime's load."""
        for gauge, values in ((self.active_calls, sources), (self.alerts_active, severities)):
            gauge.clear()
            for value, count in Counts(values).items():
                gauge.labels(value).set(count)
        self.queue_depth.set(load.get("waiting_turns", 0))
        self.queue_age.set(load.get("oldest_s", 0.0))
        self.write_queue.set(load.get("waiting_writes", 0))

    def exposition(self) -> bytes:
        """The text of `/metrics`."""
        return generate_latest(self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"becalm_{name}", text, labels, registry=self.registry)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"becalm_{name}", text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"becalm_{name}", text, labels, registry=self.registry, buckets=buckets)


LAG_EVERY_S = 0.05
SAMPLE_EVERY = 10
"""A sample of the gauges for so many looks at the lag."""


async def watch_loop(metrics: Metrics, sample: Callable[[], None]) -> None:
    """Measures for ever how late the event loop wakes this task, and takes the `sample` of the gauges now and then."""
    worst_s = 0.0
    for look in itertools.count():
        due_s = time.monotonic() + LAG_EVERY_S
        await asyncio.sleep(LAG_EVERY_S)
        late_s = max(0.0, time.monotonic() - due_s)
        worst_s = max(worst_s, late_s)
        metrics.loop_lag.observe(late_s)
        metrics.loop_lag_max.set(worst_s)
        if look % SAMPLE_EVERY == 0:
            sample()
