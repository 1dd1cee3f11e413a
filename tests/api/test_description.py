"""The API describes itself, wholly."""

from __future__ import annotations

import json
import re
from typing import Any

from monitor.service import rest
from tests.api.service import Service


def references(document: Any) -> set[str]:
    return set(re.findall(r'"\$ref": ?"#/([^"]+)"', json.dumps(document)))


def resolve(document: Any, path: str) -> Any:
    for part in path.split("/"):
        document = document[part]
    return document


def test_openapi_lists_every_route_with_its_roles(service: Service) -> None:
    document = service.http.get("/openapi.json").json()
    listed = {(method.upper(), path) for path, entry in document["paths"].items() for method in entry}
    assert listed == {(route.method, route.path.replace(":path", "")) for route in rest.table()}
    assert document["openapi"].startswith("3.1")
    for route in rest.table():
        operation = document["paths"][route.path.replace(":path", "")][route.method.lower()]
        assert operation["x-roles"] == sorted(route.roles)
        assert bool(operation["security"]) == bool(route.roles)
        assert ("requestBody" in operation) == (route.body is not None)


def test_operations_have_names_of_their_own(service: Service) -> None:
    paths = service.http.get("/openapi.json").json()["paths"]
    names = [operation["operationId"] for entry in paths.values() for operation in entry.values()]
    assert len(names) == len(set(names))


def test_every_reference_leads_somewhere(service: Service) -> None:
    for path in ("/openapi.json", "/asyncapi.json"):
        document = service.http.get(path).json()
        assert references(document)
        for reference in references(document):
            assert resolve(document, reference) is not None


def test_asyncapi_has_both_websockets(service: Service) -> None:
    document = service.http.get("/asyncapi.json").json()
    assert {channel["address"] for channel in document["channels"].values()} == {"/v1/ingest", "/v1/feed"}
    filters = document["channels"]["feed"]["bindings"]["ws"]["query"]["properties"]
    assert set(filters) == {"team", "agent", "call_id", "severity", "since", "ticket"}


def test_asyncapi_has_the_interim_frame_and_errors_name_their_call(service: Service) -> None:
    document = service.http.get("/asyncapi.json").json()
    interim = resolve(document, document["channels"]["feed"]["messages"]["interim"]["payload"]["$ref"][2:])
    assert set(interim["properties"]) == {
        "type", "call_id", "segment_id", "revision", "role", "text", "start_s", "at_s",
    }  # fmt: skip
    assert {"$ref": "#/channels/feed/messages/interim"} in document["operations"]["sendFeed"]["messages"]
    assert "call_id" in document["components"]["schemas"]["Error"]["properties"]


def test_openapi_lists_the_failures_that_routes_answer(service: Service) -> None:
    paths = service.http.get("/openapi.json").json()["paths"]
    acts = paths["/v1/alerts/{alert_id}/ack"]["post"]["responses"]
    assert {"404", "409", "413", "503"} <= set(acts)
    assert {"404", "503"} <= set(paths["/v1/prompts/{prompt_id}/used"]["post"]["responses"])
    replays = paths["/v1/replays"]["post"]
    assert {"404", "413", "503"} <= set(replays["responses"])
    assert replays["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/ReplayBody")
    assert "application/x-ndjson" in replays["requestBody"]["content"]
    ready = paths["/readyz"]["get"]["responses"]
    assert ready["503"] == ready["200"]
    assert "413" not in paths["/v1/calls"]["get"]["responses"]
