"""The log of a command: levels, lines of JSON, and no secrets."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import click
import pytest

from vega_trio.cli.log_output import start_logging
from vega_trio.cli.options import Shared
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
