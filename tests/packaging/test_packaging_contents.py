"""What is in the wheel and in the source distribution, built from this tree with the page that is built already."""

from __future__ import annotations

import re
import tarfile
import zipfile
from email.message import Message
from email.parser import HeaderParser
from pathlib import Path

import pytest
from hatchling.builders.sdist import SdistBuilder
from hatchling.builders.wheel import WheelBuilder

import vega_trio

ROOT = Path(__file__).parents[2]
EXTRAS = {
    *("http", "anthropic", "store", "serve", "cli", "mcp", "skills", "telegram", "local", "otel"),
    *("all", "dev"),
}
LIMITS = ROOT / "docs" / "adr" / "0011-the-wheel-may-be-larger.md"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both."""
    if not (ROOT / "vega_trio" / "_web" / "index.html").is_file():
        pytest.skip("the web page is not built; run: python hatch_build.py build")
    folder = tmp_path_factory.mktemp("dist")
    for builder in (WheelBuilder, SdistBuilder):
        assert list(builder(str(ROOT)).build(directory=str(folder), versions=["standard"]))
    return folder


@pytest.fixture(scope="module")
def wheel(built: Path) -> zipfile.ZipFile:
    (path,) = built.glob("*.whl")
    return zipfile.ZipFile(path)


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.ZipFile) -> Message:
    return HeaderParser().parsestr(wheel.read(_info(wheel, "METADATA")).decode())


def _info(wheel: zipfile.ZipFile, name: str) -> str:
    return f"vega_trio-{vega_trio.__version__}.dist-info/{name}"


def test_the_wheel_carries_the_page_and_the_licences_of_what_is_in_it(wheel: zipfile.ZipFile) -> None:
    names = set(wheel.namelist())
    assert {"vega_trio/_web/index.html", "vega_trio/_web/third-party-licenses.md", "vega_trio/py.typed"} <= names
    assert _info(wheel, "licenses/LICENSE") in names
    assert any(name.startswith("vega_trio/_web/assets/") and name.endswith(".js") for name in names)


def test_the_wheel_holds_the_package_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    assert {name.partition("/")[0] for name in wheel.namelist()} == {"vega_trio", _info(wheel, "").rstrip("/")}
    assert not [name for name in wheel.namelist() if "__pycache__" in name or name.endswith((".db", ".map"))]


def test_the_wheel_keeps_its_size(built: Path, wheel: zipfile.ZipFile) -> None:
    page, whole = (int(kilobytes) * 1000 for kilobytes in re.findall(r"\b(\d{3,4}) kB", LIMITS.read_text()))
    (path,) = built.glob("*.whl")
    assert path.stat().st_size <= whole
    assert sum(each.compress_size for each in wheel.infolist() if each.filename.startswith("vega_trio/_web/")) <= page


def test_the_version_has_one_place(metadata: Message) -> None:
    assert metadata["Version"] == vega_trio.__version__
    assert f'"{vega_trio.__version__}"' in (ROOT / "vega_trio" / "_version.py").read_text()
    assert vega_trio.__version__ not in (ROOT / "pyproject.toml").read_text().partition("dependencies")[0]


def test_the_extras_are_those_that_are_documented(metadata: Message) -> None:
    assert set(metadata.get_all("Provides-Extra") or ()) == EXTRAS
    assert metadata["Requires-Python"] == ">=3.11"


def test_the_command_is_an_entry_point(wheel: zipfile.ZipFile) -> None:
    assert "vega = vega_trio.cli.main:main" in wheel.read(_info(wheel, "entry_points.txt")).decode()


def test_the_source_distribution_builds_without_node_as_it_carries_the_page(built: Path) -> None:
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"vega_trio/_web/index.html", "hatch_build.py", "pyproject.toml", "web/package-lock.json"} <= names
    assert {"LICENSE", "tests/conftest.py", "docs/changelog.md", "examples/library.py", "constraints.txt"} <= names
    assert not [name for name in names if "node_modules" in name or ".peers" in name or name.endswith(".db")]
