"""`becalm token`: who may do what."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from monitor.cli import common
from monitor.cli.failure import Failure, UsageFailure

ROLES = ("ingest", "agent", "supervisor", "qa", "admin")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    create = actions.add_parser("create", help="make a token; it is printed once and can never be seen again")
    create.add_argument("name", help="whose it is, such as `desk-3` or `anna`")
    create.add_argument("--role", required=True, choices=ROLES)
    create.add_argument("--team", action="append", default=[], help="that a supervisor sees; * for all; may come again")
    create.add_argument("--agent", metavar="ID", help="whose calls the role agent sees")
    actions.add_parser("list", help="names, roles and dates, without the tokens")
    revoke = actions.add_parser("revoke", help="shut a token out, within seconds also in a running service")
    revoke.add_argument("name")
    for action in actions.choices.values():
        action.add_argument("--file", metavar="FILE", help="tokens file (default: auth.tokens_file)")
        common.add_config_arguments(action)


def run(args: argparse.Namespace) -> int:
    from monitor.service import tokens

    name = args.file or common.load_config(args).auth.tokens_file
    if not name:
        raise UsageFailure("no tokens file: give --file FILE, or set auth.tokens_file in --config")
    path = Path(name)
    try:
        if args.action == "create":
            print(tokens.create(path, args.name, args.role, tuple(args.team), args.agent))
            print(f"kept as a hash in {path}; the line above is not shown again", file=sys.stderr)
        elif args.action == "revoke":
            tokens.revoke(path, args.name)
            print(f"revoked {args.name}")
        else:
            for token in tokens.read(path):
                whose = ", ".join(token.teams) or token.agent_id or ""
                print(f"{token.name}\t{token.role}\t{whose}\t{token.created}")
    except tokens.TokenError as error:
        raise Failure(str(error)) from None
    except OSError as error:
        raise Failure(common.reason(error)) from None
    return 0
