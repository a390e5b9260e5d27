"""The configuration that holds, as plain data without secrets: what `vega export config` prints."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

import attrs

from vega_trio._core.masking import masked_arguments
from vega_trio._core.redact import SHOWN, is_secret_name, masked_addresses, redactor, secrets_of, shown_url
from vega_trio.app.source import Order, order_of
from vega_trio.cli.config import Setup
from vega_trio.cli.documents import environment
from vega_trio.cli.serving import choose_address, choose_database
from vega_trio.cli.summary import SECONDS, WRITTEN, written_key
from vega_trio.dsl.document import AgentDefinition, Document, McpServerDefinition
from vega_trio.dsl.units import show_duration, show_money

OURS: Final = ("ANTHROPIC_", "BRAVE_", "OPENAI_", "OTEL_", "TELEGRAM_", "VEGA_")
"""How the variables begin that vega reads."""

_NOT_SAID: Final[tuple[object, ...]] = (None, "", (), {})


def effective(source: str | None, setup: Setup) -> dict[str, Any]:
    """Of a document, or of the built-in one. Raises: DocumentError, ConfigError."""
    order = order_of(source, None, (), environment(setup, source, None), setup.home)
    document = order.document
    said = {
        "document": document.file,
        "home": str(setup.home),
        "model": _model(order, setup),
        "addr": _chosen(choose_address(None, setup), "VEGA_ADDR", setup.config.addr, setup),
        "db": _chosen(choose_database(None, setup), "VEGA_DB", setup.config.db, setup),
        "environment": _environment(setup),
        "settings": _settings(document),
        "agents": {name: _agent(each, order) for name, each in document.agents.items()},
        "workflows": list(document.workflows),
        "tools": list(document.tools),
    }
    found: dict[str, Any] = _masked(said, redactor(_secrets(order)))
    return found


def _model(order: Order, setup: Setup) -> dict[str, str]:
    if order.model is not None:
        return {"value": str(order.model), "from": "no key is set"}
    name = str(order.default_model)
    if order.settings.default_model == name and not setup.env.get("VEGA_MODEL"):
        return {"value": name, "from": "document"}
    return _chosen(name, "VEGA_MODEL", setup.config.model, setup)


def _chosen(value: str, variable: str, configured: str | None, setup: Setup) -> dict[str, str]:
    if setup.env.get(variable):
        return {"value": value, "from": f"{variable} of the {_place(variable)}"}
    return {"value": value, "from": "default" if configured is None else "config.yaml"}


def _environment(setup: Setup) -> dict[str, dict[str, str]]:
    """Our variables that are set; of what may be a secret, only that it is."""
    names = sorted(name for name, value in setup.env.items() if name.startswith(OURS) and value)
    return {
        name: {
            "value": SHOWN if is_secret_name(name) or name.endswith("HEADERS") else shown_url(setup.env[name], SHOWN),
            "from": _place(name),
        }
        for name in names
        if name != "VEGA_HOME"
    }


def _place(name: str) -> str:
    return "shell" if os.environ.get(name) else "home's env"


def _settings(document: Document) -> dict[str, Any]:
    """Under the names they are written with, defaults among them."""
    found: dict[str, Any] = {}
    for name, value in _fields(document.settings).items():
        *above, key = WRITTEN.get(name, written_key(name)).split(".")
        at = found
        for each in above:
            at = at.setdefault(each, {})
        at[key] = value
    return found


def _agent(agent: AgentDefinition, order: Order) -> dict[str, Any]:
    model = str(order.model if order.model is not None else agent.model or order.default_model)
    found = {written_key(name): value for name, value in _fields(agent).items() if name != "name"}
    return {"model": model, **{key: value for key, value in found.items() if key != "model"}}


def _fields(value: Any) -> dict[str, Any]:
    """What is said in it, by the names of its fields."""
    pairs = {field.name: getattr(value, field.name) for field in attrs.fields(type(value)) if field.name != "place"}
    return {name: _plain(name, each) for name, each in pairs.items() if each not in _NOT_SAID}


def _plain(name: str, value: Any) -> Any:
    match value:
        case _ if name == "api_key":
            return SHOWN
        case bool() | str():
            return value
        case int() if name.endswith("_microusd"):
            return show_money(value)
        case Decimal():
            return show_money(int(value * 1_000_000))
        case int() | float() if name.endswith("_s") or name in SECONDS:
            return show_duration(value)
        case McpServerDefinition():
            hidden: dict[str, Any] = {key: dict.fromkeys(getattr(value, key), SHOWN) for key in ("env", "headers")}
            hidden["args"] = masked_arguments(value.args)
            hidden["url"] = value.url and shown_url(value.url, SHOWN)
            return {written_key(key): each for key, each in _fields(value).items()} | _said(hidden)
        case Mapping():
            return {key: SHOWN if is_secret_name(key) else _plain("", each) for key, each in value.items()}
        case tuple() | frozenset():
            return [_plain("", each) for each in value]
        case _ if attrs.has(type(value)):
            return {written_key(key): each for key, each in _fields(value).items()}
        case int() | float():
            return value
        case _:
            return str(value)


def _said(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value not in (*_NOT_SAID, [])}


def _secrets(order: Order) -> list[str]:
    """What may stand in any text: the values of variables that are secret, and of the headers and keys said."""
    servers = order.settings.mcp_servers
    values = [each for server in servers for each in (*server.env.values(), *server.headers.values())]
    hidden = [str(value) for name, value in order.settings.values.items() if is_secret_name(name)]
    return [*secrets_of(order.keyed), *values, *hidden]


def _masked(value: Any, hide: Callable[[str], str]) -> Any:
    match value:
        case str():
            return hide(masked_addresses(value))
        case dict():
            return {key: _masked(each, hide) for key, each in value.items()}
        case list():
            return [_masked(each, hide) for each in value]
        case _:
            return value
