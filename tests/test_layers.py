"""Imports point to lower layers only, and the lowest two stay pure."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "vega_trio"

LAYERS = {
    "_core": 1,
    "dsl": 1,
    "runtime": 2,
    "engine": 3,
    "llm": 3,
    "tools": 3,
    "mcp": 3,
    "skills": 3,
    "store": 3,
    "telemetry": 3,
    "meta": 4,
    "app": 5,
    "serve": 6,
    "telegram": 6,
    "mcp_server": 6,
    "cli": 6,
    "testing": 7,
}
ADAPTERS = {"llm", "tools", "mcp", "skills", "store", "telemetry"}
FRONTS = {"serve", "telegram", "mcp_server", "cli"}
IMPURE = {"trio", "time", "random", "uuid", "secrets", "asyncio", "threading", "socket"}
ENTRY = {"__init__", "__main__"}  # the public face and the command may see everything below them


def modules() -> Iterator[tuple[str, str, Path]]:
    """(part, dotted name, file) of every module; part is the sub-package, or "" for layer 0."""
    for path in sorted(PACKAGE.rglob("*.py")):
        inside = path.relative_to(PACKAGE)
        part = inside.parts[0] if len(inside.parts) > 1 else ""
        yield part, ".".join(("vega_trio", *inside.with_suffix("").parts)), path


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of every import, also in functions and under TYPE_CHECKING."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Import(names=names):
                yield from ((node.lineno, alias.name) for alias in names)
            case ast.ImportFrom(module=module, level=level, names=names):
                assert level == 0, f"{path}:{node.lineno}: relative imports hide the layer"
                yield from ((node.lineno, f"{module}.{alias.name}") for alias in names)


def allowed(part: str, target: str) -> bool:
    """Whether a module of `part` may import from the sub-package `target` ("" is layer 0)."""
    if part == target or target == "":
        return True
    if target == "testing":
        return part == "cli"  # for crashtest
    if part == "testing":
        return LAYERS[target] <= 5
    if part in FRONTS:
        return target == "app" or LAYERS[target] <= 1 or (part == "cli" and target in FRONTS)
    if part in ADAPTERS:
        return LAYERS[target] <= 1
    return part != "" and LAYERS[target] < LAYERS[part]


def test_every_sub_package_has_a_layer() -> None:
    assert {part for part, _, _ in modules()} - {""} <= set(LAYERS)


@pytest.mark.parametrize(("part", "name", "path"), [pytest.param(*each, id=each[1]) for each in modules()])
def test_imports_point_downwards(part: str, name: str, path: Path) -> None:
    if part == "" and path.stem in ENTRY:
        return
    wrong = []
    for line, imported in imports(path):
        words = imported.split(".")
        if words[0] != "vega_trio":
            continue
        target = words[1] if len(words) > 1 and words[1] in LAYERS else ""
        if not allowed(part, target):
            wrong.append(f"{path.name}:{line} imports {imported}")
    assert not wrong, f"{name} (layer {LAYERS.get(part, 0)}) looks up or sideways: {wrong}"


@pytest.mark.parametrize(
    ("name", "path"),
    [pytest.param(name, path, id=name) for part, name, path in modules() if LAYERS.get(part, 0) <= 1],
)
def test_values_and_pure_rules_touch_no_clock_chance_or_loop(name: str, path: Path) -> None:
    if path.stem in ENTRY:
        return
    wrong = [f"{path.name}:{line} {imported}" for line, imported in imports(path) if imported.split(".")[0] in IMPURE]
    assert not wrong, f"{name}: {wrong}"


@pytest.mark.parametrize(
    ("part", "target"),
    [
        ("", "_core"),
        ("_core", "runtime"),
        ("runtime", "engine"),
        ("engine", "llm"),
        ("llm", "tools"),
        ("store", "runtime"),
        ("app", "serve"),
        ("serve", "engine"),
        ("serve", "cli"),
        ("serve", "testing"),
        ("app", "testing"),
    ],
)
def test_the_rule_refuses_upward_and_sideways(part: str, target: str) -> None:
    assert not allowed(part, target)
