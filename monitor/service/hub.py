"""The live feed: what was stored goes to every subscriber, each at its own pace and none at another's cost."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from typing import Protocol

import msgspec

from monitor.core.events import Alert, Event, Point, decode

_log = logging.getLogger("becalm.feed")
SEVERITIES = ("info", "warning", "critical")
_POINTS_FROM = 256
"""Frames waiting from which interims are dropped and only the newest point of a call is kept."""
_MOST_WAITING = 4096
"""Frames waiting at which a subscriber is closed; it can resume with `since`."""
_PAGE = 500


class About(Protocol):
    """What a filter may look at of a call: a CallView or a CallRow."""

    @property
    def call_id(self) -> str: ...
    @property
    def team(self) -> str | None: ...
    @property
    def agent_id(self) -> str | None: ...


Wants = Callable[[About | None, Event | None], bool]
"""Decides about one event (None: an interim or a call of the snapshot) of one call (None: nothing is known of it)."""


class FeedFilter(msgspec.Struct, frozen=True):
    """The filters of the feed; None lets everything pass. `severity` is the least that an alert must have."""

    team: str | None = None
    agent: str | None = None
    call_id: str | None = None
    severity: str | None = None
    teams: tuple[str, ...] | None = None
    """The only teams that the reader may see."""

    def __call__(self, about: About | None, event: Event | None) -> bool:
        wanted = ((self.team, "team"), (self.agent, "agent_id"), (self.call_id, "call_id"))
        if any(value is not None and (about is None or getattr(about, name) != value) for value, name in wanted):
            return False
        if self.teams is not None and (about is None or about.team not in self.teams):
            return False
        if self.severity is None or not isinstance(event, Alert):
            return True
        return SEVERITIES.index(event.severity) >= SEVERITIES.index(self.severity)


class Closed(Exception):
    """The subscription is over: 1013 the reader was too slow, 1012 the service restarts, 1011 a fault."""

    def __init__(self, code: int) -> None:
        super().__init__(f"the feed was closed with code {code}")
        self.code = code


class Source(Protocol):
    """Where a subscription finds what happened before it began; both are read off the event loop."""

    async def snapshot(self, wants: Wants) -> tuple[list[msgspec.Struct], list[msgspec.Struct]]:
        """The live calls' views and the open alerts."""
        ...

    async def events_since(self, seq: int, limit: int, until: int) -> list[tuple[int, About | None, bytes]]:
        """Stored events with `seq` < theirs <= `until`, in order."""
        ...


class Subscription:
    """Async iterator over JSON frames; ends by raising `Closed`. Use it in one task and `close` it at the end."""

    def __init__(self, hub: Hub, wants: Wants, since: int | None) -> None:
        self._hub = hub
        self._wants = wants
        self._start = hub.seq
        self._since = since if since is not None and since <= hub.seq else None
        self._waiting: OrderedDict[int, tuple[bytes, str | None]] = OrderedDict()
        """Frames by a rising number of their own, points with their call; `_points` has each call's newest number."""
        self._points: dict[str, int] = {}
        self._number = 0
        self._dropped = 0
        self._news = asyncio.Event()
        self._code: int | None = None
        self._frames = self._run()

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._frames

    def close(self, code: int | None = None) -> None:
        """Stops delivery; with a code the reader is told by `Closed`."""
        self._hub.leave(self)
        if self._code is None:
            self._code = code if code is not None else 1000
        self._news.set()

    def offer(self, about: About | None, event: Event, frame: bytes) -> None:
        """Takes one frame if it is wanted; drops points or closes when the reader is slow."""
        if not self._wants(about, event):
            return
        point_of = event.call_id if isinstance(event, Point) else None
        if point_of is not None and len(self._waiting) >= _POINTS_FROM:
            older = self._points.get(point_of)
            if older is not None:
                del self._waiting[older]
                self._dropped += 1
                self._hub.dropped("point", 1)
        if len(self._waiting) >= _MOST_WAITING:
            self._hub.dropped("slow_client", len(self._waiting))
            self._waiting.clear()
            self.close(1013)
            return
        number = self._put(frame, point_of)
        if point_of is not None:
            self._points[point_of] = number

    def offer_interim(self, about: About | None, frame: bytes) -> None:
        if not self._wants(about, None):
            return
        if len(self._waiting) >= _POINTS_FROM:
            self._hub.dropped("interim", 1)
        else:
            self._put(frame, None)

    def _put(self, frame: bytes, point_of: str | None) -> int:
        self._number += 1
        self._waiting[self._number] = (frame, point_of)
        self._news.set()
        return self._number

    async def _run(self) -> AsyncIterator[bytes]:
        yield await self._snapshot()
        if self._since is not None:
            async for frame in self._past(self._since):
                yield frame
        while True:
            while not self._waiting and self._code is None:
                self._news.clear()
                await self._news.wait()
            if self._code is not None:
                raise Closed(self._code)
            if self._dropped > 0:
                lost, self._dropped = self._dropped, 0
                yield b'{"type":"dropped","points":%d}' % lost
                continue
            number, (frame, call_id) = self._waiting.popitem(last=False)
            if call_id is not None and self._points.get(call_id) == number:
                del self._points[call_id]
            yield frame

    async def _snapshot(self) -> bytes:
        calls, alerts = await self._hub.source.snapshot(self._wants)
        resumed = self._since is not None
        seq = self._start if self._since is None else self._since
        return msgspec.json.encode(
            {"type": "snapshot", "seq": seq, "resumed": resumed, "calls": calls, "alerts": alerts}
        )

    async def _past(self, since: int) -> AsyncIterator[bytes]:
        """What was stored after `since` and before the subscription began, page by page at the reader's pace."""
        while since < self._start and self._code is None:
            page = await self._hub.source.events_since(since, _PAGE, self._start)
            for seq, about, body in page:
                if self._wants(about, decode(body)):
                    yield with_seq(seq, body)
            if len(page) < _PAGE:
                return
            since = page[-1][0]


class Hub:
    """Publishes stored events, in the order of their seqs. All methods belong to the event loop's thread."""

    def __init__(self, source: Source, seq: int, dropped: Callable[[str, int], None]) -> None:
        self.source = source
        self.seq = seq
        """The seq of the last event published."""
        self.dropped = dropped
        """Told why and how many frames a slow reader did not get."""
        self._subscriptions: set[Subscription] = set()

    def __len__(self) -> int:
        return len(self._subscriptions)

    def subscribe(self, wants: Wants, since: int | None = None) -> Subscription:
        """Frames from now on, after a snapshot; with a known `since`, the events stored after it come in between.

        With an unknown `since` (from another database) the feed starts afresh: `resumed` is false in the snapshot.
        """
        subscription = Subscription(self, wants, since)
        self._subscriptions.add(subscription)
        return subscription

    def leave(self, subscription: Subscription) -> None:
        self._subscriptions.discard(subscription)

    def publish(self, seq: int, about: About | None, event: Event, body: bytes) -> None:
        """Hands one stored event to whoever wants it. Never waits."""
        self.seq = seq
        if not self._subscriptions:
            return
        frame = with_seq(seq, body)
        for subscription in list(self._subscriptions):
            try:
                subscription.offer(about, event, frame)
            except Exception as error:  # one reader's filter must not keep the others from hearing
                _log.error("a feed's filter failed: %s", type(error).__name__)
                subscription.close(1011)

    def publish_interim(self, about: About | None, frame: bytes) -> None:
        for subscription in list(self._subscriptions):
            subscription.offer_interim(about, frame)

    def close(self) -> None:
        """Ends every subscription with 1012."""
        for subscription in list(self._subscriptions):
            subscription.close(1012)


def with_seq(seq: int, body: bytes) -> bytes:
    """The event's JSON object with `seq` as its first field."""
    return b'{"seq":%d,%s' % (seq, body[1:])
