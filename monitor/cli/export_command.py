"""`becalm export`: one call out of a database or a running service."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from urllib.parse import quote

from monitor.cli import common
from monitor.cli.failure import Failure, UsageFailure

FORMATS = ("jsonl", "json", "csv")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("call_id", metavar="CALL")
    parser.add_argument(
        "--format", choices=FORMATS, default="jsonl", help="jsonl replays exactly (default); json events; csv turns"
    )
    parser.add_argument("--db", metavar="FILE", help="database to read (default: store.database)")
    parser.add_argument("--url", help="running service to ask instead of a database")
    parser.add_argument("--token", default=os.environ.get("BECALM_TOKEN"), help="for --url; or set BECALM_TOKEN")
    parser.add_argument("--out", metavar="FILE", help="file to write (default: standard output)")
    common.add_config_arguments(parser)


def run(args: argparse.Namespace) -> int:
    if args.url and args.db:
        raise UsageFailure("--db and --url: give one of them")
    body = _from_url(args) if args.url else _from_database(args)
    if args.out is None:
        sys.stdout.buffer.write(body)
        return 0
    try:
        Path(args.out).write_bytes(body)
    except OSError as error:
        raise Failure(common.reason(error)) from None
    return 0


def _from_database(args: argparse.Namespace) -> bytes:
    from monitor.export import render
    from monitor.service.rows import StoreError
    from monitor.service.store import Store

    path = args.db or common.load_config(args).store.database
    try:
        store = Store.open(path, read_only=True)
    except StoreError as error:
        raise Failure(str(error)) from None
    try:
        records = store.records(args.call_id)
        if not records:
            raise Failure(f"there is no call {args.call_id!r} in {path}")
        return render(args.format, args.call_id, records, store.events(args.call_id))
    finally:
        store.close()


def _from_url(args: argparse.Namespace) -> bytes:
    import httpx2

    address = f"{args.url.rstrip('/')}/v1/calls/{quote(args.call_id, safe='')}/export"
    headers = {"Authorization": f"Bearer {args.token}"} if args.token else {}
    try:
        answer = httpx2.get(address, params={"format": args.format}, headers=headers, timeout=60.0)
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        raise Failure(f"{args.url}: {error or type(error).__name__}; is `becalm serve` running there?") from None
    if answer.status_code == 404:
        raise Failure(f"there is no call {args.call_id!r} at {args.url}")
    if answer.status_code in (401, 403):
        raise Failure(f"{args.url}: not allowed ({answer.status_code}); give a --token of role qa")
    if answer.status_code != 200:
        raise Failure(f"{args.url}: answers {answer.status_code}")
    return answer.content
