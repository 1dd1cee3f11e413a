"""The pages people look at: supervisor, agent, QA and login. Plain files, no build step; served by `monitor.service`."""

from pathlib import Path

PAGES_DIR = Path(__file__).parent
"""Holds `supervisor.html`, `agent.html`, `qa.html`, `login.html`; everything they load lies in `static/` (served at `/static/`)."""
