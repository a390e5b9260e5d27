"""The wheel as a stranger gets it: built cold, built again from the source distribution, installed, and used.

Takes minutes and the registries, so `VEGA_PACKAGE=1` asks for it (`make package`, and `make torture`).
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import threading
import urllib.request
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import vega_trio

ROOT = Path(__file__).parents[2]
COLD_CPU_S = 150.0
LONGEST_S = 120.0

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not os.environ.get("VEGA_PACKAGE"), reason="VEGA_PACKAGE=1 builds and installs the wheel"),
]


def run(*command: str | Path, cwd: Path, **env: str) -> str:
    """What it wrote to standard output. Raises: AssertionError with all that it said."""
    whole = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"} | env
    done = subprocess.run(command, cwd=cwd, env=whole, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout}\n{done.stderr}"
    return done.stdout


def pip_wheel(source: Path, out: Path, **env: str) -> Path:
    """Builds in an environment of its own, as pip does. Returns the wheel."""
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", out, source, cwd=out, **env)
    (wheel,) = out.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This tree's files, without anything that was ever built."""
    folder = tmp_path_factory.mktemp("checkout")
    listed = run("git", "ls-files", "-z", cwd=ROOT)
    archive = subprocess.run(["tar", "-c", "--null", "-T", "-"], cwd=ROOT, input=listed.encode(), capture_output=True)
    subprocess.run(["tar", "-x"], cwd=folder, input=archive.stdout, check=True)
    return folder


@pytest.fixture(scope="module")
def cold(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, float]:
    """The wheel of a fresh checkout, and the CPU seconds that it took."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    wheel = pip_wheel(checkout, tmp_path_factory.mktemp("cold"))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wheel, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.fixture(scope="module")
def wheel(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of the source distribution, built where there is no Node."""
    out = tmp_path_factory.mktemp("sdist")
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", out, cwd=checkout)
    (sdist,) = out.glob("*.tar.gz")
    return pip_wheel(sdist, out, PATH=str(Path(sys.executable).parent), VEGA_BUILD_WEB="auto")


@contextmanager
def environment(folder: Path, *wanted: str) -> Iterator[Path]:
    """The programs of a fresh environment with `wanted`."""
    venv.create(folder, with_pip=True)
    pip = (folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    run(*pip, "--constraint", ROOT / "constraints.txt", *wanted, cwd=folder)
    yield folder / "bin"


def test_a_fresh_checkout_builds_within_150_seconds_of_work(cold: tuple[Path, float]) -> None:
    wheel, took = cold
    assert wheel.stat().st_size > 500_000, "the page is missing"
    assert took <= COLD_CPU_S


def test_the_core_alone_installs_and_says_what_is_missing(wheel: Path, tmp_path: Path) -> None:
    with environment(tmp_path / "core", str(wheel)) as programs:
        alone = {"PATH": str(programs), "VEGA_HOME": str(tmp_path)}
        assert vega_trio.__version__ in run(programs / "vega", "version", cwd=tmp_path, **alone)
        assert "Usage" in run(programs / "vega", "--help", cwd=tmp_path, **alone)
        run(programs / "python", "-W", "error", "-c", "import vega_trio; vega_trio.Agent(name='a')", cwd=tmp_path)
        serve = subprocess.run(
            [programs / "vega", "serve", "--demo"], cwd=tmp_path, capture_output=True, text=True, timeout=LONGEST_S
        )
        assert serve.returncode != 0
        assert "vega-trio[serve]" in serve.stderr + serve.stdout


def test_the_wheel_of_the_source_distribution_runs_an_example_and_serves_the_page(wheel: Path, tmp_path: Path) -> None:
    with environment(tmp_path / "all", f"{wheel}[all]") as programs:
        alone = {"PATH": str(programs), "VEGA_HOME": str(tmp_path), "VEGA_DB": str(tmp_path / "vega.db")}
        assert vega_trio.__version__ in run(programs / "vega", "version", cwd=tmp_path, **alone)
        example = ROOT / "examples" / "code-review.vega.yaml"
        asked = (example, "--workflow", "review", "--task", "Write a binary search", "--model", "demo")
        assert run(programs / "vega", "run", *asked, cwd=tmp_path, **alone).strip()
        with serving(programs / "vega", tmp_path, alone) as url:
            assert b"__CSP_NONCE__" not in fetched(f"{url}/")
            assert b'id="root"' in fetched(f"{url}/")
            assert fetched(f"{url}/healthz")


@contextmanager
def serving(vega: Path, home: Path, env: dict[str, str]) -> Iterator[str]:
    command = [vega, "serve", "--demo", "--addr", "127.0.0.1:0"]
    whole = {**os.environ, **env}
    with subprocess.Popen(command, cwd=home, env=whole, stderr=subprocess.PIPE, text=True) as process:
        guard = threading.Timer(LONGEST_S, process.kill)
        guard.start()
        try:
            assert process.stderr is not None
            said = []
            for line in process.stderr:
                said.append(line)
                if line.startswith("Dashboard: "):
                    yield line.split()[1]
                    break
            else:
                raise AssertionError(f"vega serve did not start: {''.join(said)}")
        finally:
            guard.cancel()
            process.kill()


def fetched(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=30) as answer:
        assert answer.status == 200
        body: bytes = answer.read()
        return body
