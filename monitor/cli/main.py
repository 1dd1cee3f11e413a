"""Finds the command, imports its module and runs it; turns expected failures into one line and an exit status."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence

from monitor import __version__
from monitor.cli.failure import Failure, UsageFailure

COMMANDS = {
    "demo": "the service with sample calls flowing in; prints the URL of each page",
    "serve": "the service",
    "replay": "recorded calls through the same core, offline: a summary, events or pictures",
    "send": "plays recorded calls into a running service over its websocket",
    "loadtest": "simulated calls against a running service: latency, loss, and how many it carries",
    "score": "emotions, heat and labels of single texts",
    "evaluate": "quality of the classifier on labelled turns, of risk and alerts on labelled calls",
    "tune": "what-if over recorded calls: thresholds against precision, false alerts and lead time",
    "export": "one call out of a database or a running service: jsonl, json or csv",
    "import": "recorded calls into a database",
    "erase": "removes a call, or all calls of a customer, for good",
    "token": "makes, lists and revokes the tokens of people and programs",
    "check-config": "names every mistake in the settings, packs and alerting file",
    "doctor": "is this machine able to run Becalm",
}
"""Every command with the line that `becalm --help` shows; its module is `monitor.cli.<name>_command`."""

INTERRUPTED = 130
"""Exit status after Ctrl-C, as shells count it."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs `becalm`; returns the exit status: 0 done, 1 the work failed, 2 wrong usage."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    chosen = next((word for word in arguments if not word.startswith("-")), None)
    parsed = _parser(chosen).parse_args(arguments)
    try:
        status: int = parsed.run(parsed)
        sys.stdout.flush()
        return status
    except UsageFailure as failure:
        _complain(chosen, failure)
        return 2
    except Failure as failure:
        _complain(chosen, failure)
        return 1
    except BrokenPipeError:
        # The reader of our output has seen enough; what Python flushes at exit must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED


def _parser(chosen: str | None) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="becalm",
        description="Hears when a live conversation heats up, and tells the right person early enough to help.",
        epilog="`becalm COMMAND --help` says more. Exit status: 0 done, 1 the work failed, 2 wrong usage.",
    )
    parser.add_argument("--version", action="version", version=f"becalm {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, line in COMMANDS.items():
        command = commands.add_parser(name, help=line, description=line[0].upper() + line[1:] + ".")
        if name == chosen:
            module = importlib.import_module(f"monitor.cli.{name.replace('-', '_')}_command")
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    return parser


def _complain(command: str | None, failure: Failure) -> None:
    for line in str(failure).splitlines():
        print(f"becalm {command}: {line}", file=sys.stderr)
