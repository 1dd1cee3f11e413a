"""How much the service takes on before it sheds, pauses and refuses, in that order."""

from __future__ import annotations

import msgspec

from monitor.config import Config

MESSAGE_BYTES = 64 * 1024
"""A larger frame is answered with `too_large`."""
FRAME_BYTES = 256 * 1024
"""A larger frame closes its connection with 1009; this is uvicorn's `ws_max_size`."""
UNACKED = 256
"""Messages of one connection whose answers are outstanding; beyond it the connection is read no further."""


CONNECTIONS = 10_000
"""Ingest connections at a time; a further one is closed with 1013."""


class Limits(msgspec.Struct, frozen=True):
    """Numbers of turns count those that wait for their score or are being scored."""

    max_calls: int = 5000
    """Calls in memory from which new ones are refused."""
    max_waiting: int = 2000
    """Turns from which nothing more is read; a new call that finds no room is refused."""
    shed_interims_at: int = 500
    """Turns from which interims are dropped."""
    max_writes: int = 2048
    """Writes waiting for the disk from which nothing more is read."""
    new_call_wait_s: float = 2.0
    """Seconds that a new call waits for room before it is refused."""
    urgent_after_s: float = 0.15
    """Seconds after which an alert that a turn's words demand no longer waits for the turn's score."""
    speaking_hold_s: float = 15.0
    """Seconds after an interim in which its speaker counts as still speaking."""
    region: str = ""
    """Country whose phone and id formats redaction expects; empty: none in particular."""

    @classmethod
    def of(cls, config: Config) -> Limits:
        waiting = config.ingest.max_waiting
        return cls(
            max_calls=config.ingest.max_calls,
            max_waiting=waiting,
            shed_interims_at=max(1, waiting // 4),
            region=config.ingest.region,
        )
