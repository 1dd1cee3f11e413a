"""`becalm serve`: the service, until it is told to stop."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

from monitor.cli import common
from monitor.cli.failure import Failure

if TYPE_CHECKING:
    from monitor.config import Config
    from monitor.service.serving import OnReady


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", help="address to listen on (default: server.host)")
    parser.add_argument("--port", help="port to listen on, 0 for any free one (default: server.port)")
    parser.add_argument("--db", metavar="FILE", help="database (default: store.database)")
    common.add_config_arguments(parser)


def run(args: argparse.Namespace) -> int:
    return serve(common.load_config(args, overrides(args)))


def overrides(args: argparse.Namespace) -> Iterator[str]:
    """The options that stand for a setting, as `--set` would say them."""
    for value, name in ((args.host, "server.host"), (args.port, "server.port"), (args.db, "store.database")):
        if value is not None:
            yield f"{name}={value}"


def serve(config: Config, on_ready: OnReady | None = None) -> int:
    """Serves until SIGINT or SIGTERM; what keeps it from starting is a Failure with one line."""
    from models.directory import ModelError
    from monitor.service.rows import StoreError
    from monitor.service.serving import CannotListen
    from monitor.service.serving import serve as run_service

    try:
        return run_service(config, on_ready=on_ready)
    except KeyboardInterrupt:
        return 0  # the service has drained and closed by now
    except CannotListen as error:
        raise Failure(str(error)) from None
    except (ModelError, StoreError, OSError, ValueError) as error:
        raise Failure(common.reason(error)) from None
