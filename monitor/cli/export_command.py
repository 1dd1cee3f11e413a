"""`becalm export`: one call out of a database or a running service."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from urllib.parse import quote

from monitor.cli import asking, common
from monitor.cli.failure import Failure, UsageFailure

FORMATS = ("jsonl", "json", "csv")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("call_id", metavar="CALL")
    parser.add_argument(
        "--format", choices=FORMATS, default="jsonl", help="jsonl replays exactly (default); json events; csv turns"
    )
    parser.add_argument("--db", metavar="FILE", help="database to read (default: store.database)")
    asking.add_arguments(parser)
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
    from monitor.service.views import instant

    path = args.db or common.load_config(args).store.database
    try:
        store = Store.open(path, read_only=True)
    except StoreError as error:
        raise Failure(str(error)) from None
    try:
        row = store.call(args.call_id)
        if row is None:
            raise Failure(f"there is no call {args.call_id!r} in {path}")
        opened_at = instant(row.opened_at)
        return render(args.format, row.call_id, opened_at, store.records(row.call_id), store.events(row.call_id))
    finally:
        store.close()


def _from_url(args: argparse.Namespace) -> bytes:
    path = f"/v1/calls/{quote(args.call_id, safe='')}/export"
    answer = asking.ask(args, "GET", path, "qa", format=args.format)
    if answer is None:
        raise Failure(f"there is no call {args.call_id!r} at {args.url}")
    return answer.content
