"""`becalm erase`: a call, or everything of a customer, out of the database for good."""

from __future__ import annotations

import argparse
import sys

from monitor.cli import common
from monitor.cli.failure import Failure, UsageFailure


def add_arguments(parser: argparse.ArgumentParser) -> None:
    whom = parser.add_mutually_exclusive_group(required=True)
    whom.add_argument("--call", action="append", metavar="CALL", help="a call's id; may come again")
    whom.add_argument("--customer", metavar="ID", help="all calls of this customer")
    parser.add_argument("--db", metavar="FILE", help="database (default: store.database); its service must be stopped")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    common.add_config_arguments(parser)


def run(args: argparse.Namespace) -> int:
    from monitor.service.rows import StoreError
    from monitor.service.store import Store

    path = args.db or common.load_config(args).store.database
    try:
        Store.open(path, read_only=True).close()  # never make a database only to erase from it
        store = Store.open(path)
    except StoreError as error:
        raise Failure(str(error)) from None
    try:
        calls = args.call or store.calls_of_customer(args.customer)
        found = [call_id for call_id in calls if store.call(call_id) is not None]
        if not found:
            raise Failure("nothing to erase: " + ("no such call" if args.call else "the customer has no call"))
        if not (args.yes or _confirmed(found)):
            print("nothing was erased")
            return 1
        print(f"erased {store.erase(found)} of {len(calls)} calls")
        return 0 if len(found) == len(calls) else 1
    finally:
        store.close()


def _confirmed(calls: list[str]) -> bool:
    if not sys.stdin.isatty():
        raise UsageFailure("nobody is there to ask: give --yes")
    return input(f"erase {len(calls)} calls for good? [y/N] ").strip().lower() in ("y", "yes")
