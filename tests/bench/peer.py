"""The yardstick: live sentiment as it is straightforwardly written, for Becalm to be compared with.

    python -m tests.bench.peer --port 8800 --threads 1 --where handler

One websocket a call, one `transformers.pipeline` call a message in fp32 with the same model directory, and a list of
supervisors to whom each result is sent in turn. Nothing is stored, batched, ordered, redacted or resumed; an ack only
says that the message came. Such a program is usually written with FastAPI; FastAPI's websockets are Starlette's own
class, so Starlette alone, which is a dependency already, gives the same program without another package.

`--where handler` scores straight in the handler, which stops the event loop for as long as it takes; `--where pool`
hands it to the loop's default thread pool. `tests.bench.run` tries both with each number of threads and takes the best.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

HEARD_FROM = 0.5
"""Probability from which a label is shown."""
Classify = Callable[[str], list[dict[str, Any]]]


def classifier(model: Path, threads: int) -> Classify:
    """The pipeline as its documentation shows it: every label with its probability, most probable first."""
    os.environ["OMP_NUM_THREADS"] = str(threads)
    import torch
    from transformers import pipeline

    torch.set_num_threads(threads)
    pipe = pipeline(
        "text-classification", model=str(model), top_k=None, function_to_apply="sigmoid", dtype=torch.float32
    )

    def classify(text: str) -> list[dict[str, Any]]:
        found: Any = pipe([text], truncation=True)[0]
        return list(found)

    classify("The first call of a pipeline is slow.")
    return classify


class Peer:
    """`classify` runs in the thread pool, or right where the message came in."""

    def __init__(self, classify: Classify, in_pool: bool) -> None:
        self._classify = classify
        self._in_pool = in_pool
        self._supervisors: list[WebSocket] = []

    def app(self) -> Starlette:
        """The application, with Becalm's addresses so that the same generator drives both."""
        return Starlette(
            routes=[WebSocketRoute("/v1/ingest", self._ingest), WebSocketRoute("/v1/feed", self._supervise)]
        )

    async def _ingest(self, socket: WebSocket) -> None:
        await socket.accept()
        try:
            while True:
                message = json.loads(await socket.receive_text())
                if message["type"] == "transcript" and message["final"]:
                    names = {name: message[name] for name in ("call_id", "segment_id")}
                    await socket.send_text(json.dumps({"type": "ack", **names}))
                    await self._tell({"type": "turn", **names, **await self._hear(message["text"])})
        except WebSocketDisconnect:
            pass

    async def _hear(self, text: str) -> dict[str, Any]:
        if self._in_pool:
            found = await asyncio.get_running_loop().run_in_executor(None, self._classify, text)
        else:
            found = self._classify(text)
        held = [{"name": one["label"], "score": one["score"]} for one in found if one["score"] >= HEARD_FROM]
        return {"text": text, "labels": held}

    async def _tell(self, result: dict[str, Any]) -> None:
        for supervisor in list(self._supervisors):
            await supervisor.send_text(json.dumps(result))

    async def _supervise(self, socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text(json.dumps({"type": "snapshot"}))
        self._supervisors.append(socket)
        try:
            while True:
                await socket.receive_text()
        except WebSocketDisconnect:
            self._supervisors.remove(socket)


class _Announcing(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, url: str) -> None:
        super().__init__(config)
        self._url = url

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        print(f"peer ready at {self._url}/", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--where", choices=["handler", "pool"], default="handler")
    options = parser.parse_args()
    peer = Peer(classifier(options.model, options.threads), options.where == "pool")
    with socket.create_server(("127.0.0.1", options.port), backlog=2048) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        _Announcing(uvicorn.Config(peer.app(), log_level="error"), url).run([listener])


if __name__ == "__main__":
    main()
