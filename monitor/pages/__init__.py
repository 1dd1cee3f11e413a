"""The pages people look at: supervisor, agent, replay and login. Plain files, no build step."""

from pathlib import Path

PAGES_DIR = Path(__file__).parent
"""Holds `supervisor.html`, `agent.html`, `qa.html`, `login.html`; what they load lies in `static/`, served as such."""
