"""`python -m tests.faults.server DB PORT`: the whole service with the small scorer, so that it starts fast."""

from __future__ import annotations

import asyncio
import sys

import uvloop

from models.worker import ScoringWorker
from monitor.config import Config
from monitor.service import serving
from monitor.service.app import create_app
from monitor.service.auth import Auth
from monitor.service.runtime import Runtime
from monitor.service.store import Store
from tests.service.conftest import WordScorer, make_rules


async def main(database: str, port: int) -> int:
    listener = serving.listen("127.0.0.1", port)
    rules, config, store = make_rules(), Config(), Store.open(database)
    worker = ScoringWorker(WordScorer())
    runtime = Runtime(config, rules, worker, store)
    auth = Auth(None, "127.0.0.1")
    asgi = create_app(runtime, config, auth, store=store, worker=worker, rules=rules)

    async def announce(url: str, runtime: Runtime) -> None:
        print("ready", flush=True)
        await asyncio.Event().wait()

    try:
        return await serving.run(asgi, runtime, config, listener, f"http://127.0.0.1:{port}", announce)
    finally:
        store.close()


if __name__ == "__main__":
    uvloop.install()
    sys.exit(asyncio.run(main(sys.argv[1], int(sys.argv[2]))))
