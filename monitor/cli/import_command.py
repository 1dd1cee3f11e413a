"""`becalm import`: recorded calls into a database, through the same core as live ones."""

from __future__ import annotations

import argparse
import sqlite3

from monitor.cli import common
from monitor.cli.failure import Failure


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help="messages or an export, one a line; - for stdin")
    parser.add_argument("--db", metavar="FILE", help="database (default: store.database); its service must be stopped")
    common.add_config_arguments(parser)


def run(args: argparse.Namespace) -> int:
    from monitor.importing import import_calls
    from monitor.service.rows import StoreError
    from monitor.service.store import Store

    config = common.load_config(args, [] if args.db is None else [f"store.database={args.db}"])
    records = list(common.read_files(args.files))
    if not records:
        raise Failure("no message in " + ", ".join(args.files))
    rules = common.load_rules(config, common.model_version(config))
    try:
        store = Store.open(config.store.database)
    except StoreError as error:
        raise Failure(f"{error} (a running service takes calls with `becalm send`)") from None
    try:
        done = import_calls(records, rules, common.LazyScorer(config), store, config.ingest.region)
    except sqlite3.Error as error:
        raise Failure(f"{config.store.database}: {error}") from None
    finally:
        store.close()
    print(f"{len(done.stored)} calls stored, {len(done.known)} there before")
    return 0
