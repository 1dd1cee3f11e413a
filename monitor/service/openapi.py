"""The API's description, made from the route table and the message types, so that it cannot drift from them."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

import msgspec

from monitor.core.events import Event
from monitor.service.answers import Answer
from monitor.service.api import NoQuery, Route
from monitor.service.commits import Interim
from monitor.service.feeds import FeedQuery
from monitor.service.problems import ProblemBody
from stream.messages import Message

_REF = "#/components/schemas/{name}"
_ERRORS = {
    "400": "not understood",
    "401": "no token",
    "403": "another role",
    "404": "nothing there",
    "409": "it is not in a state for this",
    "413": "the body is too large",
    "422": "a field is wrong",
    "503": "the service is busy, starting or stopping",
}


def openapi(routes: Iterable[Route], version: str) -> dict[str, Any]:
    """OpenAPI 3.1."""
    routes = list(routes)
    types = [ProblemBody]
    types += [kind for route in routes for kind in (route.body, route.body_json, route.answer) if _described(kind)]
    schemas, components = msgspec.json.schema_components(types, ref_template=_REF)
    known = dict(zip(map(id, types), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(_path(route), {})[route.method.lower()] = _operation(route, known)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Becalm", "version": version, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def asyncapi(version: str) -> dict[str, Any]:
    """AsyncAPI 3.0 of the two websockets."""
    frames = [Message, Answer, Event, Interim]
    (message, answer, event, interim), components = msgspec.json.schema_components(frames, ref_template=_REF)
    _, filters = _struct(FeedQuery)

    def channel(address: str, what: str, **messages: Any) -> dict[str, Any]:
        return {
            "address": address,
            "description": what,
            "messages": {
                name: {"contentType": "application/json", "payload": payload} for name, payload in messages.items()
            },
        }

    def operation(action: str, name: str, *messages: str) -> dict[str, Any]:
        at = f"#/channels/{name}"
        return {
            "action": action,
            "channel": {"$ref": at},
            "messages": [{"$ref": f"{at}/messages/{one}"} for one in messages],
        }

    around = {
        "snapshot": {
            "type": "object",
            "required": ["type", "seq", "calls", "alerts"],
            "properties": {
                "type": {"const": "snapshot"}, "seq": {"type": "integer"}, "resumed": {"type": "boolean"},
                "calls": {"type": "array"}, "alerts": {"type": "array"},
            },
        },
        "dropped": {
            "type": "object",
            "required": ["type", "points"],
            "properties": {"type": {"const": "dropped"}, "points": {"type": "integer"}},
        },
    }  # fmt: skip
    ingest = channel("/v1/ingest", "Messages of calls in, acknowledgements out.", message=message, answer=answer)
    feed = channel(
        "/v1/feed", "A snapshot first, then every event with its `seq`.", event=event, interim=interim, **around
    )
    feed["bindings"] = {"ws": {"query": {"type": "object", "properties": filters}}}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Becalm", "version": version},
        "channels": {"ingest": ingest, "feed": feed},
        "operations": {
            "receiveMessages": operation("receive", "ingest", "message"),
            "answerMessages": operation("send", "ingest", "answer"),
            "sendFeed": operation("send", "feed", "snapshot", "event", "interim", "dropped"),
        },
        "components": {"schemas": components},
    }


def _operation(route: Route, known: dict[int, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": route.summary,
        "operationId": f"{route.method.lower()}_{route.handler.__name__.strip('_')}",
        "parameters": [
            *({"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in _names(route)),
            *_parameters(route),
        ],
        "responses": {
            **{str(status): _response(route, known) for status in (route.status, *route.same_answer)},
            **_problems(route),
        },
        "security": [{"bearer": []}] if route.roles else [],
        "x-roles": sorted(route.roles),
    }
    if route.query is not NoQuery and (text := inspect.getdoc(route.query)):
        operation["description"] = text
    if route.body is not None:
        schema = {"type": "string"} if route.body is bytes else known[id(route.body)]
        content = {route.body_media: {"schema": schema}}
        if route.body_json is not None:
            content["application/json"] = {"schema": known[id(route.body_json)]}
        operation["requestBody"] = {"required": not route.body_optional, "content": content}
    return operation


def _response(route: Route, known: dict[int, Any]) -> dict[str, Any]:
    schema = known[id(route.answer)] if _described(route.answer) else {"type": "string"}
    content = {
        media: {"schema": schema if media == "application/json" else {"type": "string"}} for media in route.media
    }
    return {"description": route.summary, "content": content}


def _problems(route: Route) -> dict[str, Any]:
    body = {"application/problem+json": {"schema": {"$ref": _REF.format(name="ProblemBody")}}}
    wanted = {"422", "400", "413"} if route.body is not None else {"422"}
    wanted |= set(map(str, route.also))
    wanted |= {"401", "403"} if route.roles else set()
    wanted |= {"404"} if _names(route) else set()
    return {code: {"description": _ERRORS[code], "content": body} for code in sorted(wanted)}


def _parameters(route: Route) -> list[dict[str, Any]]:
    required, properties = _struct(route.query)
    return [
        {"name": name, "in": "query", "required": name in required, "schema": schema}
        for name, schema in properties.items()
    ]


def _struct(kind: type[msgspec.Struct]) -> tuple[list[str], dict[str, Any]]:
    schema = next(iter(msgspec.json.schema_components([kind], ref_template=_REF)[1].values()))
    return schema.get("required", []), schema.get("properties", {})


def _described(kind: Any) -> bool:
    return kind is not None and kind is not bytes


def _path(route: Route) -> str:
    return route.path.replace(":path}", "}")


def _names(route: Route) -> list[str]:
    return [part[1:-1] for part in _path(route).split("/") if part.startswith("{")]
