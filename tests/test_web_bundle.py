"""The built web page: its size, its manners, and the hook that builds it."""

from __future__ import annotations

import gzip
import importlib.util
import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
WEB = ROOT / "web"
BUNDLE = ROOT / "vega_trio" / "_web"

KB = 1000
FIRST_LOAD = 190 * KB
ROUTE = 95 * KB
ALL_SCRIPTS = 400 * KB


class _Page(HTMLParser):
    """What a page loads at once, and what it carries inline."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.inline: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        address = given.get("src") or given.get("href")
        if address is not None:
            self.loads.append(address)
        if tag == "style" or (tag == "script" and address is None) or "style" in given:
            self.inline.append(tag)
        self.inline += [name for name in given if name.startswith("on")]


@pytest.fixture(scope="module")
def page() -> _Page:
    return _Page(_index())


def _index() -> str:
    index = BUNDLE / "index.html"
    if not index.is_file():
        pytest.skip(f"{index} is not built; run: python hatch_build.py build")
    return index.read_text()


def _zipped(*paths: Path) -> int:
    return sum(len(gzip.compress(path.read_bytes(), 9)) for path in paths)


def _file(address: str) -> Path:
    return BUNDLE / address.lstrip("/")


def test_the_first_load_keeps_its_budget(page: _Page) -> None:
    files = [_file(address) for address in page.loads if address.endswith((".js", ".css"))]
    assert any(path.suffix == ".css" for path in files)
    assert sum(path.parent.name == "assets" and path.suffix == ".js" for path in files) >= 1
    assert _zipped(BUNDLE / "index.html", *files) <= FIRST_LOAD


def test_each_later_page_keeps_its_budget(page: _Page) -> None:
    first = {_file(address) for address in page.loads}
    later = [path for path in BUNDLE.glob("assets/*.js") if path not in first]
    assert later, "every page but the first is loaded when it is opened"
    assert max(map(_zipped, later)) <= ROUTE


def test_all_scripts_together_keep_their_budget(page: _Page) -> None:
    assert _zipped(*BUNDLE.rglob("*.js")) <= ALL_SCRIPTS


def test_the_page_loads_its_own_files_and_carries_nothing_inline(page: _Page) -> None:
    assert page.inline == []
    assert page.loads
    for address in page.loads:
        assert re.match(r"/[^/]", address), f"{address} is not of this server"
        assert _file(address).is_file()


def test_the_page_has_one_place_for_its_nonce() -> None:
    assert _index().count("__CSP_NONCE__") == 1
    assert '<meta name="csp-nonce" content="__CSP_NONCE__"' in _index()


def test_styles_load_nothing_from_elsewhere(page: _Page) -> None:
    for path in BUNDLE.glob("assets/*.css"):
        assert not re.search(r"url\(\s*['\"]?(?:https?:)?//|@import", path.read_text()), path.name


def test_the_licences_of_what_is_bundled_lie_beside_it(page: _Page) -> None:
    licences = (BUNDLE / "third-party-licenses.md").read_text()
    for name in ("react-dom", "@mantine/core", "react-markdown", "eventsource-parser"):
        assert name in licences


def test_every_package_is_pinned_to_one_version() -> None:
    package = json.loads((WEB / "package.json").read_text())
    versions = package["dependencies"] | package["devDependencies"]
    assert [name for name, version in versions.items() if not re.fullmatch(r"\d+\.\d+\.\d+", version)] == []
    mantine = {version for name, version in versions.items() if name.startswith("@mantine/")}
    assert len(mantine) == 1


def test_the_lock_file_names_no_registry() -> None:
    lock = (WEB / "package-lock.json").read_text()
    assert '"resolved"' not in lock
    assert "registry" not in lock
    assert "omit-lockfile-registry-resolved=true" in (WEB / ".npmrc").read_text().splitlines()


# -- the hook


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("mode", "built", "wanted"),
    [
        ("auto", False, True),
        ("auto", True, False),
        ("always", True, True),
        ("always", False, True),
        ("never", True, False),
        ("never", False, False),
    ],
)
def test_the_page_is_built_when_the_mode_says_so(
    hook: ModuleType, tmp_path: Path, mode: str, built: bool, wanted: bool
) -> None:
    if built:
        output = hook.output(tmp_path)
        output.mkdir(parents=True)
        (output / "index.html").touch()
    assert hook.wanted(tmp_path, mode) is wanted


@pytest.mark.e2e
def test_an_unknown_mode_is_refused_by_name() -> None:
    done = _run_hook("import hatch_build; hatch_build.build_mode()", VEGA_BUILD_WEB="soon")
    assert "VEGA_BUILD_WEB is 'soon'; it must be one of auto, always, never" in done.stderr


@pytest.mark.e2e
def test_without_node_the_hook_asks_for_the_wheel_that_carries_it(tmp_path: Path) -> None:
    asked = f"hatch_build.WebPageHook({str(tmp_path)!r}, {{}}, None, None, '', 'wheel').dependencies()"
    code = f"import hatch_build; print(hatch_build._npm_of_wheel() or {asked})"
    assert "nodejs" in _run_hook(code, PATH=str(tmp_path), VEGA_BUILD_WEB="auto").stdout
    assert "nodejs" not in _run_hook(f"import hatch_build; print({asked})", VEGA_BUILD_WEB="never").stdout


def _run_hook(code: str, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, **environment}
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=60)


# -- the page's own tests


@pytest.mark.e2e
def test_the_pages_own_unit_tests_pass(hook: ModuleType) -> None:
    if hook.find_npm() is None:
        pytest.skip(f"there is no npm; {hook.REMEDY}")
    command = [sys.executable, "hatch_build.py", "test"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
