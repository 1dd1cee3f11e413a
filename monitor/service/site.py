"""The pages and the way in: a token given once at /login becomes a session cookie that scripts cannot read."""

from __future__ import annotations

from html import escape
from urllib.parse import parse_qs, quote

from starlette.responses import FileResponse, HTMLResponse, RedirectResponse, Response

from monitor.pages import PAGES_DIR
from monitor.service.api import Ask, read_body
from monitor.service.auth import COOKIE, SESSION_S
from monitor.service.problems import Problem

PAGE_HEADERS = {"cache-control": "no-cache"}

_LOGIN = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Becalm: sign in</title></head>
<body><main><h1>Becalm</h1>%s
<form method="post" action="/login"><input type="hidden" name="next" value="%s">
<p><label>Token<br><input name="token" type="password" autocomplete="current-password" required autofocus></label></p>
<p><button>Sign in</button></p></form>
<p>Your administrator makes tokens with <code>becalm token create</code>.</p></main></body></html>
"""


async def home(ask: Ask) -> Response:
    """Everybody's own page."""
    who = ask.principal
    if who.role == "agent" and who.agent_id is not None:
        return RedirectResponse(f"/agent/{quote(who.agent_id, safe='')}", 303)
    return RedirectResponse("/qa" if who.role == "qa" else "/supervisor", 303)


async def supervisor(ask: Ask) -> Response:
    return _page("supervisor.html")


async def qa(ask: Ask) -> Response:
    return _page("qa.html")


async def agent(ask: Ask) -> Response:
    if ask.principal.role == "agent" and ask.path["agent_id"] != ask.principal.agent_id:
        raise Problem(403, "An agent sees their own page only.")
    return _page("agent.html")


async def login_page(ask: Ask) -> Response:
    if (PAGES_DIR / "login.html").is_file():
        return _page("login.html")
    wrong = "<p role=alert>That token is not known.</p>" if "error" in ask.request.query_params else ""
    following = escape(_local(ask.request.query_params.get("next", "/")), quote=True)
    return HTMLResponse(_LOGIN % (wrong, following), headers={"cache-control": "no-store"})


async def login(ask: Ask) -> Response:
    """Takes the form's `token` and `next`; only a page of ours may send it."""
    if not ask.services.auth.origin_ok(ask.request, required=True):
        raise Problem(403, "Sign in on the page /login.")
    form = parse_qs((await read_body(ask.request, 16_384)).decode("utf-8", "replace"))
    following = _local(form.get("next", ["/"])[0])
    session = ask.services.auth.login(form.get("token", [""])[0])
    if session is None:
        return RedirectResponse(f"/login?error=1&next={quote(following, safe='/')}", 303)
    answer = RedirectResponse(following, 303)
    answer.set_cookie(
        COOKIE,
        session,
        max_age=int(SESSION_S),
        httponly=True,
        samesite="strict",
        secure=ask.request.url.scheme == "https",
    )
    return answer


async def logout(ask: Ask) -> Response:
    ask.services.auth.logout(ask.request.cookies.get(COOKIE, ""))
    answer = RedirectResponse("/login", 303)
    answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return answer


def _page(name: str) -> Response:
    path = PAGES_DIR / name
    if not path.is_file():
        raise Problem(404, f"This installation lacks the page {name}.")
    return FileResponse(path, headers=PAGE_HEADERS, media_type="text/html")


def _local(target: str) -> str:
    """A path on this service; anything that could lead elsewhere becomes the home page."""
    plain = target.startswith("/") and not target.startswith(("//", "/\\")) and target.isprintable()
    return target if plain and "\\" not in target else "/"
