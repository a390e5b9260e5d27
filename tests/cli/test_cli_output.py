from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from vega_trio.cli.failure import Failure
from vega_trio.cli.output import FORMATS, Output, parse_output, render, write

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(st.characters(codec="utf-8"), max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("value", "text"),
    [("plain", "plain\n"), ("ends\n", "ends\n"), (2.0, "2\n"), (True, "true\n"), (None, ""), ([1, "a"], '[1,"a"]\n')],
)
def test_text_prints_as_a_template_does(value: object, text: str) -> None:
    assert render(value, "text") == text


@given(VALUES)
def test_json_gives_the_value_back(value: object) -> None:
    assert json.loads(render(value, "json")) == value


@pytest.mark.parametrize("value", ["plain", "a: b", "yes", "12", None, 3, {"b": [1, {"a": "ü"}], "a": None}, "a\nb\n"])
def test_yaml_gives_the_value_back(value: object) -> None:
    yaml = YAML(typ="safe", pure=True)
    assert yaml.load(render(value, "yaml")) == value


def test_yaml_keeps_the_order_of_keys() -> None:
    assert render({"z": 1, "a": 2}, "yaml") == "z: 1\na: 2\n"


def test_output_is_a_format_or_a_path_whose_suffix_decides(tmp_path: Path) -> None:
    assert parse_output(None) == Output("text")
    assert parse_output("yaml") == Output("yaml")
    for name, format_ in (("a.json", "json"), ("a.YML", "yaml"), ("a.md", "text")):
        assert parse_output(str(tmp_path / name)) == Output(format_, tmp_path / name)


def test_a_path_that_cannot_be_written_is_refused_before_the_run(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "none" / "a.txt"):
        with pytest.raises(Failure, match="cannot be written"):
            parse_output(str(path))


def test_a_result_whose_file_has_become_unwritable_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = parse_output(str(tmp_path / "out.txt"))
    (tmp_path / "out.txt").mkdir()
    with pytest.raises(Failure, match="cannot be written"):
        write("precious", output)
    assert capsys.readouterr().out == "precious\n"


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


HOSTILE = "said\x1b]0;title\x07\x1b[2J\x9b1m\n"


@pytest.mark.parametrize("format_", FORMATS)
def test_a_result_cannot_steer_the_terminal(format_: str) -> None:
    with redirect_stdout(Terminal()) as screen:
        write(HOSTILE, Output(format_))
    shown = screen.getvalue()
    assert "said" in shown
    assert all(char == "\n" or char.isprintable() for char in shown)


def test_a_result_goes_into_a_pipe_and_into_a_file_as_it_is(tmp_path: Path) -> None:
    with redirect_stdout(io.StringIO()) as pipe:
        write(HOSTILE, Output("text"))
    write(HOSTILE, Output("text", tmp_path / "out.txt"))
    assert pipe.getvalue() == HOSTILE
    assert (tmp_path / "out.txt").read_text() == HOSTILE


def test_a_result_whose_file_fails_cannot_steer_the_terminal_either(tmp_path: Path) -> None:
    with redirect_stdout(Terminal()) as screen, pytest.raises(Failure):
        write(HOSTILE, Output("text", tmp_path))
    assert "\x1b" not in screen.getvalue()
