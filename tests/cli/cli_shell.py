"""Calls of vega as real processes, several at a time."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import attrs
import trio

from vega_trio.testing import FakeMessagesServer, HttpFault
from vega_trio.testing.fake_messages import FakeRequest

PACKAGE_ROOT = Path(__file__).parents[2]
SIDE_BY_SIDE = 4
DOCUMENT = """\
name: Team
agents:
  writer:
    model: demo
    system: You write.
workflows:
  write:
    description: Writes
    inputs:
      task: {type: string}
      rounds: {type: integer, default: 1}
    steps:
      - writer: "Say {{task}}, {{rounds}} times"
        save: draft
    output: "{{draft}}"
  echo:
    inputs:
      value: any
      times: {type: number, default: 2}
    steps:
      - set: {out: {value: "{{value}}", times: "{{times}}"}}
    output: "{{out}}"
"""
ANTHROPIC = DOCUMENT.replace("model: demo", "model: claude-sonnet-4-20250514")


@attrs.frozen
class Done:
    code: int
    out: str
    err: str


@attrs.frozen
class Shell:
    """A directory to call vega in, with a home of its own and no keys."""

    cwd: Path

    def env(self, **more: str) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TMPDIR") if name in os.environ}
        home = self.cwd / "home"
        return {**kept, "HOME": str(home), "VEGA_HOME": str(home), "PYTHONPATH": str(PACKAGE_ROOT), **more}

    def write(self, name: str, text: str) -> None:
        path = self.cwd / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o600)

    def read(self, name: str) -> str:
        return (self.cwd / name).read_text()

    def start(self, *args: str, **env: str) -> subprocess.Popen[bytes]:
        """A process whose output is ours to read."""
        return subprocess.Popen(
            [sys.executable, "-m", "vega_trio", *args],
            cwd=self.cwd,
            env=self.env(**env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )


@attrs.frozen
class Call:
    """One call. `files` are written first; FAKE in them and in `env` is the address of the fake provider."""

    args: tuple[str, ...]
    files: Mapping[str, str] = attrs.field(factory=lambda: {"team.vega.yaml": DOCUMENT}, kw_only=True)
    stdin: str = attrs.field(default="", kw_only=True)
    env: Mapping[str, str] = attrs.field(factory=dict, kw_only=True)


def call(*args: str, stdin: str = "", files: Mapping[str, str] | None = None, **env: str) -> Call:
    given = {"team.vega.yaml": DOCUMENT} if files is None else files
    return Call(args, files=given, stdin=stdin, env=env)


Program = subprocess.Popen[bytes]
"""A running `warm_vega.py`."""


@contextmanager
def warm_program() -> Iterator[Program]:
    command = [sys.executable, str(Path(__file__).with_name("warm_vega.py"))]
    env = {**os.environ, "PYTHONPATH": str(PACKAGE_ROOT)}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=env, stdin=pipe, stdout=pipe, start_new_session=True) as program:
        try:
            yield program
        finally:
            os.killpg(program.pid, signal.SIGKILL)


def make_calls(calls: Mapping[str, Call], folder: Path, program: Program) -> dict[str, Done]:
    """Makes all calls, some side by side, each in a directory of its own."""
    done: dict[str, Done] = {}

    async def one(name: str, limiter: trio.CapacityLimiter, warm: Warm, fake: str) -> None:
        async with limiter:
            done[name] = await _make(calls[name], Shell(folder / name.replace(" ", "-")), warm, fake)

    async def main() -> None:
        limiter = trio.CapacityLimiter(SIDE_BY_SIDE)
        async with FakeMessagesServer(_provider) as server, open_warm(program) as warm, trio.open_nursery() as nursery:
            for name in calls:
                nursery.start_soon(one, name, limiter, warm, server.base_url)

    trio.run(main)
    return done


@attrs.define
class Warm:
    """Calls by way of a warm program: each is a process of its own, without the time to import."""

    requests: int  # a pipe, in which a request has room
    waiting: dict[str, trio.Event] = attrs.field(factory=dict)
    codes: dict[str, int] = attrs.field(factory=dict)

    async def call(self, id_: str, **request: object) -> int:
        """The exit code of the call."""
        self.waiting[id_] = trio.Event()
        os.write(self.requests, json.dumps({"id": id_, **request}).encode() + b"\n")
        await self.waiting[id_].wait()
        return self.codes[id_]

    async def listen(self, answers: trio.abc.ReceiveStream) -> None:
        pending = b""
        async for data in answers:
            *lines, pending = (pending + data).split(b"\n")
            for id_, code in (line.decode().split() for line in lines):
                self.codes[id_] = int(code)
                self.waiting[id_].set()


@asynccontextmanager
async def open_warm(program: Program) -> AsyncIterator[Warm]:
    assert program.stdin is not None
    assert program.stdout is not None
    async with trio.lowlevel.FdStream(os.dup(program.stdout.fileno())) as answers, trio.open_nursery() as nursery:
        warm = Warm(program.stdin.fileno())
        nursery.start_soon(warm.listen, answers)
        yield warm
        nursery.cancel_scope.cancel()


async def _make(call: Call, shell: Shell, warm: Warm, fake: str) -> Done:
    shell.cwd.mkdir()
    for name, text in call.files.items():
        shell.write(name, text.replace("FAKE", fake))
    said = {name: shell.cwd.with_name(f"{shell.cwd.name}.{name}") for name in ("stdout", "stderr")}
    with trio.fail_after(120):
        code = await warm.call(
            shell.cwd.name,
            args=call.args,
            cwd=str(shell.cwd),
            env=shell.env(**{name: value.replace("FAKE", fake) for name, value in call.env.items()}),
            stdin=call.stdin,
            **{name: str(path) for name, path in said.items()},
        )
    return Done(code, said["stdout"].read_text(), said["stderr"].read_text())


def _provider(request: FakeRequest) -> str | HttpFault:
    """Refuses the key `sk-wrong`; tells everybody else how many messages the conversation has."""
    if "sk-wrong" in str(request.headers):
        return HttpFault(401, "authentication_error", "invalid x-api-key")
    return f"answer to {len(request.body['messages'])}"
