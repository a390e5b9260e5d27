"""The log of a command: levels, lines of JSON, and no secrets."""

from __future__ import annotations

import json
import logging
import stat
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from vega_trio.cli.log_output import start_logging
from vega_trio.cli.options import Shared
from vega_trio.dsl.document import Document, LoggingDefinition, Settings
from vega_trio.errors import ConfigError

LOGGER = logging.getLogger("vega_trio")


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    handlers, level = list(LOGGER.handlers), LOGGER.level
    yield
    LOGGER.handlers[:] = handlers
    LOGGER.setLevel(level)
    LOGGER.propagate = True


def shared(**meta: object) -> Shared:
    context = click.Context(click.Command("run"))
    context.meta.update(meta)
    return Shared(context)


def test_a_line_of_json_has_the_fields_of_what_is_logged(capsys: pytest.CaptureFixture[str]) -> None:
    start_logging(shared(), {"VEGA_LOG": "info", "VEGA_LOG_FORMAT": "json"})
    fields = {"process": "p1", "agent": "coder", "turn": "t1", "incarnation": 2}
    logging.getLogger("vega_trio.turn").info("turn.finished %s", "agent=coder", extra={"vega": fields})
    line = json.loads(capsys.readouterr().err)
    assert line["time"].endswith("Z")
    assert {**fields, "level": "info", "logger": "vega_trio.turn", "message": "turn.finished agent=coder"}.items() <= (
        line.items()
    )


def test_the_option_goes_before_the_variable(capsys: pytest.CaptureFixture[str]) -> None:
    start_logging(shared(log_format="text"), {"VEGA_LOG_FORMAT": "json"})
    logging.getLogger("vega_trio.x").warning("plain")
    assert capsys.readouterr().err.endswith("WARNING vega_trio.x: plain\n")


def test_secrets_are_taken_out_of_texts_and_fields(capsys: pytest.CaptureFixture[str]) -> None:
    start_logging(shared(), {"MY_TOKEN": "canary-4711", "VEGA_LOG_FORMAT": "json"})
    logging.getLogger("vega_trio.x").warning("it is %s", "canary-4711", extra={"vega": {"error": "bad canary-4711"}})
    said = capsys.readouterr().err
    assert "canary-4711" not in said
    assert json.loads(said)["error"] == "bad ***"


def test_a_format_that_is_none_is_refused_by_name() -> None:
    with pytest.raises(ConfigError, match="VEGA_LOG_FORMAT is 'yaml'"):
        start_logging(shared(), {"VEGA_LOG_FORMAT": "yaml"})


# -- settings.logging


def document(folder: Path, key: str | None = None, **said: object) -> Document:
    settings = Settings(logging=LoggingDefinition(**said), api_key=key)  # type: ignore[arg-type]
    return Document(file=str(folder / "a.vega.yaml"), settings=settings)


def test_a_document_sets_level_and_format(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    log = start_logging(shared(), {})
    logging.getLogger("vega_trio.x").info("too early")
    log.follow(document(tmp_path, level="info", format="json"))
    logging.getLogger("vega_trio.x").info("heard")
    assert json.loads(capsys.readouterr().err)["message"] == "heard"


def test_flags_and_variables_go_before_the_document(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    start_logging(shared(quiet=True), {"VEGA_LOG_FORMAT": "text"}).follow(
        document(tmp_path, level="debug", format="json")
    )
    logging.getLogger("vega_trio.x").warning("unheard")
    logging.getLogger("vega_trio.x").error("heard")
    assert capsys.readouterr().err.endswith("ERROR vega_trio.x: heard\n")


def test_a_documents_file_has_what_stderr_has_not_and_is_private(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    log = start_logging(shared(), {})
    for _ in range(2):  # as `vega watch` does
        log.follow(document(tmp_path, key="canary-4711", level="info", file="x.log", format="json"))
    logging.getLogger("vega_trio.x").info("with canary-4711")
    path = tmp_path / "x.log"
    assert json.loads(path.read_text())["message"] == "with ***"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert capsys.readouterr().err == ""


def test_a_file_that_cannot_be_written_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"settings\.logging\.file: .*none/x\.log.* cannot be written"):
        start_logging(shared(), {}).follow(document(tmp_path, file="none/x.log"))
