"""The `becalm` command. Each subcommand is a module that is imported only when it runs."""

from __future__ import annotations

from monitor.cli.main import main

__all__ = ["main"]
