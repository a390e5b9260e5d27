"""The API's description: true, whole, and readable offline."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import trio

from vega_trio import events
from vega_trio.serve.assets import Bundle
from vega_trio.serve.openapi import QUERY, described, openapi
from vega_trio.serve.web import all_routes

REFERENCE = Path(__file__).parents[2] / "docs" / "http-api.md"
ROUTES = all_routes(Bundle({}, None))


@pytest.mark.parametrize("route", described(ROUTES), ids=lambda route: f"{route.method} {route.path}")
def test_every_route_of_the_api_is_described(route: Any) -> None:
    assert route.summary
    assert set(route.query) <= QUERY.keys()
    changes = route.method in ("PUT", "PATCH")
    assert route.body is not None or not changes
    assert route.answer is not None or route.stream or route.path.endswith(("/export", "/template", "/<attachment_id>"))
    shown = re.sub(r"<(?:path:)?(\w+)>", r"{\1}", route.path)
    assert f"`{route.method} {shown}`" in REFERENCE.read_text(), "docs/http-api.md has every route"


def test_every_type_of_event_is_in_the_reference() -> None:
    text = REFERENCE.read_text()
    kinds = [getattr(events, name) for name in dir(events)]
    types = {kind.TYPE for kind in kinds if isinstance(kind, type) and issubclass(kind, events.Event) and kind.DURABLE}
    assert [each for each in sorted(types - {""}) if f"`{each}`" not in text] == []


def test_no_operation_has_the_name_of_another() -> None:
    operations = [each["operationId"] for path in openapi(ROUTES)["paths"].values() for each in path.values()]
    assert len(operations) == len(set(operations))


def test_an_answer_is_described_without_nulls_that_are_never_sent_and_with_all_that_it_holds() -> None:
    document = openapi(ROUTES)
    shapes = document["components"]["schemas"]
    assert shapes["ProcessEntry"]["properties"]["completed_at"] == {"type": "string"}
    assert {"type": "null"} in shapes["ChatRequest"]["properties"]["session"]["anyOf"]
    answer = document["paths"]["/api/processes/{process_id}"]["get"]["responses"]["200"]["content"]["application/json"]
    assert [each["$ref"].rpartition("/")[2] for each in answer["schema"]["allOf"]] == ["ProcessEntry", "ProcessInside"]


@pytest.mark.e2e
async def test_answers_are_as_described(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(["hi", "draft", "verdict"]) as served:
            await served.chat("x")
            await served.http.post("/api/workflows/review/run", json={"inputs": {"task": "x"}, "wait": 10})
            document = (await served.http.get("/api/openapi.json")).json()
            [process] = (await served.http.get("/api/processes?agent=assistant&limit=1")).json()
            session = (await served.http.get("/api/sessions")).json()[0]["id"]
            checked = 0
            for path, operations in document["paths"].items():
                known = {"name": "assistant", "process_id": process["id"], "session_id": session}
                schema = operations.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
                names = re.findall(r"{(\w+)}", path)
                if "application/json" not in schema or not set(names) <= known.keys():
                    continue
                answer = await served.http.get(path.format(**known), params={"action": "kill", "v": "2"})
                if answer.status_code != 200 or "event-stream" in answer.headers["content-type"]:
                    continue
                whole = {"components": document["components"], **schema["application/json"]["schema"]}
                jsonschema_rs.validate(whole, answer.json())
                checked += 1
    assert document["openapi"].startswith("3.1")
    assert checked >= 20


@pytest.mark.e2e
async def test_the_page_shows_every_route_without_a_script(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            page = await served.http.get("/docs")
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert "<script" not in page.text
    assert "POST /api/agents/{name}/chat/stream" in page.text
    assert "http://" not in page.text.replace("https://", "")


@pytest.mark.e2e
async def test_memory_is_empty_until_something_is_remembered_and_can_be_forgotten(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            shown = await served.http.get("/api/agents/assistant/memory?user=7")
            gone = await served.http.delete("/api/agents/assistant/memory?user=7")
            unknown = await served.http.get("/api/agents/nosuch/memory")
    assert shown.json() == {"user_id": "7", "agent": "assistant", "layers": []}
    assert gone.json() == {"status": "deleted"}
    assert unknown.status_code == 404
