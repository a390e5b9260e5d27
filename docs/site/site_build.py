"""Builds the documentation as a site: `python docs/site/site_build.py`, or `make docs`, into build/site.

The pages of docs/ are copied beside pages that are made of the code, their links to other places of the repository
led to copies, and the whole is given to zensical, for which a link that leads nowhere is an error.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import site_api
import site_reference

HERE = Path(__file__).parent
DOCS = HERE.parent
ROOT = DOCS.parent
BUILD = ROOT / "build"

GENERATED: Mapping[str, Callable[[], str]] = {
    "reference/api.md": site_api.api_page,
    "reference/testing.md": site_api.testing_page,
    "reference/commands.md": site_reference.cli_page,
    "reference/keys.md": site_reference.yaml_page,
    "reference/routes.md": site_reference.http_page,
    "reference/events.md": site_reference.events_page,
    "reference/errors.md": site_reference.errors_page,
    "reference/codes.md": site_reference.codes_page,
}
"""Path of each page that is made of the code -> what makes it."""

NAV: Mapping[str, tuple[str, ...]] = {
    "Start": ("index.md", "why.md", "quick-start.md", "tutorial.md", "best-practices.md"),
    "Agents": ("library.md", "models.md", "context.md", "budgets.md", "resilience.md", "supervision.md", "testing.md"),
    "Tools": ("tools.md", "approvals.md", "security.md", "mcp.md", "skills.md", "memory.md"),
    "Teams and workflows": ("dsl.md", "teams.md"),
    "Fronts": ("cli.md", "dashboard.md", "http-api.md", "telegram.md", "embedding.md"),
    "Operation": ("configuration.md", "durability.md", "observability.md", "deploy/README.md"),
    "Reference": tuple(GENERATED),
    "Design": ("architecture.md", "performance.md", "benchmarks.md", "compared.md", "conformance.md"),
    "Decisions": (),
    "Project": ("contributing.md", "changelog.md"),
}
"""Heading -> its pages, in reading order. The decisions are put in, and what stands nowhere is put below Project."""

_LINK = re.compile(r"(?<!!)\]\((\.\./[^)#\s]+)")


def stage(into: Path) -> list[str]:
    """Writes all pages and what they link to below `into`; returns the pages' paths."""
    shutil.rmtree(into, ignore_errors=True)
    shutil.copytree(DOCS, into, ignore=shutil.ignore_patterns("site", "__pycache__"))
    compared = into / "compared.md"
    compared.write_text(compared.read_text().replace("<!-- the table -->\n", _comparison()))
    for path, make in GENERATED.items():
        (into / path).parent.mkdir(exist_ok=True)
        (into / path).write_text(make())
    pages = sorted(each.relative_to(into).as_posix() for each in into.rglob("*.md"))
    for page in pages:
        if page not in GENERATED:
            _lead_to_copies(into, page)
    return pages


def _comparison() -> str:
    """The table of the README with the others: it stands there alone, and is shown here too."""
    section = (ROOT / "README.md").read_text().split("\n## Compared\n")[1].split("\n## ")[0]
    return "".join(line for line in section.splitlines(keepends=True) if line.startswith("|"))


def _lead_to_copies(into: Path, page: str) -> None:
    """Copies the files outside of docs/ that a page links to, and leads its links there."""

    def led(found: re.Match[str]) -> str:
        target = (DOCS / page).parent.joinpath(found[1]).resolve()
        if target.is_relative_to(DOCS):
            return found[0]
        copy = into / "files" / target.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir():
            raise FileNotFoundError(f"{page} links to the folder {found[1]}; link to a file in it")
        shutil.copyfile(target, copy)
        return "](" + "../" * page.count("/") + copy.relative_to(into).as_posix()

    text = (into / page).read_text()
    (into / page).write_text(_LINK.sub(led, text))


def navigation(pages: list[str]) -> dict[str, list[str]]:
    """`NAV` with the decisions and what it forgets. Raises: FileNotFoundError, for a page that is not there."""
    nav = {heading: list(listed) for heading, listed in NAV.items()}
    gone = [page for listed in nav.values() for page in listed if page not in pages]
    if gone:
        raise FileNotFoundError(f"NAV in docs/site/site_build.py lists {', '.join(gone)}, which docs/ does not have")
    nav["Decisions"] = [page for page in pages if page.startswith("adr/")]
    known = {page for listed in nav.values() for page in listed}
    nav["Project"] += [page for page in pages if page not in known]
    return nav


def build(into: Path = BUILD) -> None:
    """Raises: CalledProcessError, when zensical finds a link that leads nowhere."""
    into.mkdir(exist_ok=True)
    nav = {heading: listed for heading, listed in navigation(stage(into / "site-src")).items() if listed}
    shown = ", ".join(f"{{ {json.dumps(heading)} = {json.dumps(listed)} }}" for heading, listed in nav.items())
    config = (HERE / "zensical.toml").read_text()
    assert config.count("nav = []\n") == 1
    (into / "zensical.toml").write_text(config.replace("nav = []\n", f"nav = [{shown}]\n"))
    program = Path(sys.executable).with_name("zensical")
    subprocess.run([program, "build", "--strict", "--clean", "--config-file", into / "zensical.toml"], check=True)


if __name__ == "__main__":
    build()
    print(f"built: {BUILD / 'site' / 'index.html'}")
