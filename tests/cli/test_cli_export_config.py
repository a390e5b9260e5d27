"""`vega export config`: what holds, from where, and without secrets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vega_trio.cli.config import Config, Setup
from vega_trio.cli.export_config import effective
from vega_trio.cli.main import invoke
from vega_trio.dsl.yaml_text import load_data

DOCUMENT = """\
agents:
  writer: {system: "You write, with ${MY_TOKEN}.", budget: $0.50}
  other: {system: You read., model: demo}
settings:
  default_model: local
  api_key: ${ANTHROPIC_API_KEY}
  idle_stop: 5m
  values: {api_key: canary-of-values, region: eu}
  mcp:
    servers:
      - {name: s, command: npx, args: ["--key=${MY_TOKEN}"], env: {A: canary-of-env}}
      - {name: h, url: "https://me:canary-in-url@example.com/mcp", headers: {X: canary-of-header}}
"""


@pytest.fixture
def document(tmp_path: Path) -> str:
    (tmp_path / "a.vega.yaml").write_text(DOCUMENT)
    return str(tmp_path / "a.vega.yaml")


def setup(tmp_path: Path, config: Config | None = None, **env: str) -> Setup:
    canaries = {"MY_TOKEN": "canary-of-token", "ANTHROPIC_API_KEY": "canary-of-key"}
    return Setup(home=tmp_path, env={**canaries, **env}, config=config or Config())


def test_settings_are_under_their_names_with_their_defaults(tmp_path: Path, document: str) -> None:
    settings = effective(document, setup(tmp_path))["settings"]
    assert settings["idle_stop"] == "5m"
    assert settings["shutdown_timeout"] == "30s"
    assert settings["durability"] == "full"
    assert settings["values"] == {"api_key": "***", "region": "eu"}
    assert settings["mcp"]["servers"][0] == {
        "name": "s",
        "transport": "stdio",
        "command": "npx",
        "args": ["--key=***"],
        "env": {"A": "***"},
        "timeout": "30s",
    }


def test_no_secret_is_in_it(tmp_path: Path, document: str) -> None:
    env = {"OPENAI_BASE_URL": "https://me:canary-of-url@example.com", "OTEL_EXPORTER_OTLP_HEADERS": "x=canary-of-otel"}
    found = effective(document, setup(tmp_path, **env))
    assert "canary" not in json.dumps(found)
    assert found["environment"]["OPENAI_BASE_URL"]["value"] == "https://***@example.com"
    assert found["environment"]["ANTHROPIC_API_KEY"]["value"] == "***"
    assert "MY_TOKEN" not in found["environment"]


@pytest.mark.parametrize(
    ("server", "shown"),
    [
        ("args: [--api-key, canary, --token=canary]", ["--api-key", "***", "--token=***"]),
        ("args: [-e, X_TOKEN=canary, --max-tokens=9]", ["-e", "X_TOKEN=***", "--max-tokens=9"]),
        ("args: ['https://u:can/ary@h/x?api_key=canary&n=1']", ["https://***@h/x?api_key=***&n=1"]),
        ("args: ['postgres://u:p@canary@h/x']", ["postgres://***@h/x"]),
    ],
)
def test_arguments_are_shown_without_what_is_secret(tmp_path: Path, server: str, shown: list[str]) -> None:
    (tmp_path / "a.vega.yaml").write_text(
        "agents: {a: {system: 'See https://u:can/ary@h?token=canary', model: demo}}\n"
        f"settings: {{mcp: {{servers: [{{name: s, command: x, {server}}}, "
        "{name: h, url: 'https://h/mcp?code=canary'}]}}\n"
    )
    found = effective(str(tmp_path / "a.vega.yaml"), setup(tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT="http://o?k=canary"))
    servers = found["settings"]["mcp"]["servers"]
    assert servers[0]["args"] == shown
    assert servers[1]["url"] == "https://h/mcp?***"
    assert found["environment"]["OTEL_EXPORTER_OTLP_ENDPOINT"]["value"] == "http://o?***"
    assert not any(word in json.dumps(found) for word in ("canary", "ary@"))


def test_each_agent_has_the_model_that_it_will_have(tmp_path: Path, document: str) -> None:
    agents = effective(document, setup(tmp_path))["agents"]
    assert (agents["writer"]["model"], agents["other"]["model"]) == ("local", "demo")
    assert agents["writer"]["budget"]["limit"] == "$0.50"


def test_it_says_who_decided(tmp_path: Path, document: str) -> None:
    configured = Config(model="demo", db="of-config.db")
    found = effective(document, setup(tmp_path, configured, VEGA_ADDR=":4000"))
    assert found["model"] == {"value": "local", "from": "document"}
    assert found["db"] == {"value": "of-config.db", "from": "config.yaml"}
    assert found["addr"] == {"value": ":4000", "from": "VEGA_ADDR of the home's env"}
    assert effective(None, setup(tmp_path, configured))["model"] == {"value": "demo", "from": "config.yaml"}
    assert effective(None, setup(tmp_path, ANTHROPIC_API_KEY=""))["model"]["from"] == "no key is set"


def test_it_is_printed_as_yaml_and_as_json(
    tmp_path: Path, document: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MY_TOKEN", "canary-of-token")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "canary-of-key")
    assert invoke(["export", "config", document, "--home", str(tmp_path)]) == 0
    printed = load_data(capsys.readouterr().out)
    assert invoke(["export", "config", document, "--home", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == printed
