"""Models of other packages, found by their entry points."""

from __future__ import annotations

from pathlib import Path

import pytest

import vega_trio as vega
from vega_trio.llm.names import parse_model_name
from vega_trio.llm.resolve import Models

CODE = """
import os
from vega_trio.testing import ScriptedModel

class Acme(ScriptedModel):
    async def aclose(self):
        self.requests.append("closed")

def make_model(name, env):
    if name == "odd":
        return object()
    if name == "broken":
        raise ValueError("no such thing")
    return Acme(lambda _: f"{name} with {env['ACME_KEY']}", name=f"acme:{name}")
"""


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package as pip would install it, on the path of this program."""
    (tmp_path / "acme_vega.py").write_text(CODE)
    info = tmp_path / "acme_vega-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-vega\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[vega_trio.models]\nacme = acme_vega:make_model\ndemo = acme_vega:make_model\ngone = acme_gone:make\n"
    )
    monkeypatch.syspath_prepend(tmp_path)


async def test_a_registered_provider_is_a_model_like_any_other(package: None) -> None:
    async with Models(env={"ACME_KEY": "k"}) as models:
        model = models.get("acme:big")
        assert models.get("acme:big") is model
        async with vega.open_orchestrator(model=model) as orch, orch.spawn(vega.Agent(name="a")) as proc:
            assert (await proc.send("hi")).text == "big with k"
    assert model.requests[-1] == "closed"  # type: ignore[attr-defined]


async def test_a_built_in_name_cannot_be_taken(package: None) -> None:
    async with Models(env={}) as models:
        assert models.get("demo").name == "demo"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("acme:odd", "gave <object"),
        ("acme:broken", "'acme-vega' cannot make it: no such thing"),
        ("gone:x", "cannot make it: No module named 'acme_gone'"),
        ("acme:", "write 'acme:NAME'"),
        ("acne:x", "did you mean 'acme'"),
    ],
)
async def test_what_goes_wrong_names_the_package(package: None, name: str, said: str) -> None:
    async with Models(env={"ACME_KEY": "k"}) as models:
        with pytest.raises(vega.ConfigError, match=said):
            models.get(name)


def test_without_the_package_the_provider_is_unknown() -> None:
    with pytest.raises(vega.ConfigError, match="unknown provider 'acme'"):
        parse_model_name("acme:big")


async def test_a_document_may_name_it(package: None, tmp_path: Path) -> None:
    path = tmp_path / "team.vega.yaml"
    path.write_text("name: t\nagents:\n  a: {model: 'acme:big', system: x}\n")
    async with vega.open_app(path, env={"ACME_KEY": "k"}) as app:
        assert (await app.ask(vega.Session("a"), "hi")).text == "big with k"
