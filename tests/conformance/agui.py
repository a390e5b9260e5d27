"""Has the validator and the client of AG-UI judge what `vega serve --demo` streams: `make conform`.

streams    each case, as it comes over a socket: no finding of the validator's, every event as the protocol's own
           model has it, and the events there that the case is about
awake      the validator finds the bad streams that it brings to be bad
client     the protocol's own client, which checks the order of events, ends with what the server has on record
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import attrs
import httpx

sys.path.insert(0, str(Path(__file__).parent))
from agui_judge import BAD_STREAMS, client_runs, findings, refused_bad_streams

LEAST_EVENTS = 800  # in all cases, so that nothing passes by being empty
TOOLS = [{"name": "paint", "description": "Paints.", "parameters": {"type": "object"}}]


@attrs.frozen
class Case:
    """What is asked, and how many events of a type, or of a name of ours, there must be at least.

    `decision` answers the calls that wait for a person; `stops` has the turn stopped after some text.
    """

    name: str
    message: str
    wants: dict[str, int]
    agent: str = "assistant"
    decision: str = "approve"
    stops: bool = False
    sends: dict[str, Any] = attrs.field(factory=dict)


CASES = (
    Case("plain", "Hello", {"TEXT_MESSAGE_CONTENT": 10, "RUN_FINISHED": 1}),
    Case("tool", "Search the web for trio", {"TOOL_CALL_RESULT": 1, "TEXT_MESSAGE_START": 2}),
    Case("two tools", "Use web_search for trio and list_files", {"TOOL_CALL_RESULT": 2, "TOOL_CALL_END": 2}),
    Case("crash", "crash", {"vega.restart": 1, "vega.message_reset": 1, "MESSAGES_SNAPSHOT": 1, "RUN_FINISHED": 1}),
    Case("fail", "fail", {"TEXT_MESSAGE_END": 1, "RUN_ERROR": 1}),
    Case("slow", "Tell me slowly", {"TEXT_MESSAGE_CONTENT": 5, "RUN_FINISHED": 1}, stops=True),
    Case("approve", "approve", {"vega.approval_required": 1, "vega.approval_resolved": 1, "TOOL_CALL_RESULT": 1}),
    Case("deny", "approve", {"vega.approval_resolved": 1, "TOOL_CALL_RESULT": 1}, decision="deny"),
    Case("delegate", "Research trio and report", {"STEP_STARTED": 1, "STEP_FINISHED": 1}, agent="hermes"),
    Case("more than is used", "Hello", {"vega.unused_input": 1}, sends={"tools": TOOLS, "state": {"a": 1}}),
)
REFUSED: tuple[dict[str, Any], ...] = (
    {"messages": []},
    {"threadId": ""},
    {"resume": [{"interruptId": "i"}]},
    {"runId": 1},
)
CLIENT_CASES = (
    {"agent": "assistant", "messages": ["Search the web for trio", "Hello", "crash"]},
    {"agent": "assistant", "messages": ["approve"], "decision": "approve"},
    {"agent": "assistant", "messages": ["approve"], "decision": "deny"},
    {"agent": "hermes", "messages": ["Research trio and report"]},
    {"agent": "assistant", "messages": ["fail"]},
)


def body(case: Case, number: int) -> dict[str, Any]:
    message = {"id": "u1", "role": "user", "content": case.message}
    return {"threadId": f"thread-{number}", "runId": f"run-{number}", "messages": [message], **case.sends}


def stream(http: httpx.Client, case: Case, number: int) -> tuple[list[bytes], str]:
    """The answer as it comes, piece by piece, and its content type."""
    chunks: list[bytes] = []
    acted = False
    with http.stream("POST", f"/api/agents/{case.agent}/ag-ui", json=body(case, number)) as answer:
        for chunk in answer.iter_raw():
            chunks.append(chunk)
            if not acted:
                acted = act(http, case, b"".join(chunks).decode())
        return chunks, answer.headers["content-type"]


def act(http: httpx.Client, case: Case, so_far: str) -> bool:
    """Stops the turn or answers what it asks, once there is reason to."""
    if case.stops and so_far.count("TEXT_MESSAGE_CONTENT") >= case.wants["TEXT_MESSAGE_CONTENT"]:
        session = so_far.partition('"session_id":"')[2].partition('"')[0]
        http.post(f"/api/agents/{case.agent}/chat/stop", params={"session": session}).raise_for_status()
        return True
    waiting = so_far.partition('"approval_id":"')[2].partition('"')[0]
    if waiting:
        http.post(f"/api/approvals/{waiting}", json={"decision": case.decision}).raise_for_status()
    return bool(waiting)


def try_streams(http: httpx.Client) -> tuple[int, int]:
    """How many are without fault, and how many events were judged."""
    clean, judged = 0, 0
    for number, case in enumerate(CASES):
        events, wrong = findings(*stream(http, case, number))
        judged += len(events)
        kinds = Counter(event["name"] if event["type"] == "CUSTOM" else event["type"] for event in events)
        wrong += [f"there are {kinds[kind]} {kind}" for kind, least in case.wants.items() if kinds[kind] < least]
        clean += not wrong
        sys.stdout.write("".join(f"{case.name}: {each}\n" for each in wrong))
    for sends in REFUSED:
        answer = http.post("/api/agents/assistant/ag-ui", json={**body(CASES[0], 0), **sends})
        refused = answer.status_code == 400 and answer.headers["content-type"] == "application/problem+json"
        clean += refused
        sys.stdout.write("" if refused else f"{sends}: {answer.status_code} {answer.text[:200]}\n")
    return clean, judged


def try_client(http: httpx.Client) -> int:
    """Of how many of its conversations the client has what is on record here."""
    passed = 0
    for case, got in zip(CLIENT_CASES, client_runs(str(http.base_url), CLIENT_CASES), strict=True):
        session = next(each["value"]["session_id"] for each in got["custom"] if each["name"] == "vega.turn_start")
        history = http.get(f"/api/agents/{case['agent']}/chat", params={"session": session}).json()
        kept = "".join(each["content"] for each in history if each["role"] == "assistant")
        said = "".join(each.get("content") or "" for each in got["messages"] if each["role"] == "assistant")
        failed = case["messages"] == ["fail"]
        good = got["error"] == "invalid_request" if failed else got["error"] is None and said == kept != ""
        passed += good
        sys.stdout.write("" if good else f"client {case}: {got['error']}: {said!r} is not {kept!r}\n")
    return passed


def serve(home: Path) -> tuple[subprocess.Popen[str], str]:
    command = [sys.executable, "-m", "vega_trio", "serve", "--demo", "--addr", ":0", "--db", str(home / "x.db")]
    env = {**os.environ, "VEGA_HOME": str(home)}
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=home, env=env)
    assert server.stderr is not None
    for line in server.stderr:
        if line.startswith("Dashboard: "):
            return server, line.split()[1].replace("localhost", "127.0.0.1")
    raise RuntimeError("the server did not start")


def main() -> int:
    refused, bad = refused_bad_streams()
    with tempfile.TemporaryDirectory(prefix="agui-") as folder:
        server, url = serve(Path(folder))
        try:
            with httpx.Client(base_url=url, timeout=60, trust_env=False) as http:
                clean, judged = try_streams(http)
                passed = try_client(http)
        finally:
            server.terminate()
            server.wait()
    streams = len(CASES) + len(REFUSED)
    sys.stdout.write(f"ag-ui: {clean} of {streams} streams and refusals, {judged} events\n")
    sys.stdout.write(f"validator: {refused} of {bad} bad streams found\nclient: {passed} of {len(CLIENT_CASES)}\n")
    whole = clean == streams and refused == bad == BAD_STREAMS and passed == len(CLIENT_CASES)
    return 0 if whole and judged >= LEAST_EVENTS else 1


if __name__ == "__main__":
    sys.exit(main())
