"""Feed readers: supervisors' pages, as far as the service can tell."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from urllib.parse import urlsplit, urlunsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from monitor.sending import SendError

Heard = Callable[[bytes, float], int | None]
"""Takes a frame and when it came (`time.monotonic`); returns its `seq`, where it has one."""
NOT_ALLOWED = 1008
CONNECT_AGAIN_S = 0.2


class Reader:
    """Reads a feed until it is cancelled; connects again after a loss and takes up where it was."""

    def __init__(self, url: str, token: str | None, heard: Heard, reconnected: Callable[[], None]) -> None:
        self._url = url
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self._heard = heard
        self._reconnected = reconnected
        self._seq: int | None = None
        self.ready = asyncio.Event()
        """Set with the first frame: nothing that happens from now on is missed."""

    async def run(self) -> None:
        """Raises SendError when the feed cannot be had at first, or is not allowed."""
        while True:
            try:
                await self._session()
            except InvalidStatus as error:
                raise SendError(f"{self._url}: answers HTTP {error.response.status_code} instead of a feed") from None
            except (OSError, WebSocketException, TimeoutError) as error:
                if isinstance(error, ConnectionClosed) and error.rcvd is not None and error.rcvd.code == NOT_ALLOWED:
                    raise SendError(
                        f"{self._url}: not allowed; reading the feed needs a token of role supervisor, qa or admin"
                    ) from None
                if not self.ready.is_set():
                    raise SendError(f"{self._url}: cannot connect; is `becalm serve` running there?") from None
            self._reconnected()
            await asyncio.sleep(CONNECT_AGAIN_S)

    async def _session(self) -> None:
        url = self._url if self._seq is None else f"{self._url}?since={self._seq}"
        async with connect(url, additional_headers=self._headers, max_size=None, compression=None) as socket:
            await self._read(socket)

    async def _read(self, socket: ClientConnection) -> None:
        while True:
            frame = await socket.recv(decode=False)
            seq = self._heard(frame, time.monotonic())
            self._seq = self._seq if seq is None else seq
            self.ready.set()


def feed_url(ingest: str) -> str:
    """The feed's address beside that of an ingest socket."""
    parts = urlsplit(ingest)
    return urlunsplit((parts.scheme, parts.netloc, parts.path.replace("/ingest", "/feed"), "", ""))
