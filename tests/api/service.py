"""A real service for tests: uvicorn in a thread on a free port, the real runtime, store and rules; a small scorer."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx2
from websockets.sync.client import ClientConnection, connect

from alerts.outbox import Outbox
from alerts.routing import Receiver
from models.worker import ScoringWorker
from monitor.config import AuthSettings, Config, ServerSettings, StoreSettings
from monitor.service import serving, tokens
from monitor.service.app import create_app
from monitor.service.auth import Auth
from monitor.service.deliveries import Deliveries
from monitor.service.delivery import Dispatcher, page_url
from monitor.service.runtime import Runtime
from monitor.service.store import Store
from tests.service.conftest import WordScorer, make_rules

TIMEOUT_S = 30.0


class Service:
    """A running service and ways to talk to it."""

    def __init__(self, url: str, folder: Path, store: Store, runtime: Runtime) -> None:
        self.url = url
        self.folder = folder
        self.store = store
        self.runtime = runtime
        self.http = self._client()
        self._by_token: dict[str | None, httpx2.Client] = {}

    def as_(self, token: str | None) -> httpx2.Client:
        """A client with this token; None: without any."""
        if token not in self._by_token:
            self._by_token[token] = self._client(**{} if token is None else {"authorization": f"Bearer {token}"})
        return self._by_token[token]

    def close(self) -> None:
        for client in (self.http, *self._by_token.values()):
            client.close()

    def _client(self, **headers: str) -> httpx2.Client:
        return httpx2.Client(base_url=self.url, timeout=TIMEOUT_S, trust_env=False, verify=False, headers=headers)

    def socket(self, path: str, token: str | None = None, **headers: str) -> ClientConnection:
        sent = dict(headers) if token is None else {"Authorization": f"Bearer {token}", **headers}
        url = self.url.replace("http://", "ws://") + path
        return connect(
            url, additional_headers=sent, open_timeout=TIMEOUT_S, proxy=None, max_size=None, compression=None
        )

    def send(self, messages: Sequence[dict[str, Any]], token: str | None = None) -> None:
        """Sends all messages and returns once every final is acknowledged."""
        with self.socket("/v1/ingest", token) as socket:
            finals = {(message["call_id"], message["segment_id"]) for message in messages if message.get("final")}
            for message in messages:
                socket.send(json.dumps(message))
            while finals:
                answer = json.loads(socket.recv(TIMEOUT_S))
                assert answer["type"] == "ack", answer
                finals.discard((answer["call_id"], answer["segment_id"]))

    def settle(self, *call_ids: str) -> None:
        """Returns once these calls have ended in the database: their last event comes with the next commits."""
        left = set(call_ids)
        while left:
            left = {call_id for call_id in left if (row := self.store.call(call_id)) is None or not row.finished}
            self.store.flush()

    def until(self, frames: Iterator[dict[str, Any]], **fields: Any) -> list[dict[str, Any]]:
        """Frames up to and with the first that has these fields."""
        seen = []
        for frame in frames:
            seen.append(frame)
            if all(frame.get(name) == value for name, value in fields.items()):
                return seen
        raise AssertionError(f"the feed ended before {fields}")


def frames_of(socket: ClientConnection) -> Iterator[dict[str, Any]]:
    while True:
        yield json.loads(socket.recv(TIMEOUT_S))


@contextlib.contextmanager
def running(
    folder: Path,
    *,
    with_tokens: bool = False,
    receivers: Sequence[Receiver] = (),
    origins: tuple[str, ...] = (),
    send_buffer: int | None = None,
) -> Iterator[Service]:
    """A service over the database in `folder`; with tokens it reads `folder`/tokens.

    `send_buffer`: bytes that the system holds for a reader that takes nothing; little, so that a test sees it soon.
    """
    config = Config(
        server=ServerSettings(port=0, drain_s=2.0, allowed_origins=origins),
        store=StoreSettings(database=str(folder / "becalm.db")),
        auth=AuthSettings(tokens_file=str(folder / "tokens") if with_tokens else ""),
    )
    listener = serving.listen("127.0.0.1", 0)
    if send_buffer is not None:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    ready: threading.Event = threading.Event()
    held: dict[str, Any] = {}

    async def on_ready(_: str, runtime: Runtime) -> None:
        held["stop"] = asyncio.Event()
        held["loop"] = asyncio.get_running_loop()
        ready.set()
        await held["stop"].wait()
        raise Stop

    async def main() -> None:
        rules = make_rules()
        auth = Auth(Path(config.auth.tokens_file) if with_tokens else None, "127.0.0.1", origins)
        store, worker = Store.open(config.store.database), ScoringWorker(WordScorer())
        runtime = Runtime(config, rules, worker, store)
        deliveries = Deliveries(store)
        held.update(store=store, runtime=runtime)
        outbox = Outbox(list(receivers), [], deliveries)
        dispatcher = Dispatcher(store, runtime.hub, outbox, page_url("https://becalm.example.com"))
        app = create_app(runtime, config, auth, store=store, worker=worker, rules=rules, dispatcher=dispatcher)
        try:
            await serving.run(app, runtime, config, listener, url, on_ready)
        except Stop:
            pass
        finally:
            deliveries.close()
            store.close()

    def run() -> None:
        try:
            asyncio.run(main())
        except BaseException as error:
            held["error"] = error
            raise
        finally:
            ready.set()

    thread = threading.Thread(target=run, name="service")
    thread.start()
    ready.wait(TIMEOUT_S)
    if "stop" not in held:
        thread.join(TIMEOUT_S)
        raise AssertionError("the service did not start") from held.get("error")
    service = Service(url, folder, held["store"], held["runtime"])
    try:
        yield service
    finally:
        service.close()
        held["loop"].call_soon_threadsafe(held["stop"].set)
        thread.join(TIMEOUT_S)
        listener.close()
        assert not thread.is_alive(), "the service did not stop"


class Stop(Exception):
    """Ends the service of a test."""


def token(folder: Path, name: str, role: tokens.Role, **more: Any) -> str:
    return tokens.create(folder / "tokens", name, role, **more)


def call(
    call_id: str, texts: Sequence[str], *, agent: str = "a-1", team: str = "billing", end: bool = True
) -> list[dict[str, Any]]:
    """Messages of a call; a text that begins with `A:` is the agent's, others are the customer's."""
    start = {
        "type": "call.start", "call_id": call_id, "channel": "voice", "language": "en", "queue": "billing",
        "agent": {"id": agent, "team": team}, "customer": {"id": "k-1"}, "started_at": "2026-11-22T09:30:00Z",
    }  # fmt: skip
    turns = [
        {
            "type": "transcript", "call_id": call_id, "segment_id": str(n), "final": True, "language": "en",
            "role": "agent" if text.startswith("A:") else "customer", "text": text.removeprefix("A:").strip(),
            "start_s": 10.0 * n, "end_s": 10.0 * n + 4,
        }
        for n, text in enumerate(texts)
    ]  # fmt: skip
    over = [{"type": "call.end", "call_id": call_id, "at_s": 10.0 * len(texts), "reason": "hangup"}] if end else []
    return [start, *turns, *over]
