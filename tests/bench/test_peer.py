"""The yardstick speaks as much of Becalm's protocol as the generator needs; its scores are its own business here."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn

from monitor.config import BUNDLED
from monitor.loadtest.scripts import read_scripts
from monitor.loadtest.step import Step, Target
from monitor.loadtest.traffic import Pace
from tests.bench.peer import Peer

pytestmark = pytest.mark.heavy  # real processes, half a minute and more


def by_length(text: str) -> list[dict[str, Any]]:
    """A classifier that costs nothing."""
    return [{"label": "long", "score": min(1.0, len(text) / 100)}]


@pytest.fixture(params=[False, True], ids=["handler", "pool"])
def address(request: pytest.FixtureRequest) -> Iterator[str]:
    """A running peer, for each way to score."""
    app = Peer(by_length, in_pool=request.param).app()
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join(30)


@pytest.mark.asyncio
async def test_the_generator_drives_the_peer(address: str) -> None:
    step = Step(
        target=Target(address, calls_per_connection=1, readers=2),
        scripts=read_scripts(sorted((BUNDLED / "demo").glob("1*.jsonl"))),
        pace=Pace(0.25),
        seconds=1.0,
        seed=1,
        run="t",
    )
    found = await step(3)
    assert found.finals == found.acked == found.scored == 12
    assert (found.lost, found.errors) == (0, {})
