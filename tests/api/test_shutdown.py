"""The service goes down in order: feeds are told, what was taken is stored, the exit status is 0."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from monitor.service import serving
from monitor.service.store import Store
from tests.api.conftest import ANGRY
from tests.api.service import TIMEOUT_S, call

SCRIPT = """
import asyncio, sys
from models.worker import ScoringWorker
from monitor.config import Config
from monitor.service import serving
from monitor.service.app import create_app
from monitor.service.auth import Auth
from monitor.service.runtime import Runtime
from monitor.service.store import Store
from tests.service.conftest import WordScorer, make_rules

async def ready(url, runtime):
    print(url, flush=True)
    await asyncio.Event().wait()

async def main():
    config, rules, store, worker = Config(), make_rules(), Store.open(sys.argv[1]), ScoringWorker(WordScorer())
    runtime = Runtime(config, rules, worker, store)
    app = create_app(runtime, config, Auth(None, "127.0.0.1"), store=store, worker=worker, rules=rules)
    listener = serving.listen("127.0.0.1", 0)
    url = f"127.0.0.1:{listener.getsockname()[1]}"
    status = await serving.run(app, runtime, config, listener, url, ready)
    store.close()
    return status

sys.exit(asyncio.run(main()))
"""


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_service_in_order(tmp_path: Path, name: signal.Signals) -> None:
    database = str(tmp_path / "becalm.db")
    process = subprocess.Popen([sys.executable, "-c", SCRIPT, database], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        url = f"ws://{process.stdout.readline().strip()}"
        with connect(f"{url}/v1/feed", proxy=None) as feed, connect(f"{url}/v1/ingest", proxy=None) as ingest:
            feed.recv(TIMEOUT_S)
            for message in call("c", ANGRY, end=False):
                ingest.send(json.dumps(message))
            for _ in ANGRY:
                assert json.loads(ingest.recv(TIMEOUT_S))["type"] == "ack"
            process.send_signal(name)
            for socket_ in (feed, ingest):
                assert close_code(socket_) == 1012
        assert process.wait(TIMEOUT_S) == 0
    finally:
        process.kill()
        process.communicate()
    store = Store.open(database, read_only=True)
    assert sum(b'"type":"transcript"' in record for record in store.records("c")) == len(ANGRY)
    store.close()


def close_code(connection: ClientConnection) -> int | None:
    """The code with which the service ends a connection; what it sends before is read and let go."""
    try:
        while True:
            connection.recv(TIMEOUT_S)
    except ConnectionClosed as closed:
        return None if closed.rcvd is None else closed.rcvd.code


def test_a_taken_port_is_said_with_a_mend() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(serving.CannotListen, match=f"127.0.0.1:{port}.*--port"):
            serving.listen("127.0.0.1", port)


def test_a_host_that_is_not_ours_is_said() -> None:
    with pytest.raises(serving.CannotListen, match="--host"):
        serving.listen("192.0.2.1", 0)
