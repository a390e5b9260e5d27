"""`vega keys`: what is kept, what stays, and that no key is ever shown."""

from __future__ import annotations

import json
import stat

import pytest
from cli_shell import Call, Done, Program, Shell, call, make_calls
from person import at_terminal

from vega_trio.cli.config import parse_env
from vega_trio.cli.env_file import changed, quoted

pytestmark = pytest.mark.e2e

KEY = "sk-ant-very-secret"
BEFORE = "# mine\nexport ANTHROPIC_API_KEY='old-one'\n\nVEGA_MODEL=demo # fast\nANTHROPIC_API_KEY=old-two\n"
CALLS: dict[str, Call] = {
    "set": call("keys", "set", "anthropic", stdin=KEY + "\n"),
    "set json": call("keys", "set", "OpenAI", "--json", stdin=KEY),
    "set variable": call("keys", "set", "MY_TOKEN", stdin="with 'quotes\" $HOME `x` \\ and blanks\n"),
    "nothing": call("keys", "set", "anthropic", stdin="\n"),
    "two lines": call("keys", "set", "anthropic", stdin=f"{KEY}\nmore\n"),
    "a slip": call("keys", "set", "antropic", stdin=KEY),
    "the key as name": call("keys", "set", KEY + "-that-is-long", stdin=KEY),
    "shell": call("keys", "set", "brave", stdin=KEY, BRAVE_API_KEY="another"),
    "broken file": call("keys", "set", "brave", stdin=KEY, files={"home/env": "no variable\n"}),
    "list": call("keys", "list", files={"home/env": BEFORE}, BRAVE_API_KEY=KEY),
    "list json": call("keys", "list", "--json", files={"home/env": BEFORE}),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, program: Program) -> tuple[dict[str, Done], Shell]:
    folder = tmp_path_factory.mktemp("calls")
    return make_calls(CALLS, folder, program), Shell(folder)


def test_a_piped_key_is_kept_for_its_owner_alone(made: tuple[dict[str, Done], Shell]) -> None:
    done, shell = made
    assert (done["set"].code, done["set"].err) == (0, "")
    assert shell.read("set/home/env") == f"ANTHROPIC_API_KEY={KEY}\n"
    assert stat.S_IMODE((shell.cwd / "set/home/env").stat().st_mode) == 0o600
    assert stat.S_IMODE((shell.cwd / "set/home").stat().st_mode) == 0o700
    assert json.loads(done["set json"].out)["name"] == "OPENAI_API_KEY"
    assert parse_env(shell.read("set-variable/home/env"), "env")["MY_TOKEN"].startswith(
        "with 'quotes\" $HOME `x` \\ and"
    )


def test_no_answer_shows_a_key(made: tuple[dict[str, Done], Shell]) -> None:
    assert [name for name, each in made[0].items() if KEY in each.out + each.err] == []


@pytest.mark.parametrize("name", ["nothing", "two lines", "a slip", "the key as name", "broken file"])
def test_what_is_no_key_is_refused_and_nothing_written(made: tuple[dict[str, Done], Shell], name: str) -> None:
    done, shell = made
    assert (done[name].code, done[name].out) == (2, "")
    env = shell.cwd / name.replace(" ", "-") / "home" / "env"
    assert not env.exists() or env.read_text() == "no variable\n"


def test_a_slip_gets_a_suggestion_and_a_stronger_shell_a_warning(made: tuple[dict[str, Done], Shell]) -> None:
    assert "did you mean 'anthropic'?" in made[0]["a slip"].err
    assert made[0]["shell"].err.startswith("warning: the shell sets BRAVE_API_KEY too")


def test_the_list_has_names_and_places_only(made: tuple[dict[str, Done], Shell]) -> None:
    assert made[0]["list"].out == "ANTHROPIC_API_KEY\tfile\nBRAVE_API_KEY\tshell\nVEGA_MODEL\tfile\n"
    assert json.loads(made[0]["list json"].out.splitlines()[0]) == {"name": "ANTHROPIC_API_KEY", "from": "file"}


def test_a_file_that_others_can_read_is_warned_of_once(vega: Shell) -> None:
    vega.write("home/env", BEFORE)
    (vega.cwd / "home/env").chmod(0o644)
    process = vega.start("keys", "list")
    assert process.communicate(timeout=60)[1].count(b"has mode 0644") == 1


def test_at_a_terminal_the_key_is_asked_for_and_not_shown(vega: Shell) -> None:
    with at_terminal(vega, "keys", "set", "anthropic") as person:
        person.wait_for("ANTHROPIC_API_KEY:")
        person.type(KEY + "\n")
        person.wait_for("kept in")
    assert KEY not in person.all_seen
    assert vega.read("home/env") == f"ANTHROPIC_API_KEY={KEY}\n"


def test_other_lines_stay_and_older_values_go() -> None:
    after = changed(BEFORE, "ANTHROPIC_API_KEY", KEY)
    assert after == f"# mine\n\nVEGA_MODEL=demo # fast\nANTHROPIC_API_KEY={KEY}\n"
    assert changed("export A=1", "A", "2") == "export A=2"
    assert changed("A=1", "B", "2") == "A=1\nB=2\n"


@pytest.mark.parametrize("value", ["plain", "a b", "it's", "\"'", "a\\b'", "#x", "$HOME'`", "ü", "a'#\\n"])
def test_a_quoted_value_reads_back(value: str) -> None:
    assert parse_env(f"A={quoted(value)}", "env") == {"A": value}
