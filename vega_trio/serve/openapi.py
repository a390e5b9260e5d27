"""The API's description, made of its routes and the very classes that read bodies and write answers."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import msgspec
from quart import Request, Response

from vega_trio._version import __version__
from vega_trio.serve.desk import Desk, Route, plain_answer
from vega_trio.serve.static import html_answer

REF = "#/components/schemas/{name}"
TEXT: Mapping[str, Any] = {"type": "string"}
TIME: Mapping[str, Any] = {"type": "string", "format": "date-time"}
PROBLEM: Mapping[str, Any] = {
    "type": "object",
    "description": "Why a request was refused (RFC 9457).",
    "required": ["error", "code", "status", "request_id"],
    "properties": {
        "error": {"type": "string"},
        "details": {},
        "code": {"type": "string"},
        "status": {"type": "integer"},
        "hint": {"type": "string"},
        "field": {"type": "string"},
        "diagnostics": {"type": "array", "items": {"type": "object"}},
        "request_id": {"type": "string"},
    },
}
QUERY: Mapping[str, tuple[Mapping[str, Any], str]] = {
    "action": ({"type": "string", "enum": ["kill", "restart"]}, "What is to be judged."),
    "agent": (TEXT, "Only of this agent."),
    "by": ({"type": "string", "enum": ["agent", "model", "process", "day"]}, "What a row is."),
    "cursor": (TEXT, "From the Link header: where the next page begins."),
    "format": ({"type": "string", "enum": ["md", "json"]}, "Of the file."),
    "kind": ({"type": "string", "enum": ["agent", "skill"]}, "Only of this kind."),
    "last_event_id": (TEXT, "As the header Last-Event-ID: what comes after it."),
    "limit": ({"type": "integer", "minimum": 1, "maximum": 500}, "Items on a page."),
    "path": (TEXT, "Relative to the sandbox."),
    "process_id": (TEXT, "Only of this process."),
    "q": (TEXT, "Words to look for."),
    "recursive": ({"type": "boolean"}, "And all that is in it."),
    "session": (TEXT, "A session; without it the newest open one."),
    "since": (TIME, "From then on."),
    "status": (TEXT, "Only those."),
    "subtree": ({"type": "boolean"}, "And all that were spawned below."),
    "topics": (TEXT, "More to hear: stats, chat:SESSION; separated by commas."),
    "type": (TEXT, "Event types, as process.*,turn.failed."),
    "types": (TEXT, "Event types, as process.*,turn.failed."),
    "user": (TEXT, "Of this user; another's is for owners."),
    "until": (TIME, "Before then."),
    "v": ({"type": "string", "enum": ["1", "2"]}, "Version of the chat stream."),
    "workflow": (TEXT, "Only of this workflow."),
}
"""Schema and meaning of every name that a query may have."""

_VARIABLE = re.compile(r"<(?:path:)?(\w+)>")


def described(routes: Sequence[Route]) -> list[Route]:
    """Those that are the API, and not a page."""
    return [route for route in routes if route.path.startswith("/api/") or route.path in ("/healthz", "/readyz")]


def openapi(routes: Sequence[Route]) -> dict[str, Any]:
    """The document, OpenAPI 3.1."""
    shown = described(routes)
    kinds = [kind for route in shown for kind in (route.body, route.answer, route.also) if kind is not None]
    schemas, components = msgspec.json.schema_components(kinds, ref_template=REF)
    for name in components.keys() - _sent(shown):
        _leave_out_null(components[name])
    by_kind = {id(kind): schema for kind, schema in zip(kinds, schemas, strict=True)}
    paths: dict[str, dict[str, Any]] = {}
    for route in shown:
        path = _VARIABLE.sub(r"{\1}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route, by_kind)
    return {
        "openapi": "3.1.0",
        "info": {"title": "vega", "version": __version__, "description": "AI agents as supervised processes."},
        "paths": paths,
        "components": {
            "schemas": {**components, "Problem": dict(PROBLEM)},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"bearer": []}],
    }


def _sent(routes: Sequence[Route]) -> set[str]:
    """The names of the shapes that requests have."""
    bodies = [route.body for route in routes if route.body is not None]
    return set(msgspec.json.schema_components(bodies, ref_template=REF)[1])


def _leave_out_null(schema: dict[str, Any]) -> None:
    """Answers leave a field out while it has its default: one whose default is null is there or not, and never null."""
    for prop in schema.get("properties", {}).values():
        if "anyOf" in prop and prop.get("default", ...) is None:
            [kind] = [each for each in prop.pop("anyOf") if each != {"type": "null"}]
            del prop["default"]
            prop.update(kind)


def _operation(route: Route, schemas: Mapping[int, Any]) -> dict[str, Any]:
    names = [route.method.lower(), *(part for part in re.split(r"[^a-z_]+", route.path.removeprefix("/api")) if part)]
    shown: dict[str, Any] = {"operationId": "_".join(names), "summary": route.summary}
    variables = [
        {"name": name, "in": "path", "required": True, "schema": dict(TEXT)} for name in _VARIABLE.findall(route.path)
    ]
    query = [
        {"name": name, "in": "query", "schema": dict(QUERY[name][0]), "description": QUERY[name][1]}
        for name in route.query
    ]
    if variables or query:
        shown["parameters"] = variables + query
    if route.body is not None:
        content = {"application/json": {"schema": schemas[id(route.body)]}}
        shown["requestBody"] = {"required": True, "content": content}
    shown["responses"] = _responses(route, schemas)
    return shown


def _responses(route: Route, schemas: Mapping[int, Any]) -> dict[str, Any]:
    content: dict[str, Any] = {}
    if route.answer is not None:
        answer = schemas[id(route.answer)]
        whole = answer if route.also is None else {"allOf": [answer, schemas[id(route.also)]]}
        content["application/json"] = {"schema": whole}
    if route.stream:
        content["text/event-stream"] = {"schema": dict(TEXT)}
    done: dict[str, Any] = {"description": "done"}
    if content:
        done["content"] = content
    problem = {"application/problem+json": {"schema": {"$ref": REF.format(name="Problem")}}}
    return {str(route.status): done, "default": {"description": "refused", "content": problem}}


async def document(desk: Desk, request: Request) -> Response:
    """This description"""
    return plain_answer(openapi(desk.routes))


async def page(desk: Desk, request: Request) -> Response:
    """The description for people, without a script."""
    nonce = secrets.token_urlsafe(16)
    return html_answer(_html(openapi(desk.routes), nonce).encode(), nonce)


def _html(described_api: Mapping[str, Any], nonce: str) -> str:
    routes = "".join(
        _route_html(method, path, operation)
        for path, operations in described_api["paths"].items()
        for method, operation in operations.items()
    )
    schemas = "".join(
        f'<details id="{escape(name)}"><summary>{escape(name)}</summary><pre>{_json(schema)}</pre></details>'
        for name, schema in sorted(described_api["components"]["schemas"].items())
    )
    return f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>vega API</title>
<style nonce="{nonce}">
  body {{ font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
    color-scheme: light dark }}
  summary {{ cursor: pointer }} code, pre {{ font: 13px/1.5 ui-monospace, monospace }} pre {{ overflow: auto }}
</style>
<h1>vega API</h1>
<p>As a document: <a href="/api/openapi.json">/api/openapi.json</a>. Chat, events and approvals over one connection:
<code>GET /api/ws</code>. Every POST takes <code>Idempotency-Key</code>.</p>
<h2>Routes</h2>{routes}<h2>Shapes</h2>{schemas}</html>
"""


def _route_html(method: str, path: str, operation: Mapping[str, Any]) -> str:
    shown = {key: operation[key] for key in ("parameters", "requestBody", "responses") if key in operation}
    head = f"<code>{escape(method.upper())} {escape(path)}</code> {escape(operation['summary'])}"
    return f"<details><summary>{head}</summary><pre>{_json(shown)}</pre></details>"


def _json(value: object) -> str:
    return escape(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


ROUTES = (Route("GET", "/api/openapi.json", document, answer=dict[str, Any]), Route("GET", "/docs", page))
