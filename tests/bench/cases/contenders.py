"""Other libraries, each in an environment of its own, and the workers that run turns in them.

    python tests/bench/cases/contenders.py [NAME ...]

installs them, all or those named, into `.peers/bench` (or `VEGA_PEERS`), which is never committed, from the registry
that pip is set up with. Whoever is not installed is left out of a run.
"""

from __future__ import annotations

import json
import os
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


@attrs.frozen
class Worker:
    """A program that runs turns. `import_s` is the CPU time that importing the library took it."""

    process: subprocess.Popen[str]
    import_s: float

    def run(self, model: str, turns: int, at_once: int) -> dict[str, Any] | None:
        """{"cpu_s", "wall_s"}; None when the library failed, of which it has told on standard error."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([model, turns, at_once]) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        answer: dict[str, Any] = json.loads(line) if line else {"error": "it has ended"}
        return None if "error" in answer else answer


@contextmanager
def worker(name: str, env: Mapping[str, str]) -> Iterator[Worker]:
    """`ours` and `sdk` run in this environment, others in their own."""
    own = name in ("ours", "sdk")
    command = [sys.executable if own else str(python_of(name)), str(HERE / "turn_worker.py"), name]
    whole = {**os.environ, **env, "PYTHONPATH": str(ROOT) if own else ""}
    log = home("logs") / f"{name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with (
        log.open("w") as errors,
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, env=whole
        ) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"{name} does not start; see {log}")
        yield Worker(process, json.loads(line)[0])
        process.stdin.close()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:  # it waits for threads of its own
            process.kill()


if __name__ == "__main__":
    for each in sys.argv[1:] or PINNED:
        sys.stdout.write(f"{each}: {' '.join(PINNED[each])}\n")
        install(each)
