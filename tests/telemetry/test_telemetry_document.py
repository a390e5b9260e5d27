"""`settings.tracing`: where a document's spans go. In programs of their own, as OpenTelemetry has one setup in each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import attrs
import pytest
import trio

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
DOCUMENT = "agents: {a: {model: demo, system: Be kind.}}\nsettings: {tracing: {TRACING}}\n"


@attrs.define
class Collector:
    """Takes what is sent to it over HTTP, one request a connection."""

    paths: list[str] = attrs.field(factory=list)
    bodies: list[bytes] = attrs.field(factory=list)

    async def take(self, stream: trio.SocketStream) -> None:
        data = b""
        while b"\r\n\r\n" not in data:
            data += await stream.receive_some()
        head, _, body = data.partition(b"\r\n\r\n")
        length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
        while len(body) < length:
            body += await stream.receive_some()
        self.paths.append(head.split()[1].decode())
        self.bodies.append(body)
        await stream.send_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
        await stream.aclose()


async def chat(folder: Path, tracing: str, **env: str) -> subprocess.CompletedProcess[bytes]:
    path = folder / "a.vega.yaml"
    path.write_text(DOCUMENT.replace("TRACING", tracing))
    kept = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(folder), **env}
    command = [sys.executable, "-m", "vega_trio", "chat", "-p", "yes or no", str(path)]
    with trio.fail_after(30):
        run = partial(trio.run_process, command, env=kept, capture_stdout=True, capture_stderr=True, check=False)
        done = await run()
    assert done.returncode == 0, done.stderr
    return done


async def test_json_is_a_line_for_each_span_without_what_is_said(tmp_path: Path) -> None:
    done = await chat(tmp_path, "enabled: true, exporter: json")
    spans = [json.loads(line) for line in done.stderr.decode().splitlines()]
    assert {span["name"] for span in spans} >= {"invoke_agent a", "chat demo"}
    assert b"yes or no" not in done.stderr
    assert b"span" not in done.stdout


async def test_content_is_told_when_asked_for(tmp_path: Path) -> None:
    done = await chat(tmp_path, "enabled: true, exporter: console, content: true")
    line = next(line for line in done.stderr.decode().splitlines() if '"chat demo"' in line)
    assert "yes or no" in line
    assert "Be kind." in line
    assert "gen_ai.output.messages" in line


async def test_spans_go_to_the_endpoint_before_the_program_ends(tmp_path: Path) -> None:
    collector = Collector()
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, collector.take, 0, host="127.0.0.1"))
        port = listeners[0].socket.getsockname()[1]
        await chat(tmp_path, f"enabled: true, exporter: jaeger, endpoint: 'http://127.0.0.1:{port}'")
        nursery.cancel_scope.cancel()
    assert set(collector.paths) == {"/v1/traces"}
    assert any(b"invoke_agent a" in body for body in collector.bodies)


async def test_what_is_not_enabled_and_what_the_environment_turns_off_is_silent(tmp_path: Path) -> None:
    assert (await chat(tmp_path, "exporter: json")).stderr == b""
    assert (await chat(tmp_path, "enabled: true, exporter: json", OTEL_SDK_DISABLED="true")).stderr == b""


async def test_an_endpoint_that_is_no_address_is_refused(tmp_path: Path) -> None:
    code = (
        "import vega_trio as vega, trio\n"
        "async def main():\n"
        "    async with vega.open_app('a.vega.yaml'): pass\n"
        "trio.run(main)\n"
    )
    (tmp_path / "a.vega.yaml").write_text(DOCUMENT.replace("TRACING", "enabled: true, endpoint: 'localhost:4318'"))
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(tmp_path)}
    command = [sys.executable, "-c", code]
    done = await trio.run_process(command, env=env, cwd=tmp_path, capture_stderr=True, check=False)
    assert b"settings.tracing.endpoint is 'localhost:4318', which is no http address" in done.stderr
