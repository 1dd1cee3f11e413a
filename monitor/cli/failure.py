"""The failures that end a command with a line instead of a traceback."""

from __future__ import annotations


class Failure(Exception):
    """The work failed for a reason that the user can read and act on: exit status 1."""


class UsageFailure(Failure):
    """The command was called wrongly: exit status 2."""
