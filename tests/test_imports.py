"""Importing vega_trio is cheap and loads the core only."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import vega_trio

HEAVY = (
    *("anthropic", "mcp", "quart", "hypercorn", "httpx", "httpx2"),
    *("sqlite_utils", "rich", "xllamacpp", "genai_prices"),
)
TOUCH_THE_RUNTIME = "import vega_trio as vega; vega.open_orchestrator; vega.open_app; vega.Agent; vega.tool"


def loaded_by(code: str) -> tuple[set[str], float]:
    """The modules that `code` loads in a fresh interpreter, and its CPU seconds over a bare start."""
    program = (
        "import sys, json, time; before = time.process_time()\n"
        f"{code}\n"
        "print(json.dumps([sorted(sys.modules), time.process_time() - before]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    modules, seconds = json.loads(done.stdout)
    return set(modules), seconds


@pytest.mark.e2e
def test_importing_the_runtime_loads_no_heavy_package() -> None:
    modules, _ = loaded_by(TOUCH_THE_RUNTIME)
    assert modules.isdisjoint(HEAVY)


@pytest.mark.e2e
def test_importing_is_quick() -> None:
    bare, _ = min((loaded_by("import vega_trio") for _ in range(3)), key=lambda each: each[1])
    assert "trio" not in bare
    fastest = min(loaded_by("import vega_trio")[1] for _ in range(3))
    assert fastest <= 0.4
    assert min(loaded_by(TOUCH_THE_RUNTIME)[1] for _ in range(3)) <= 0.8


def test_the_core_is_at_most_twelve_distributions() -> None:
    wanted, seen = ["vega-trio"], set()
    while wanted:
        name = canonicalize_name(wanted.pop())
        if name not in seen:
            seen.add(name)
            needs = [Requirement(line) for line in importlib.metadata.requires(name) or []]
            wanted += [need.name for need in needs if need.marker is None or need.marker.evaluate({"extra": ""})]
    assert len(seen - {"vega-trio"}) <= 12, sorted(seen)


def test_every_public_name_is_there() -> None:
    for name in vega_trio.__all__:
        assert getattr(vega_trio, name) is not None
