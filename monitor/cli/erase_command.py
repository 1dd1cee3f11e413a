"""`becalm erase`: a call, or everything of a customer, out of a database or a running service for good."""

from __future__ import annotations

import argparse
import sys
from urllib.parse import quote

from monitor.cli import asking, common
from monitor.cli.failure import Failure, UsageFailure


def add_arguments(parser: argparse.ArgumentParser) -> None:
    whom = parser.add_mutually_exclusive_group(required=True)
    whom.add_argument("--call", action="append", metavar="CALL", help="a call's id; may come again")
    whom.add_argument("--customer", metavar="ID", help="all calls of this customer")
    parser.add_argument("--db", metavar="FILE", help="database (default: store.database); its service must be stopped")
    asking.add_arguments(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask")
    common.add_config_arguments(parser)


def run(args: argparse.Namespace) -> int:
    if args.url and args.db:
        raise UsageFailure("--db and --url: give one of them")
    return _at_service(args) if args.url else _in_database(args)


def _in_database(args: argparse.Namespace) -> int:
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
            raise _nothing(args)
        if not (args.yes or _confirmed(f"{len(found)} calls")):
            return 1
        return _told(store.erase(found), len(calls))
    finally:
        store.close()


def _at_service(args: argparse.Namespace) -> int:
    whom = f"{len(args.call)} calls" if args.call else f"all calls of customer {args.customer}"
    if not (args.yes or _confirmed(whom)):
        return 1
    paths = [f"/v1/calls/{quote(call, safe='')}" for call in args.call or ()]
    paths = paths or [f"/v1/customers/{quote(args.customer, safe='')}"]
    answers = [asking.ask(args, "DELETE", path, "admin") for path in paths]
    gone = sum(len(answer.json()["calls"]) for answer in answers if answer is not None)
    if gone == 0:
        raise _nothing(args)
    return _told(gone, len(args.call) if args.call else gone)


def _nothing(args: argparse.Namespace) -> Failure:
    return Failure("nothing to erase: " + ("no such call" if args.call else "the customer has no call"))


def _told(gone: int, wanted: int) -> int:
    print(f"erased {gone} of {wanted} calls")
    return 0 if gone == wanted else 1


def _confirmed(whom: str) -> bool:
    if not sys.stdin.isatty():
        raise UsageFailure("nobody is there to ask: give --yes")
    if input(f"erase {whom} for good? [y/N] ").strip().lower() in ("y", "yes"):
        return True
    print("nothing was erased")
    return False
