"""Reads the cases of the Berkeley Function Calling Leaderboard: the functions that are offered, the calls expected.

Its type words are those of several languages; `json_schema` makes JSON Schema of them in the straight way, which what
the product makes is compared with.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import attrs
import peers

PINNED = "bfcl-eval==2026.3.23"
INDEX = "BFCL_v4_format_sensitivity.json"  # ids of cases, no cases

TYPES = {
    "dict": "object",
    "HashMap": "object",
    "tuple": "array",
    "Array": "array",
    "ArrayList": "array",
    "float": "number",
    "double": "number",
    "long": "integer",
    "char": "string",
    "String": "string",
    "Boolean": "boolean",
    "": "any",
}
CLASSES = {
    "GorillaFileSystem": "gorilla_file_system",
    "MathAPI": "math_api",
    "MemoryAPI": "memory_kv",
    "MessageAPI": "message_api",
    "TwitterAPI": "posting_api",
    "TicketAPI": "ticket_api",
    "TradingBot": "trading_bot",
    "TravelAPI": "travel_booking",
    "VehicleControlAPI": "vehicle_control",
    "WebSearchAPI": "web_search",
}
Call = tuple[str, dict[str, Any]]


@attrs.frozen
class Case:
    """`rounds` are the calls of each answer of the model's; a case whose answer is text has none."""

    id: str
    functions: tuple[Mapping[str, Any], ...]
    rounds: tuple[tuple[Call, ...], ...]
    classes: tuple[str, ...] = ()


def package() -> Path:
    """Where the files of the package are; they are fetched at the first use, without what they depend on."""
    place = peers.folder() / PINNED.replace("==", "-")
    if not (place / "bfcl_eval").is_dir():
        options = ("--quiet", "--disable-pip-version-check", "--no-deps", "--target", str(place))
        subprocess.run([sys.executable, "-m", "pip", "install", *options, PINNED], check=True)
    return place


def cases(data: Path) -> Iterator[Case]:
    """All of them, file by file."""
    for path in sorted(data.glob("BFCL_v4_*.json")):
        if path.name == INDEX:
            continue
        truth = data / "possible_answer" / path.name
        answers = {row["id"]: row["ground_truth"] for row in rows(truth)} if truth.exists() else {}
        for row in rows(path):
            yield _case(data, row, answers.get(row["id"], []))


def _case(data: Path, row: Mapping[str, Any], truth: list[Any]) -> Case:
    if "function" in row:
        calls = tuple(_expected(each) for each in truth)
        return Case(row["id"], tuple(row["function"]), (calls,) if calls else ())
    out = set(row.get("excluded_function", ()))
    functions = tuple(
        each for name in row["involved_classes"] for each in documented(data, name) if each["name"] not in out
    )
    order = {each["name"]: tuple(each["parameters"]["properties"]) for each in functions}
    rounds = tuple(tuple(_written(text, order) for text in turn) for turn in truth if isinstance(turn, list) and turn)
    return Case(row["id"], functions, rounds, tuple(row["involved_classes"]))


@cache
def documented(data: Path, name: str) -> tuple[Mapping[str, Any], ...]:
    """The functions of one of the suite's classes."""
    return tuple(rows(data / "multi_turn_func_doc" / f"{CLASSES[name]}.json"))


def rows(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _expected(call: Mapping[str, Mapping[str, list[Any]]]) -> Call:
    """Of each argument the first value that is taken for right; "" says that it may be left out."""
    ((name, given),) = call.items()
    return name, {key: _plain(options[0]) for key, options in given.items() if options[:1] not in ([], [""])}


def _plain(value: Any) -> Any:
    """Inside of objects each value is again a list of those that are right."""
    match value:
        case dict():
            return {
                key: _plain(each[0]) if isinstance(each, list) and each else each
                for key, each in value.items()
                if not (isinstance(each, list) and each and each[0] == "")
            }
        case list():
            return [_plain(each) for each in value]
        case _:
            return value


def _written(text: str, order: Mapping[str, tuple[str, ...]]) -> Call:
    """A call written in Python; arguments without a name have the parameters' order."""
    call = ast.parse(text.strip(), mode="eval").body
    assert isinstance(call, ast.Call)
    assert isinstance(call.func, ast.Name)
    name = call.func.id
    given = dict(zip(order.get(name, ()), map(_literal, call.args), strict=False))
    return name, given | {each.arg: _literal(each.value) for each in call.keywords if each.arg}


def _literal(node: ast.expr) -> Any:
    value = ast.literal_eval(node)
    return list(value) if isinstance(value, tuple) else value


def json_schema(given: Mapping[str, Any]) -> dict[str, Any]:
    """What the suite says of a parameter, or of all, in the words of JSON Schema."""
    kind = TYPES.get(given.get("type", "any"), given.get("type", "any"))
    schema: dict[str, Any] = {} if kind == "any" else {"type": kind}
    schema |= {key: given[key] for key in ("enum", "description") if given.get(key)}
    if given.get("default") is not None:
        schema["default"] = given["default"]
    if "items" in given:
        schema["items"] = json_schema(given["items"])
    if given.get("properties"):
        schema["properties"] = {name: json_schema(each) for name, each in given["properties"].items()}
        schema["required"] = [
            name for name in given.get("required", ()) if "default" not in schema["properties"].get(name, ())
        ]
    return schema
