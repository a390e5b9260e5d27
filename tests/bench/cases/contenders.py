"""Other libraries, each in an environment of its own, and the workers that run turns in them.

    python tests/bench/cases/contenders.py [NAME ...]

installs them, all or those named, into `.peers/bench` (or `VEGA_PEERS`), which is never committed, from the registry
that pip is set up with. Whoever is not installed is left out of a run.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import venv
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(ROOT / "tests" / "mcp"))
import peers  # noqa: E402

PINNED: Mapping[str, tuple[str, ...]] = {
    "pydantic_ai": ("pydantic-ai-slim[anthropic]==2.68.0",),
    "langgraph": ("langgraph==1.2.22", "langchain-anthropic==1.7.7"),
    "openai_agents": ("openai-agents==0.24.0",),
    # The newest release of its Anthropic client passes what the SDK no longer takes.
    "autogen": ("autogen-agentchat==0.7.5", "autogen-ext[anthropic]==0.7.5", "anthropic==0.125.0", "tiktoken==0.14.0",
                "aiofiles==25.1.0"),
    "crewai": ("crewai[anthropic]==1.15.30",),
}  # fmt: skip


def home(name: str) -> Path:
    return peers.folder() / "bench" / name


def python_of(name: str) -> Path:
    return home(name) / "bin" / "python"


def installed() -> list[str]:
    return [name for name, wanted in PINNED.items() if _mark(name).is_file() and _mark(name).read_text() == str(wanted)]


def install(name: str) -> None:
    """Does nothing when it is there."""
    if name in installed():
        return
    venv.create(home(name), with_pip=True, clear=True)
    pip = [str(python_of(name)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *PINNED[name]], check=True)
    _mark(name).write_text(str(PINNED[name]))


def _mark(name: str) -> Path:
    return home(name) / "installed"


@contextmanager
def model_server() -> Iterator[dict[str, str]]:
    """A model server; gives what a contender has to have in its environment to talk to it."""
    command = [sys.executable, str(HERE / "turn_server.py")]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        yield {
            "ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "bench",
            "OPENAI_BASE_URL": f"{url}/v1", "OPENAI_API_KEY": "bench",
        }  # fmt: skip
        process.stdin.close()


class WorkerFailed(Exception):
    """A contender has said what went wrong, or has ended without a word."""


@attrs.define
class Worker:
    """A program that runs turns, started when it has to run some. One that did not answer is ended.

    `ours` and `sdk` run in this environment, others in their own.
    """

    name: str
    env: Mapping[str, str]
    _process: subprocess.Popen[str] | None = attrs.field(default=None, init=False)

    def run(self, model: str, turns: int, at_once: int, *, within_s: float) -> dict[str, float]:
        """{"cpu_s", "wall_s"}. Raises: WorkerFailed, TimeoutError."""
        try:
            if self._process is None:
                self._process = self._start()
                self._answer(within_s)  # what importing its library took
            assert self._process.stdin is not None
            self._process.stdin.write(json.dumps([model, turns, at_once]) + "\n")
            self._process.stdin.flush()
            answer: dict[str, Any] = self._answer(within_s)
        except (OSError, WorkerFailed):  # a TimeoutError is an OSError
            self.end(after_s=0)
            raise
        if "error" in answer:
            raise WorkerFailed(answer["error"])
        return answer

    def _start(self) -> subprocess.Popen[str]:
        own = self.name in ("ours", "sdk")
        command = [sys.executable if own else str(python_of(self.name)), str(HERE / "turn_worker.py"), self.name]
        whole = {**os.environ, **self.env, "PYTHONPATH": str(ROOT) if own else ""}
        pipe = subprocess.PIPE
        with self.log.open("a") as errors:
            return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=errors, text=True, env=whole)

    @property
    def log(self) -> Path:
        return home("logs") / f"{self.name}.log"

    def _answer(self, within_s: float) -> Any:
        assert self._process is not None
        assert self._process.stdout is not None
        if not select.select([self._process.stdout], [], [], within_s)[0]:
            raise TimeoutError(f"no answer within {within_s:g} s")
        line = self._process.stdout.readline()
        if not line:
            raise WorkerFailed(f"it has ended with {self._process.wait()}; see {self.log}")
        return json.loads(line)

    def end(self, *, after_s: float = 10.0) -> None:
        if self._process is None:
            return
        with self._process as process:
            assert process.stdin is not None
            try:
                process.stdin.close()
                process.wait(after_s)
            except (subprocess.TimeoutExpired, BrokenPipeError):  # it waits for threads of its own, or hangs
                process.kill()
        self._process = None


@contextmanager
def workers(env: Mapping[str, str]) -> Iterator[dict[str, Worker]]:
    """Ours, the bare SDK and all that are installed, by name."""
    found = {name: Worker(name, env) for name in ("sdk", "ours", *installed())}
    home("logs").mkdir(parents=True, exist_ok=True)
    for each in found.values():
        each.log.unlink(missing_ok=True)
    try:
        yield found
    finally:
        for each in found.values():
            each.end()


if __name__ == "__main__":
    for each in sys.argv[1:] or PINNED:
        sys.stdout.write(f"{each}: {' '.join(PINNED[each])}\n")
        install(each)
