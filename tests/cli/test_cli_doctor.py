"""`vega doctor` finds what is amiss and names the fix."""

from __future__ import annotations

import json

import pytest
from cli_shell import ANTHROPIC, DOCUMENT, Call, Done, Program, call, make_calls

pytestmark = pytest.mark.e2e

FREE = {"VEGA_ADDR": ":0"}
MCP = DOCUMENT + "settings: {mcp: {servers: [{name: x, command: no-such-program-here}]}}\n"
COMMANDS = DOCUMENT.replace("    model: demo\n", "    model: demo\n    tools: [run_command]\n")
UNNAMED = DOCUMENT.replace("    model: demo\n", "") + "settings: {default_model: claude-sonnet-4-20250514}\n"
CALLS: dict[str, Call] = {
    "well": call("doctor", **FREE),
    "json": call("doctor", "--json", **FREE),
    "no key": call("doctor", files={"t.vega.yaml": ANTHROPIC}, **FREE),
    "no key for the default": call("doctor", files={"t.vega.yaml": UNNAMED}, **FREE),
    "key": call("doctor", files={"t.vega.yaml": ANTHROPIC}, ANTHROPIC_API_KEY="sk-secret", **FREE),
    "document": call("doctor", files={"t.vega.yaml": "agents: 1\n"}, **FREE),
    "database": call("doctor", files={"t.vega.yaml": DOCUMENT, "my.db": "text"}, VEGA_DB="my.db", **FREE),
    "port": call("doctor", VEGA_ADDR=":nonsense"),
    "mcp": call("doctor", files={"t.vega.yaml": MCP}, **FREE),
    "home": call("doctor", files={"taken": "text"}, VEGA_HOME="taken", **FREE),
    "commands": call("doctor", files={"t.vega.yaml": COMMANDS}, PATH="nowhere", **FREE),
}


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, program: Program) -> dict[str, Done]:
    return make_calls(CALLS, tmp_path_factory.mktemp("calls"), program)


def test_a_sound_setup_is_green(done: dict[str, Done]) -> None:
    built = "ok    bundle" in done["well"].out
    assert done["well"].code == (0 if built else 1)
    found = json.loads(done["json"].out)
    assert [each["check"] for each in found["checks"]] == ["python", "bundle", "document", "key", "database", "port"]
    assert [each["check"] for each in found["checks"] if not each["ok"]] == ([] if built else ["bundle"])
    assert "sk-secret" not in done["key"].out
    assert "ANTHROPIC_API_KEY is set" in done["key"].out


@pytest.mark.parametrize(
    ("name", "check", "fix"),
    [
        ("no key", "key", "vega keys set anthropic"),
        ("no key for the default", "key", "vega keys set anthropic"),
        ("document", "document", "vega validate"),
        ("database", "database", "VEGA_DB"),
        ("port", "port", "--addr"),
        ("mcp", "mcp x", "install"),
        ("home", "home", "VEGA_HOME"),
        ("commands", "commands", "apt install bubblewrap"),
    ],
)
def test_what_is_amiss_is_named_with_its_fix(done: dict[str, Done], name: str, check: str, fix: str) -> None:
    assert done[name].code == 1
    after = done[name].out.split(f"FAIL  {check}: ")[1]
    assert fix in after.split("fix: ")[1].splitlines()[0]
