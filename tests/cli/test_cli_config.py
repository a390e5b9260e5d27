from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vega_trio.cli.config import Config, merge_env, open_setup, parse_env, read_config, read_env_file
from vega_trio.errors import ConfigError

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
PRINTABLE = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=20)


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("KEY=plain", "plain"),
        ("export KEY=plain", "plain"),
        ("  KEY = spaced  ", "spaced"),
        ("KEY=a b # comment", "a b"),
        ("KEY=a#b", "a#b"),
        ("KEY=", ""),
        ("KEY=# only a comment", ""),
        ("KEY='single # kept \\n'", "single # kept \\n"),
        ('KEY="double \\"quoted\\"\\n" # comment', 'double "quoted"\n'),
        ("KEY=https://host/?a=b", "https://host/?a=b"),
        ("KEY=first\nKEY=second", "second"),
        ("# comment\n\nKEY=x\r", "x"),
        ("\ufeffKEY=x", "x"),
    ],
)
def test_an_env_file_holds_variables_comments_quotes_and_export(line: str, value: str) -> None:
    assert parse_env(line, "env") == {"KEY": value}


@pytest.mark.parametrize("line", ["sk-ant-secret", "1KEY=sk-ant-secret", "KEY='sk-ant-secret", 'KEY="sk-ant-secret" x'])
def test_a_bad_env_line_is_named_by_number_and_never_shown(line: str) -> None:
    with pytest.raises(ConfigError, match="env:2: ") as caught:
        parse_env(f"GOOD=1\n{line}", "env")
    assert "sk-ant-secret" not in str(caught.value)


@given(st.dictionaries(NAMES, PRINTABLE, max_size=4))
def test_every_quoted_value_is_read_back_as_it_was(values: dict[str, str]) -> None:
    def quoted(text: str) -> str:
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    assert parse_env("\n".join(f"{name}={quoted(value)}" for name, value in values.items()), "env") == values


@given(st.text(max_size=60))
def test_any_text_is_an_env_file_or_a_clear_error(text: str) -> None:
    try:
        values = parse_env(text, "env")
    except ConfigError as error:
        place = str(error).split()[0]
    else:
        place = "env:1:" if all(isinstance(value, str) for value in values.values()) else ""
    assert place.startswith("env:")


def test_a_non_empty_variable_of_the_shell_wins_over_the_file() -> None:
    assert merge_env({"A": "file", "B": "file", "C": "file"}, {"A": "shell", "B": ""}) == {
        "A": "shell",
        "B": "file",
        "C": "file",
    }


def test_an_env_file_that_others_can_read_is_warned_about(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "env"
    path.write_text("KEY=value")
    path.chmod(0o644)
    assert read_env_file(path) == {"KEY": "value"}
    warning = capsys.readouterr().err
    assert "0644" in warning
    assert f"chmod 600 {path}" in warning
    path.chmod(0o600)
    read_env_file(path)
    assert capsys.readouterr().err == ""


def test_the_home_is_the_flag_then_the_environment_then_dot_vega(tmp_path: Path) -> None:
    assert open_setup(str(tmp_path), {"VEGA_HOME": "/elsewhere"}).home == tmp_path
    assert open_setup(None, {"VEGA_HOME": str(tmp_path / "env")}).home == tmp_path / "env"
    assert open_setup(str(tmp_path / "none"), {}).config == Config()


def test_config_yaml_gives_address_database_and_model(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("addr: ':8080'\ndb: team.db\nmodel: demo\n")
    assert open_setup(str(tmp_path), {}).config == Config(addr=":8080", db="team.db", model="demo")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("adr: ':8080'", "unknown key 'adr'; did you mean 'addr'"),
        ("addr: 8080", "addr must be a text in quotes, not 8080"),
        ("- addr", "must be a mapping"),
        ("addr: [", ":1: "),
        ("addr: a\naddr: b", "duplicate key"),
    ],
)
def test_a_wrong_config_yaml_is_refused_naming_file_and_key(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "config.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_config(path)
    assert str(path) in str(caught.value)
    assert message in str(caught.value)


def test_an_empty_config_yaml_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("# nothing yet\n")
    assert read_config(tmp_path / "config.yaml") == Config()


def test_a_config_yaml_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="not UTF-8"):
        read_config(tmp_path / "config.yaml")
