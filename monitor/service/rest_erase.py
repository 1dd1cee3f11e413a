"""Erasing over REST: a call, or all calls of a customer, for good."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from monitor.service.answers import Refused
from monitor.service.api import Ask
from monitor.service.problems import Problem


class Erased(msgspec.Struct, frozen=True):
    """The calls of which nothing is left."""

    calls: list[str]


async def call(ask: Ask) -> Erased:
    call_id = ask.path["call_id"]
    return await _erase(ask, lambda: [call_id], "There is no such call.")


async def customer(ask: Ask) -> Erased:
    customer_id = ask.path["customer_id"]
    return await _erase(ask, lambda: ask.store.calls_of_customer(customer_id), "The customer has no call.")


async def _erase(ask: Ask, find: Callable[[], Sequence[str]], nothing: str) -> Erased:
    """Raises Problem 404 when there is nothing to erase, 503 when it cannot be done now."""
    try:
        gone = await ask.runtime.erase(find, ask.principal.name)
    except Refused as refused:
        raise Problem(503, refused.message) from None
    if not gone:
        raise Problem(404, nothing)
    return Erased(gone)
