"""From a configuration to a listening service, and down again in order."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import threading
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from alerts.outbox import Outbox
from alerts.settings import load as load_alerting
from models.ear import version
from models.process import EarProcess
from models.worker import ScoringWorker
from monitor import __version__
from monitor.config import Config
from monitor.rules_loading import load_rules
from monitor.service import app, logs
from monitor.service.auth import Auth
from monitor.service.deliveries import Deliveries
from monitor.service.delivery import Dispatcher, page_url
from monitor.service.limits import FRAME_BYTES
from monitor.service.metrics import Metrics
from monitor.service.runtime import Runtime
from monitor.service.scoring import Measured
from monitor.service.store import Store

OnReady = Callable[[str, Runtime], Awaitable[None]]

STALLED_MS = 60_000
"""After so long without taking a byte the system cuts a client off."""


class CannotListen(OSError):
    """The address cannot be listened on; the message says why and what to do."""


def serve(config: Config, *, on_ready: OnReady | None = None) -> int:
    """Runs the service until it is told to stop (SIGINT, SIGTERM); returns the exit status.

    Prints one line with the URL once calls can come in; `on_ready(url, runtime)` then runs beside the service and is
    cancelled when it ends. Raises what is wrong before that: TokenError, SettingsError, PackError, TextError,
    RiskError (all ValueErrors), ModelError, StoreError and CannotListen.
    """
    logs.set_up()
    file = Path(config.auth.tokens_file) if config.auth.tokens_file else None
    auth = Auth(file, config.server.host, config.server.allowed_origins)
    listener = listen(config.server.host, config.server.port)
    url = f"http://{_shown(config.server.host)}:{listener.getsockname()[1]}"
    with listener, asyncio.Runner(loop_factory=_loop()) as runner:
        return runner.run(_serve(config, auth, listener, url, on_ready))


async def _serve(config: Config, auth: Auth, listener: socket.socket, url: str, on_ready: OnReady | None) -> int:
    alerting = load_alerting(config.alerting_file)
    model = config.model
    known = version(config.model_dir, config.label_map)
    with contextlib.closing(EarProcess(config.model_dir, config.label_map, model.threads, model.precision)) as ear:
        rules = load_rules(config, known)  # beside the classifier, which takes longest to load
        threading.Thread(target=rules.packs.warm_up, name="packs", daemon=True).start()
        ear.ready()
        metrics = Metrics()
        worker = ScoringWorker(Measured(ear, metrics))
        store = Store.open(config.store.database)
        try:
            runtime = Runtime(config, rules, worker, store, metrics)
            runtime.metrics.build(__version__, rules.versions)
            deliveries = Deliveries(store)
            outbox = Outbox(alerting.receiver, alerting.silence, deliveries, _counter(runtime))
            dispatcher = Dispatcher(store, runtime.hub, outbox, page_url(alerting.public_url or url))
            asgi = app.create_app(runtime, config, auth, store=store, worker=worker, rules=rules, dispatcher=dispatcher)
            try:
                return await run(asgi, runtime, config, listener, url, _announce(auth, on_ready))
            finally:
                await asyncio.to_thread(deliveries.close)
        finally:
            await asyncio.to_thread(store.close)


async def run(
    asgi: Starlette, runtime: Runtime, config: Config, listener: socket.socket, url: str, on_ready: OnReady
) -> int:
    """Serves on a bound socket until told to stop; 0. Raises what kept the application from starting."""
    server = Server(settings(asgi, config), runtime)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    ready = asyncio.create_task(server.ready.wait())
    await asyncio.wait({serving, ready}, return_when=asyncio.FIRST_COMPLETED)
    ready.cancel()
    beside = asyncio.ensure_future(on_ready(url, runtime)) if server.ready.is_set() else None
    try:
        if beside is not None:
            await asyncio.wait({serving, beside}, return_when=asyncio.FIRST_COMPLETED)
            if beside.done() and not serving.done():
                server.should_exit = server.should_exit or beside.exception() is not None
        await serving
    finally:
        if beside is not None:
            beside.cancel()
            results = await asyncio.gather(beside, return_exceptions=True)
    failed = [result for result in results if isinstance(result, Exception)] if beside is not None else []
    if failed:
        raise failed[0]
    if not server.ready.is_set():
        raise asgi.state.failure
    return 0


class Server(uvicorn.Server):
    """Tells when it listens, and lets go of feeds and senders before it waits for connections to end."""

    def __init__(self, config: uvicorn.Config, runtime: Runtime) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()
        self._runtime = runtime

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        except SystemExit:  # uvicorn's way to say that the application could not start; it has logged why
            self.should_exit = True
        if self.started:
            self.ready.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """SIGINT and SIGTERM end the service in order, a second SIGINT at once; the process then goes on by itself."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()
        for name in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(name, self.handle_exit, name, None)
        try:
            yield
        finally:
            for name in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(name)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._runtime.stopping.set()
        self._runtime.hub.close()
        await super().shutdown(sockets)


def settings(asgi: Starlette, config: Config) -> uvicorn.Config:
    return uvicorn.Config(
        asgi,
        http="h11",
        ws="websockets-sansio",
        ws_max_size=FRAME_BYTES,
        ws_per_message_deflate=False,
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="on",
        timeout_graceful_shutdown=max(1, round(config.server.drain_s)),
    )


def listen(host: str, port: int) -> socket.socket:
    """A bound, listening socket; port 0 takes any free one. Raises CannotListen."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux; accepted connections inherit it
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, STALLED_MS)
        listener.bind((host.strip("[]"), port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        mend = "stop what uses the port or choose another --port" if port else "choose another --host"
        raise CannotListen(f"cannot listen on {host}:{port} ({error.strerror or error}): {mend}") from None
    listener.setblocking(False)
    return listener


def _announce(auth: Auth, then: OnReady | None) -> OnReady:
    async def announce(url: str, runtime: Runtime) -> None:
        openness = " (open to everybody on this machine: no tokens are set)" if auth.open else ""
        print(f"becalm ready at {url}/{openness}", flush=True)
        if then is not None:
            await then(url, runtime)
        else:
            await asyncio.Event().wait()

    return announce


def _counter(runtime: Runtime) -> Callable[[str, str], None]:
    return lambda receiver, outcome: runtime.metrics.notifications.labels("webhook", outcome).inc()


def _shown(host: str) -> str:
    if host in ("0.0.0.0", "::", ""):
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if os.name == "nt":
        return None
    import uvloop

    return uvloop.new_event_loop
