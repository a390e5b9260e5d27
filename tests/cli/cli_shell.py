"""Calls of vega as real processes, several at a time."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
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


def make_calls(calls: Mapping[str, Call], folder: Path) -> dict[str, Done]:
    """Makes all calls, some side by side, each in a directory of its own."""
    done: dict[str, Done] = {}

    async def one(name: str, limiter: trio.CapacityLimiter, fake: str) -> None:
        async with limiter:
            done[name] = await _make(calls[name], Shell(folder / name.replace(" ", "-")), fake)

    async def main() -> None:
        limiter = trio.CapacityLimiter(SIDE_BY_SIDE)
        async with FakeMessagesServer(_provider) as server, trio.open_nursery() as nursery:
            for name in calls:
                nursery.start_soon(one, name, limiter, server.base_url)

    trio.run(main)
    return done


async def _make(call: Call, shell: Shell, fake: str) -> Done:
    shell.cwd.mkdir()
    for name, text in call.files.items():
        shell.write(name, text.replace("FAKE", fake))
    with trio.fail_after(120):
        done = await trio.run_process(
            [sys.executable, "-m", "vega_trio", *call.args],
            cwd=shell.cwd,
            env=shell.env(**{name: value.replace("FAKE", fake) for name, value in call.env.items()}),
            stdin=call.stdin.encode(),
            capture_stdout=True,
            capture_stderr=True,
            check=False,
        )
    return Done(done.returncode, done.stdout.decode(), done.stderr.decode())


def _provider(request: FakeRequest) -> str | HttpFault:
    """Refuses the key `sk-wrong`; tells everybody else how many messages the conversation has."""
    if "sk-wrong" in str(request.headers):
        return HttpFault(401, "authentication_error", "invalid x-api-key")
    return f"answer to {len(request.body['messages'])}"
