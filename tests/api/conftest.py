from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api.service import Service, call, running, token

ANGRY = (
    "Hello, my order 4711234 has not arrived.",
    "A: One moment please.",
    "I am furious, give me the manager or my lawyer calls you.",
    "A: I see.",
    "furious again, this is the end.",
)


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """An open service that has seen one angry call of billing and one calm one of sales."""
    with running(tmp_path_factory.mktemp("open")) as running_service:
        fill(running_service)
        yield running_service


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, dict[str, str]]]:
    """The same with tokens: one a role; the supervisor is of billing, the agent is a-1."""
    folder = tmp_path_factory.mktemp("guarded")
    with_tokens = tokens_in(folder)
    with running(folder, with_tokens=True) as running_service:
        fill(running_service, with_tokens["ingest"])
        yield running_service, with_tokens


def tokens_in(folder: Path) -> dict[str, str]:
    return {
        "ingest": token(folder, "stt", "ingest"),
        "agent": token(folder, "anna", "agent", agent_id="a-1"),
        "supervisor": token(folder, "sam", "supervisor", teams=("billing",)),
        "qa": token(folder, "quinn", "qa"),
        "admin": token(folder, "ada", "admin"),
    }


def fill(service: Service, key: str | None = None) -> None:
    service.send(call("angry", ANGRY), key)
    service.send(call("calm", ["Thanks, that was all."], agent="a-2", team="sales"), key)
    service.settle("angry", "calm")
