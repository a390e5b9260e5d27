"""The site builds without a dead link, and its references have everything there is."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
import site_api
import site_build
import site_reference

import vega_trio as vega
from vega_trio.dsl.explain import EXPLANATIONS


@pytest.mark.e2e
def test_the_site_builds_and_no_link_is_dead(tmp_path: Path) -> None:
    site_build.build(tmp_path)
    for page in (*site_build.GENERATED, "index.md", "tutorial.md"):
        folder = page.removesuffix(".md").removesuffix("index")
        assert (tmp_path / "site" / folder / "index.html").is_file(), page


def test_every_page_has_its_place_in_the_navigation(tmp_path: Path) -> None:
    pages = site_build.stage(tmp_path / "pages")
    nav = site_build.navigation(pages)
    assert sorted(page for listed in nav.values() for page in listed) == pages
    with pytest.raises(FileNotFoundError, match=r"lists why\.md, which docs/ does not have"):
        site_build.navigation([page for page in pages if page != "why.md"])


def test_every_public_name_stands_below_a_topic_and_says_what_it_is() -> None:
    for name in site_api.public_names():
        value = getattr(vega, name)
        assert site_api.topic_of(name) in site_api.TOPICS
        assert site_api.own_doc(value) or not (inspect.isclass(value) or inspect.isroutine(value)), name


def test_every_event_error_and_code_is_in_its_reference() -> None:
    kinds = site_reference.event_kinds()
    assert [kind for kind in kinds if f"`vega.{kind.__name__}`" not in site_reference.events_page()] == []
    errors = [name for name in site_api.public_names() if site_api.topic_of(name) == "Errors"]
    assert [name for name in errors if f"`{name}`" not in site_reference.errors_page()] == []
    assert [code for code in EXPLANATIONS if f"## {code}\n" not in site_reference.codes_page()] == []


def test_every_command_and_option_is_in_its_reference() -> None:
    page = site_reference.cli_page()
    for path, command in site_reference.commands():
        assert f"## {path}\n" in page
        assert all(option in page for each in command.params for option in each.opts if option.startswith("-"))
