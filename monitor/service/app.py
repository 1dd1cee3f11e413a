"""The service as one ASGI application: the route table, the two websockets, the pages, and the life around them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocket

from models.worker import ScoringWorker
from monitor import __version__
from monitor.config import Config
from monitor.core.rules import Rules
from monitor.pages import PAGES_DIR
from monitor.service import feeds, ingest, problems, rest
from monitor.service.api import Services
from monitor.service.auth import Auth
from monitor.service.delivery import Dispatcher
from monitor.service.edge import Edge
from monitor.service.runtime import Runtime
from monitor.service.slashes import Slashes
from monitor.service.store import Store
from monitor.service.tokens import Role

if TYPE_CHECKING:
    from monitor.service.serving import OnReady

INGEST_ROLES: frozenset[Role] = frozenset({"ingest", "admin"})


def create_app(
    runtime: Runtime,
    config: Config,
    auth: Auth,
    *,
    store: Store,
    worker: ScoringWorker,
    rules: Rules,
    dispatcher: Dispatcher | None = None,
) -> Starlette:
    """The application. Its lifespan starts and stops the runtime and the deliveries; the store stays open."""
    services = Services(runtime, store, worker, rules, auth, config, __version__)

    @asynccontextmanager
    async def life(app: Starlette) -> AsyncIterator[None]:
        try:
            await runtime.start()
            if dispatcher is not None:
                await dispatcher.start()
        except Exception as error:
            app.state.failure = error  # the server only hears that starting failed; this says why
            raise
        try:
            yield
        finally:
            await runtime.stop()
            if dispatcher is not None:
                await dispatcher.stop()

    routes: list[BaseRoute] = [route.endpoint(services) for route in rest.table()]
    routes += [
        WebSocketRoute("/v1/feed", feeds.feed_socket),
        WebSocketRoute("/v1/ingest", _ingest),
        Mount("/static", StaticFiles(directory=PAGES_DIR / "static", check_dir=False)),
    ]
    app = Starlette(
        routes=routes,
        lifespan=life,
        middleware=[Middleware(Edge), Middleware(Slashes)],
        exception_handlers={problems.Problem: problems.on_problem, HTTPException: problems.on_http},
    )
    app.state.services = services
    return app


async def _ingest(socket: WebSocket) -> None:
    """`/v1/ingest`, for programs that may send calls; they may send any."""
    services = feeds.services_of(socket)
    await socket.accept()
    try:
        principal = feeds.admit_socket(services.auth, socket, INGEST_ROLES)
    except problems.Problem as problem:
        await feeds.close(socket, feeds.NOT_ALLOWED, problem.detail)
        return
    code = await feeds.first(
        ingest.serve(socket, services.runtime, lambda message: True),
        feeds.until_revoked(services.auth, principal),
    )
    if code is not None:
        await feeds.close(socket, code)


def serve(config: Config, *, on_ready: OnReady | None = None) -> int:
    """Runs the service; see `monitor.service.serving.serve`."""
    from monitor.service.serving import serve as run

    return run(config, on_ready=on_ready)
