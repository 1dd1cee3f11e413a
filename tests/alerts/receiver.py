"""A real HTTP receiver on a free port, whose answers a test scripts and which keeps what it was sent."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
TIMEOUT_S = 20.0


class Hit(NamedTuple):
    """One request as it came in."""

    path: str
    headers: dict[str, str]
    body: bytes


class Answer(NamedTuple):
    """One answer. `hold`: do not answer before this is set."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    hold: threading.Event | None = None


class Endpoint:
    """`hits` has every request in order; `answers` are used up one by one, the last one for ever."""

    def __init__(self, answers: list[Answer]) -> None:
        self.answers = answers
        self.hits: queue.Queue[Hit] = queue.Queue()
        self.url = ""
        self._lock = threading.Lock()

    def take(self, hit: Hit) -> Answer:
        with self._lock:
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        self.hits.put(hit)
        return answer

    def next(self) -> Hit:
        return self.hits.get(timeout=TIMEOUT_S)


@contextlib.contextmanager
def receiving(*answers: Answer) -> Iterator[Endpoint]:
    endpoint = Endpoint(list(answers) or [Answer()])

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            answer = endpoint.take(Hit(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            if answer.hold is not None:
                answer.hold.wait(TIMEOUT_S)
            with contextlib.suppress(ConnectionError):  # the sender may have given up by now
                self.send_response(answer.status)
                for name, value in answer.headers:
                    self.send_header(name, value)
                self.send_header("content-length", "0")
                self.end_headers()

        do_GET = do_POST

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    endpoint.url = f"http://127.0.0.1:{server.server_address[1]}/hook"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield endpoint
    finally:
        for answer in endpoint.answers:
            if answer.hold is not None:
                answer.hold.set()
        server.shutdown()
        server.server_close()
        thread.join(TIMEOUT_S)
