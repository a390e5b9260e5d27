"""The functions and calls of the Berkeley Function Calling Leaderboard through our schemas, parsers and tools.

    conversion   every function as a YAML tool: its JSON Schema says what the suite says, at every depth
    parsing      every expected call as a model streams it, by both wire formats, cut into fragments of 61 bytes
    replay       the calls as turns of agents with those tools: what fits the schema arrives as it was expected, with
                 defaults; what does not is refused, as an independent validator refuses it
    methods      the suite's Python classes as tools: their schemas against its documents, their answers against a
                 plain call of the same method

No call of the suite is a model's: what is tested is what lies between a model and a tool. `make conform` runs it.
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import trio

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "mcp")]
import bfcl_cases as suite  # noqa: E402
from jsonschema_rs import validator_for  # noqa: E402

import vega_trio as vega  # noqa: E402
from vega_trio._core.capping import cap  # noqa: E402
from vega_trio.context import ToolContext  # noqa: E402
from vega_trio.dsl.parse import parse_document  # noqa: E402
from vega_trio.errors import DocumentError, ToolError  # noqa: E402
from vega_trio.llm.resolve import Models  # noqa: E402
from vega_trio.protocols import Tool, ToolSpec  # noqa: E402
from vega_trio.testing import FakeMessagesServer, FakeReply  # noqa: E402
from vega_trio.testing.fake_messages import FakeRequest  # noqa: E402
from vega_trio.tools.defined import defined_tool  # noqa: E402
from vega_trio.tools.output import as_text  # noqa: E402
from vega_trio.tools.toolbox import as_tool  # noqa: E402

CASES = 4_696  # a count of lines, 4,706, has the ten lines of an index of ids too
FUNCTIONS = 3_403  # different ones, of 33,379 that the cases offer
BAD_DEFAULTS = 27  # functions with a default that is not of the parameter's own type
BATCH = 100
MODELS = ("anthropic:claude-sonnet-5-5", "openai:gpt-5")
METHODS = ("GorillaFileSystem", "MessageAPI", "TwitterAPI", "TicketAPI", "TradingBot", "TravelAPI", "VehicleControlAPI")

Schema = Mapping[str, Any]


@attrs.define
class Tally:
    """What was done, and what was not as it should be."""

    wrong: list[str] = attrs.field(factory=list)
    bad_defaults: int = 0
    calls: int = 0
    taken: int = 0
    refused: int = 0
    methods: int = 0
    answers: int = 0

    def check(self, fits: bool, *said: object) -> None:
        if not fits:
            self.wrong.append(" ".join(map(str, said))[:300])


# -- conversion


@attrs.frozen
class OneFile:
    """A document without a file."""

    data: bytes

    def read(self, path: str) -> bytes:
        return self.data

    def list(self, path: str) -> list[str]:
        return []

    def is_file(self, path: str) -> bool:
        return path == "x.vega.yaml"

    def is_dir(self, path: str) -> bool:
        return False


@attrs.define
class Recorder:
    """A tool that keeps what it was called with, by the call's id."""

    received: dict[str, Mapping[str, Any]] = attrs.field(factory=dict)
    spec: ToolSpec = attrs.field(default=ToolSpec(name="record", description="", parameters={"type": "object"}))

    async def call(self, arguments: Mapping[str, Any], context: ToolContext) -> str:
        self.received[context.tool_call_id] = arguments
        return "recorded"


def key_of(function: Schema) -> str:
    return json.dumps(function, sort_keys=True)


def convert(functions: list[Schema], recorder: Recorder, tally: Tally) -> dict[str, Tool]:
    """Every function as a tool of a document, by its key."""
    found: dict[str, Tool] = {}
    for start in range(0, len(functions), BATCH):
        named = {f"f{start + at}": each for at, each in enumerate(functions[start : start + BATCH])}
        tools = {name: _definition(each) for name, each in named.items()}
        parsed = _parsed(tools, tally)
        for name, each in named.items():
            made = defined_tool(parsed[name], sandbox=Path("."), tools={"record": recorder})
            found[key_of(each)] = made
            ours, theirs = made.spec.parameters, suite.json_schema(each["parameters"])
            tally.check(_same(ours, theirs), each["name"], "is not the same schema:", ours)
    return found


def _definition(function: Schema) -> dict[str, Any]:
    implementation = {"type": "builtin", "function": "record"}
    return {
        "description": function["description"],
        "params": _params(function["parameters"]),
        "implementation": implementation,
    }


def _params(schema: Schema) -> dict[str, Any]:
    needed = schema.get("required", ())
    return {
        name: _param(each) | ({"required": True} if name in needed else {})
        for name, each in schema["properties"].items()
    }


def _param(given: Schema) -> dict[str, Any]:
    kind = given.get("type", "any")
    made = {"type": suite.TYPES.get(kind, kind)}
    made |= {key: given[key] for key in ("description", "default", "enum") if given.get(key) is not None}
    if "items" in given:
        made["items"] = _param(given["items"])
    if given.get("properties"):
        made["properties"] = _params(given)
    return made


def _parsed(tools: dict[str, Any], tally: Tally) -> Mapping[str, Any]:
    """The definitions. A default of the wrong type is refused with its place; then it is taken away."""
    whole = {"agents": {"a": {"system": "x", "model": "demo"}}, "tools": tools}
    try:
        file = OneFile(json.dumps(whole).encode())
        return parse_document("x.vega.yaml", file, env={}, tools=["record"]).document.tools
    except DocumentError as error:
        refused = error.diagnostics
    for each in refused:
        tally.check(each.code == "V022" and each.path.endswith(".default"), each.message)
        _, name, *steps, _ = each.path.split(".")
        at: Any = tools[name]
        for step in steps:
            at = at[step]
        del at["default"]
    tally.bad_defaults += len({each.path.split(".")[1] for each in refused})
    return _parsed(tools, tally)


def _same(ours: Schema, theirs: Schema) -> bool:
    """Whether two schemas say the same; a default that is text may have become the number that it spells."""
    keys = ("type", "description", "enum")
    if any(ours.get(key) != theirs.get(key) for key in keys) and set(theirs) != {"type", "properties", "required"}:
        return False
    if set(ours.get("required", ())) != set(theirs.get("required", ())):
        return False
    if "default" in ours and ours["default"] != theirs.get("default") and not isinstance(theirs.get("default"), str):
        return False
    mine, others = ours.get("properties", {}), theirs.get("properties", {})
    if set(mine) != set(others) or not all(_same(mine[name], others[name]) for name in mine):
        return False
    return ("items" in ours) == ("items" in theirs) and ("items" not in ours or _same(ours["items"], theirs["items"]))


# -- parsing and replay


def scripted(turns: Mapping[str, list[list[vega.ToolCall]]]) -> Any:
    """A model that makes the calls of the case that its prompt names, round after round."""

    def answer(request: FakeRequest) -> FakeReply:
        said = request.body["messages"]
        system = request.body.get("system") or said[0]["content"]
        rounds = turns[system if isinstance(system, str) else system[0]["text"]]
        at = sum(each["role"] == "assistant" for each in said)
        return FakeReply(rounds[at] if at < len(rounds) else "done", fragment_bytes=61)

    return answer


async def replay(cases: list[suite.Case], tools: Mapping[str, Tool], recorder: Recorder, tally: Tally) -> None:
    expected: dict[str, tuple[Tool, dict[str, Any]]] = {}
    turns = {case.id: list(_rounds(case, tools, expected)) for case in cases if case.rounds}
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(FakeMessagesServer(scripted(turns)))
        env = {"ANTHROPIC_API_KEY": "k", "ANTHROPIC_BASE_URL": server.base_url}
        env |= {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": f"{server.base_url}/v1"}
        models = await stack.enter_async_context(Models(env=env))
        orchs = [await stack.enter_async_context(vega.open_orchestrator(model=models.get(name))) for name in MODELS]
        for at, case in enumerate(case for case in cases if case.rounds):
            offered = {key_of(each): tools[key_of(each)] for each in case.functions}
            agent = vega.Agent(name="a", system=case.id, tools=list(offered.values()))
            async with orchs[at % 2].spawn(agent) as process:
                await process.send("go")
            server.requests.clear()
    for id_, (tool, wanted) in expected.items():
        _judge(id_, tool, wanted, recorder, tally)


def _rounds(
    case: suite.Case, tools: Mapping[str, Tool], expected: dict[str, tuple[Tool, dict[str, Any]]]
) -> Iterator[list[vega.ToolCall]]:
    known = {each["name"]: tools[key_of(each)] for each in case.functions}
    for number, calls in enumerate(case.rounds):
        made = []
        for at, (name, arguments) in enumerate(calls):
            if name in known:  # some answers call what the case has taken away
                id_ = f"{case.id}-{number}-{at}"
                expected[id_] = (known[name], arguments)
                made.append(vega.ToolCall(id_, known[name].spec.name, arguments))
        if made:
            yield made


def _judge(id_: str, tool: Tool, wanted: dict[str, Any], recorder: Recorder, tally: Tally) -> None:
    tally.calls += 1
    schema = tool.spec.parameters
    if validator_for(dict(schema)).is_valid(wanted):
        tally.taken += 1
        defaults = {name: each["default"] for name, each in schema.get("properties", {}).items() if "default" in each}
        tally.check(recorder.received.get(id_) == defaults | wanted, id_, "got", recorder.received.get(id_))
    else:
        tally.refused += 1
        tally.check(id_ not in recorder.received, id_, "was called with what does not fit:", wanted)


# -- methods


async def call_methods(data: Path, cases: list[suite.Case], tally: Tally) -> None:
    rows = {row["id"]: row for path in data.glob("BFCL_v4_multi_turn_*.json") for row in suite.rows(path)}
    package = "bfcl_eval.eval_checker.multi_turn_eval.func_source_code"
    classes = {name: getattr(importlib.import_module(f"{package}.{suite.CLASSES[name]}"), name) for name in METHODS}
    for name, cls in classes.items():
        for each in suite.documented(data, name):
            tally.methods += 1
            _compare(as_tool(getattr(cls(), each["name"])).spec, each, tally)
    for case in cases:
        if case.id in rows and set(case.classes) <= set(METHODS):
            await _call_case(case, classes, rows[case.id], tally)


def _compare(spec: ToolSpec, documented: Schema, tally: Tally) -> None:
    theirs = suite.json_schema(documented["parameters"])
    ours = spec.parameters
    named = ours.get("properties", {}), theirs.get("properties", {})
    tally.check(set(named[0]) == set(named[1]), spec.name, "has other parameters:", set(named[0]) ^ set(named[1]))
    needed = set(ours.get("required", ())), set(theirs.get("required", ()))
    tally.check(needed[0] == needed[1], spec.name, "has other required parameters:", *needed)
    tally.check(bool(spec.description), spec.name, "is not described")
    for name in set(named[0]) & set(named[1]):
        tally.check(bool(named[0][name].get("description")), spec.name, name, "is not described")


async def _call_case(case: suite.Case, classes: Mapping[str, Any], row: Mapping[str, Any], tally: Tally) -> None:
    """The calls, made twice: as tools of one set of objects, and as plain calls of another."""
    ours, theirs = ({name: _loaded(classes[name], name, row) for name in case.classes} for _ in range(2))
    context = ToolContext(process=None, turn_id="", tool_call_id="", spawn=None, ask=None)  # type: ignore[arg-type]
    for name, arguments in (call for calls in case.rounds for call in calls):
        holder = next(each for each in case.classes if hasattr(classes[each], name))
        plain = partial(getattr(theirs[holder], name), **arguments)
        try:
            got = await as_tool(getattr(ours[holder], name)).call(arguments, context)
        except ToolError as error:
            tally.check("argument" in str(error), case.id, name, error)
            _told(plain)  # the objects have to stay alike, and plain Python takes what a schema does not
            _told(partial(getattr(ours[holder], name), **arguments))
            continue
        except Exception as error:  # what the suite's own code raises, it has to raise in a tool too
            got = type(error).__name__
        tally.answers += 1
        tally.check(got == _told(plain), case.id, name, got)


def _told(plain: Callable[[], Any]) -> str:
    try:
        return cap(as_text(plain()))
    except Exception as error:
        return type(error).__name__


def _loaded(cls: Any, name: str, row: Mapping[str, Any]) -> Any:
    made = cls()
    made._load_scenario(deepcopy(row["initial_config"].get(name, {})), long_context="long_context" in row["id"])
    return made


async def main() -> int:
    """1 when something is not as it should be."""
    package = suite.package()
    sys.path.append(str(package))
    data, recorder, tally = package / "bfcl_eval" / "data", Recorder(), Tally()
    cases = list(suite.cases(data))
    functions = {key_of(each): each for case in cases for each in case.functions}
    tools = convert(list(functions.values()), recorder, tally)
    await replay(cases, tools, recorder, tally)
    await call_methods(data, cases, tally)
    sys.stdout.write(
        f"bfcl: {len(cases):,} cases; {len(tools):,} functions converted, {tally.bad_defaults} refused for a default; "
        f"{tally.calls:,} calls parsed and replayed, {tally.taken:,} taken, {tally.refused:,} refused as they do not "
        f"fit; {tally.methods} Python methods, {tally.answers:,} answers; {len(tally.wrong)} differences\n"
    )
    for each in tally.wrong[:50]:
        sys.stdout.write(f"  {each}\n")
    known = (len(cases), len(tools), tally.bad_defaults) == (CASES, FUNCTIONS, BAD_DEFAULTS)
    return int(bool(tally.wrong) or not known)


if __name__ == "__main__":
    sys.exit(trio.run(main))
