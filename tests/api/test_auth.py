"""Tokens, sessions, tickets and origins."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed

from monitor.service import feeds, tokens
from monitor.service.auth import COOKIE, Auth, Principal
from monitor.service.tokens import TokenError
from tests.api.conftest import tokens_in
from tests.api.service import TIMEOUT_S, Service, frames_of, running, token

Guarded = tuple[Service, dict[str, str]]


def test_the_file_has_hashes_and_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    secret = token(tmp_path, "ada", "admin")
    text = (tmp_path / "tokens").read_text()
    assert secret not in text
    assert tokens.digest(secret) in text
    assert stat.S_IMODE(os.stat(tmp_path / "tokens").st_mode) == 0o600


@pytest.mark.parametrize(
    ("role", "more", "why"),
    [
        ("agent", {}, "agent's id"),
        ("supervisor", {}, "teams"),
        ("qa", {"teams": ("billing",)}, "only go with"),
        ("admin", {"agent_id": "a-1"}, "only goes with"),
        ("king", {}, "king"),
    ],
)
def test_a_token_that_makes_no_sense_is_refused(
    tmp_path: Path, role: tokens.Role, more: dict[str, object], why: str
) -> None:
    with pytest.raises(TokenError, match=why):
        token(tmp_path, "x", role, **more)
    assert not (tmp_path / "tokens").exists()


def test_names_are_unique_and_revoking_needs_a_known_one(tmp_path: Path) -> None:
    token(tmp_path, "ada", "admin")
    with pytest.raises(TokenError, match="already"):
        token(tmp_path, "ada", "qa")
    with pytest.raises(TokenError, match="there are: ada"):
        tokens.revoke(tmp_path / "tokens", "bob")
    tokens.revoke(tmp_path / "tokens", "ada")
    assert tokens.read(tmp_path / "tokens") == []


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    token(tmp_path, "ada", "admin")
    with (tmp_path / "tokens").open("a") as file:
        file.write('{"name": "bob"}\n')
    with pytest.raises(TokenError, match="line 2"):
        tokens.read(tmp_path / "tokens")


def test_without_tokens_only_loopback_is_open(tmp_path: Path) -> None:
    for host in ("127.0.0.1", "::1", "localhost", "127.0.0.9"):
        assert Auth(None, host).open
    for host in ("0.0.0.0", "::", "192.168.1.5", "becalm.example.com", ""):
        with pytest.raises(TokenError, match="needs tokens"):
            Auth(None, host)
    (tmp_path / "tokens").touch()
    assert not Auth(tmp_path / "tokens", "127.0.0.1").open
    with pytest.raises(TokenError, match="no such file"):
        Auth(tmp_path / "missing", "127.0.0.1")


def test_tokens_are_made_and_revoked_while_the_service_runs(tmp_path: Path) -> None:
    token(tmp_path, "ada", "admin")
    with running(tmp_path, with_tokens=True) as service:
        late = token(tmp_path, "late", "qa")
        assert service.as_(late).get("/v1/me").json()["role"] == "qa"
        tokens.revoke(tmp_path / "tokens", "late")
        assert service.as_(late).get("/v1/me").status_code == 401
        (tmp_path / "tokens").write_text("nonsense\n")  # a slip of the editor does not open or shut anything
        assert service.as_(late).get("/v1/me").status_code == 401
        (tmp_path / "tokens").unlink()
        assert service.as_(late).get("/v1/me").status_code == 401


def test_a_revoked_token_ends_its_feed_with_1008(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feeds, "PING_S", 0.05)
    keys = tokens_in(tmp_path)
    with running(tmp_path, with_tokens=True) as service, service.socket("/v1/feed", keys["qa"]) as feed:
        next(frames_of(feed))
        tokens.revoke(tmp_path / "tokens", "quinn")
        with pytest.raises(ConnectionClosed) as closed:
            feed.recv(TIMEOUT_S)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008


def test_grants_run_out_and_fall_with_their_token(tmp_path: Path) -> None:
    now = [0.0]
    key = token(tmp_path, "ada", "admin")
    auth = Auth(tmp_path / "tokens", "0.0.0.0", clock=lambda: now[0])
    session = auth.login(key)
    assert session is not None
    assert auth.login("bcm_wrong") is None
    assert who(auth, cookie=session) is not None
    now[0] += 12 * 3600 + 1
    assert who(auth, cookie=session) is None
    session = auth.login(key)
    ticket = auth.ticket(Principal("ada", "admin", proof=tokens.digest(key)))
    assert who(auth, ticket=ticket) is not None
    assert who(auth, ticket=ticket) is None  # once
    tokens.revoke(tmp_path / "tokens", "ada")
    assert who(auth, cookie=session) is None


def who(auth: Auth, cookie: str | None = None, ticket: str | None = None) -> Principal | None:
    from starlette.requests import HTTPConnection

    headers = [] if cookie is None else [(b"cookie", f"{COOKIE}={cookie}".encode())]
    query = b"" if ticket is None else b"ticket=" + ticket.encode()
    scope = {"type": "http", "headers": headers, "query_string": query, "path": "/"}
    return auth.identify(HTTPConnection(scope), ticket=True)


def test_a_browser_logs_in_works_and_logs_out(guarded: Guarded) -> None:
    service, keys = guarded
    browser = service.as_(None)
    away = browser.get("/supervisor")
    assert (away.status_code, away.headers["location"]) == (303, "/login?next=/supervisor")
    own = {"origin": service.url}
    form = {"token": keys["supervisor"], "next": "/supervisor"}
    answer = browser.post("/login", data=form, headers=own)
    assert (answer.status_code, answer.headers["location"]) == (303, "/supervisor")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert keys["supervisor"] not in cookie
    assert browser.get("/v1/me").json()["name"] == "sam"
    ticket = browser.post("/v1/ticket", headers=own).json()["ticket"]
    with service.socket(f"/v1/feed?ticket={ticket}", Origin=service.url) as feed:
        assert next(frames_of(feed))["type"] == "snapshot"
    assert browser.post("/v1/ticket", headers={"origin": "https://evil.example"}).status_code == 403
    assert browser.post("/v1/ticket").status_code == 403  # a browser's POST always says where it comes from
    browser.post("/logout", headers=own)
    assert browser.get("/v1/me").status_code == 401
    browser.cookies.clear()


def test_a_wrong_token_leads_back_to_the_login_page(guarded: Guarded) -> None:
    service, _ = guarded
    answer = service.as_(None).post("/login", data={"token": "x", "next": "/qa"}, headers={"origin": service.url})
    assert answer.headers["location"] == "/login?error=1&next=/qa"
    assert "set-cookie" not in answer.headers
    assert service.as_(None).get("/login?error=1").status_code == 200


@pytest.mark.parametrize("target", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_login_leads_only_to_pages_of_ours(guarded: Guarded, target: str) -> None:
    service, keys = guarded
    form = {"token": keys["admin"], "next": target}
    answer = service.as_(None).post("/login", data=form, headers={"origin": service.url})
    assert answer.headers["location"] == "/"
    service.as_(None).cookies.clear()


@pytest.mark.parametrize("origin", ["https://evil.example", "null"])
def test_a_foreign_page_gets_nowhere_even_on_an_open_service(service: Service, origin: str) -> None:
    assert service.http.post("/v1/ticket", headers={"origin": origin}).status_code == 403
    assert service.http.post("/login", headers={"origin": origin}).status_code == 403
    for path in ("/v1/feed", "/v1/ingest"):
        with service.socket(path, Origin=origin) as socket, pytest.raises(ConnectionClosed) as closed:
            socket.recv(TIMEOUT_S)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008


def test_an_open_service_does_not_answer_to_a_foreign_name(service: Service) -> None:
    assert service.http.get("/v1/calls", headers={"host": "evil.example"}).status_code == 403
    assert service.http.get("/v1/calls", headers={"host": "localhost:1"}).status_code == 200


def test_pages_of_allowed_origins_may_connect(tmp_path: Path) -> None:
    desk = "https://desk.example.com"
    with running(tmp_path, origins=(desk,)) as service, service.socket("/v1/feed", Origin=desk) as feed:
        assert next(frames_of(feed))["type"] == "snapshot"


def test_everybody_is_led_to_their_own_page(guarded: Guarded) -> None:
    service, keys = guarded
    led = {
        role: service.as_(keys[role]).get("/").headers["location"] for role in ("agent", "supervisor", "qa", "admin")
    }
    assert led == {"agent": "/agent/a-1", "supervisor": "/supervisor", "qa": "/qa", "admin": "/supervisor"}
