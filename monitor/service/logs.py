"""JSON lines on standard error. Nothing that anybody said, and no token, ever goes in here."""

from __future__ import annotations

import logging
import sys
from datetime import UTC, datetime
from typing import Any

import msgspec


class JsonLines(logging.Formatter):
    """`timestamp level event logger`, then the record's own `fields`."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        fields: dict[str, Any] = getattr(record, "fields", {})
        line = {"timestamp": at, "level": record.levelname.lower(), "event": record.getMessage(), "logger": record.name}
        if record.exc_info is not None and record.exc_info[0] is not None:
            line["exception"] = record.exc_info[0].__name__
        return msgspec.json.encode(line | fields, enc_hook=str).decode()


def set_up(level: int = logging.INFO) -> None:
    """Sends Becalm's and the server's logs there. uvicorn's own lines hold query strings, so only its warnings."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    for name, least in (("becalm", level), ("monitor", level), ("uvicorn", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.setLevel(least)
        logger.propagate = False
