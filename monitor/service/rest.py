"""All HTTP routes, in one table: what they take, give, and who may use them."""

from __future__ import annotations

from typing import Any

import msgspec

from monitor.core.events import Event
from monitor.service import feeds, openapi, rest_acts, rest_calls, rest_erase, rest_system, site, views
from monitor.service.api import ADMIN, ANYBODY, LEADERS, PUBLIC, READERS, Route
from monitor.service.handoff import Handoff
from monitor.service.tokens import Role

AGENTS: frozenset[Role] = frozenset({"agent", "admin"})
PEOPLE: frozenset[Role] = frozenset({"agent", "supervisor", "qa", "admin"})
AGENT_PAGE: frozenset[Role] = frozenset({"agent", "supervisor", "admin"})
QA: frozenset[Role] = frozenset({"qa", "admin"})
HTML = ("text/html",)
_CALL = "/v1/calls/{call_id:path}"


class Anything(msgspec.Struct, frozen=True):
    """What the page itself reads from its address; anything goes."""

    next: str = "/"
    error: str = ""


def table() -> list[Route]:
    """In order of matching."""
    alert, prompt = "/v1/alerts/{alert_id}", "/v1/prompts/{prompt_id}"
    note = views.AnnotationView
    return [
        Route("GET", "/v1/calls", "Live and past calls, newest first; an agent's own", PEOPLE, rest_calls.calls,
              query=rest_calls.CallsQuery, answer=views.CallPage),
        Route("GET", f"{_CALL}/events", "The call's events", READERS, rest_calls.events,
              query=rest_calls.EventsQuery, answer=list[Event], media=("application/json", rest_calls.NDJSON)),
        Route("GET", f"{_CALL}/export", "The call as a file", READERS, rest_calls.exported,
              query=rest_calls.ExportQuery, answer=bytes, media=tuple(rest_calls.EXPORT_MEDIA.values())),
        Route("GET", f"{_CALL}/handoff", "What the next person needs to know", PEOPLE, rest_calls.handed_over,
              answer=Handoff),
        Route("POST", f"{_CALL}/notes", "Write down something about the call", PEOPLE, rest_calls.note,
              body=rest_calls.NoteBody, answer=note, status=201),
        Route("POST", f"{_CALL}/annotations", "Say whether a label is right", QA, rest_calls.annotation,
              body=rest_calls.AnnotationBody, answer=note, status=201),
        Route("POST", f"{_CALL}/scorecard", "Rate the handling of the call", QA, rest_calls.scorecard,
              body=rest_calls.ScorecardBody, answer=note, status=201),
        Route("POST", f"{_CALL}/outcome", "Say how the call ended", READERS, rest_calls.outcome,
              body=rest_calls.OutcomeBody, answer=note, status=201),
        Route("GET", _CALL, "One call with its alerts and notes", PEOPLE, rest_calls.call,
              answer=views.CallDetail),
        Route("DELETE", _CALL, "Erase the call for good; a live one ends first", ADMIN, rest_erase.call,
              answer=rest_erase.Erased, also=(503,)),
        Route("DELETE", "/v1/customers/{customer_id:path}", "Erase all calls of a customer for good", ADMIN,
              rest_erase.customer, answer=rest_erase.Erased, also=(503,)),
        Route("GET", "/v1/alerts", "Alerts, newest first", READERS, rest_acts.alerts,
              query=rest_acts.AlertsQuery, answer=views.AlertPage),
        *(
            Route("POST", f"{alert}/{name}", summary, LEADERS, handler, body=body, body_optional=True,
                  answer=views.AlertView, also=(409, 503))
            for name, summary, handler, body in (
                ("ack", "I have seen it", rest_acts.ack, rest_acts.ActBody),
                ("claim", "I am dealing with it", rest_acts.claim, rest_acts.ActBody),
                ("snooze", "Not now, unless it gets worse", rest_acts.snooze, rest_acts.SnoozeBody),
                ("resolve", "It is dealt with", rest_acts.resolve, rest_acts.ActBody),
            )
        ),
        Route("POST", f"{alert}/feedback", "Was the alert right?", READERS, rest_acts.feedback,
              body=rest_acts.FeedbackBody, answer=note, status=201),
        Route("POST", f"{prompt}/used", "The prompt helped", AGENTS, rest_acts.used,
              body=rest_acts.PromptBody, body_optional=True, answer=rest_acts.Done, also=(503,)),
        Route("POST", f"{prompt}/dismissed", "The prompt was put away", AGENTS, rest_acts.dismissed,
              body=rest_acts.PromptBody, body_optional=True, answer=rest_acts.Done, also=(503,)),
        Route("POST", "/v1/replays", "Events of a recorded call: one of ours, or an uploaded one", READERS,
              rest_system.replays, body=bytes, answer=rest_system.Replayed, max_body=rest_system.MAX_UPLOAD,
              body_media=rest_calls.NDJSON, body_json=rest_system.ReplayBody, also=(404, 503)),
        Route("GET", "/v1/stats", "Escalation rate, alerts, time to acknowledge", READERS, rest_system.stats,
              query=rest_system.StatsQuery, answer=views.StatsView),
        Route("GET", "/v1/events", "The live feed as server-sent events", PEOPLE, feeds.event_stream,
              query=feeds.FeedQuery, answer=bytes, media=("text/event-stream",)),
        Route("GET", "/v1/me", "Who is asking", ANYBODY, rest_system.me, answer=rest_system.Me),
        Route("POST", "/v1/ticket", "A single-use pass for a browser's websocket", PEOPLE, rest_system.ticket,
              answer=rest_system.Ticket),
        Route("GET", "/healthz", "Is the process alive?", PUBLIC, rest_system.healthz, answer=dict[str, str]),
        Route("GET", "/readyz", "Can it take calls?", PUBLIC, rest_system.readyz, answer=rest_system.Health,
              same_answer=(503,)),
        Route("GET", "/metrics", "Prometheus metrics", ADMIN, rest_system.metrics, answer=bytes,
              media=("text/plain",)),
        Route("GET", "/openapi.json", "This description", PUBLIC, _openapi, answer=dict[str, Any]),
        Route("GET", "/asyncapi.json", "The websockets' description", PUBLIC, _asyncapi, answer=dict[str, Any]),
        Route("GET", "/", "Everybody's own page", PEOPLE, site.home, answer=bytes, media=HTML, page=True),
        Route("GET", "/supervisor", "Page of the supervisor", READERS, site.supervisor, answer=bytes, media=HTML,
              query=Anything, page=True),
        Route("GET", "/agent/{agent_id:path}", "Page of an agent", AGENT_PAGE, site.agent, answer=bytes, media=HTML,
              query=Anything, page=True),
        Route("GET", "/qa", "Page of quality assurance", READERS, site.qa, answer=bytes, media=HTML, query=Anything,
              page=True),
        Route("GET", "/login", "The way in for browsers", PUBLIC, site.login_page, answer=bytes, media=HTML,
              query=Anything),
        Route("POST", "/login", "A token for a session cookie", PUBLIC, site.login, answer=bytes, media=HTML,
              status=303),
        Route("POST", "/logout", "Ends the session", PUBLIC, site.logout, answer=bytes, media=HTML, status=303),
    ]  # fmt: skip


async def _openapi(ask: Any) -> dict[str, Any]:
    return openapi.openapi(table(), ask.services.version)


async def _asyncapi(ask: Any) -> dict[str, Any]:
    return openapi.asyncapi(ask.services.version)
