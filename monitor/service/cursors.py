"""Cursors of lists as clients see them: opaque words for the place in the list where the next page begins."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

import msgspec

from monitor.service.problems import Problem

Cursor = Annotated[str, msgspec.Meta(min_length=1, max_length=1500)]
"""Room for the longest id there is, in four-byte characters."""


def sealed(place: str) -> str:
    """A row's `cursor` as a client gets it."""
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def opened(cursor: str | None) -> str | None:
    """What `sealed` was given. Raises Problem 422 for anything that it never gave out."""
    if cursor is None:
        return None
    try:
        return base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise unknown() from None


def unknown() -> Problem:
    return Problem(422, "Parameter cursor: expected the `next` of an earlier page.", field="cursor")
