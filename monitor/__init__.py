"""Becalm: track the tension of live conversations, decide, and serve what was decided."""

__version__ = "0.1.0"
