"""Asking a running service over HTTP, with failures that a person can act on."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from monitor.cli.failure import Failure

if TYPE_CHECKING:
    import httpx2

TIMEOUT_S = 60.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--url", help="running service to ask instead of a database")
    parser.add_argument("--token", default=os.environ.get("BECALM_TOKEN"), help="for --url; or set BECALM_TOKEN")


def ask(args: argparse.Namespace, method: str, path: str, role: str, **query: str) -> httpx2.Response | None:
    """The answer of status 200 from `path` at `args.url`; None: 404. `role` is the one that may. Raises Failure."""
    import httpx2

    headers = {"Authorization": f"Bearer {args.token}"} if args.token else {}
    address = args.url.rstrip("/") + path
    try:
        answer = httpx2.request(method, address, params=query, headers=headers, timeout=TIMEOUT_S)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise Failure(f"{args.url}: {error or type(error).__name__}; is `becalm serve` running there?") from None
    if answer.status_code in (401, 403):
        raise Failure(f"{args.url}: not allowed ({answer.status_code}); give a --token of role {role}")
    if answer.status_code not in (200, 404):
        raise Failure(f"{args.url}: answers {answer.status_code}")
    return answer if answer.status_code == 200 else None
