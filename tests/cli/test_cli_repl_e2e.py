"""The REPL, typed into by a person at a real terminal."""

from __future__ import annotations

import os
import signal
import stat
import sys

import pytest
from cli_shell import DOCUMENT, Shell
from person import Person, at_terminal

pytestmark = pytest.mark.e2e

TWO = DOCUMENT.replace("agents:\n", "agents:\n  other: {model: demo, system: Be other.}\n", 1)


def prompt(person: Person, text: str = "[writer]>") -> None:
    person.wait_for(text)


def test_a_conversation_with_words_variables_and_a_workflow(vega: Shell) -> None:
    vega.write("team.vega.yaml", TWO)
    with at_terminal(vega, "repl", "--no-color") as person:
        prompt(person, "vega>")
        person.type("/ask wri\t")
        person.wait_for("ter")  # only what is new is painted
        person.type("\r")
        prompt(person)
        person.type("yes or no\r")
        prompt(person)
        person.type("/save answer\r")
        person.wait_for("saved answer")
        prompt(person)
        person.type('other <- "shorter: {{answer | truncate:5}}"\r')
        person.wait_for("demo model")
        prompt(person)
        person.type("run write --task x --rounds 2\r")
        person.wait_for("write: completed")
        prompt(person)
        person.type("/bogsu\r")
        person.wait_for("there is no command /bogsu")
        prompt(person)
        person.type("/end\r")
        prompt(person, "vega>")
        person.type("\x04")


def test_esc_stops_an_answer_and_keeps_its_text_and_ctrl_c_too(vega: Shell) -> None:
    with at_terminal(vega, "repl", "--no-color") as person:
        prompt(person)
        for key in ("\x1b", "\x03"):
            person.type("slow please\r")
            person.wait_for("1 A process")
            person.type(key)
            prompt(person)
            person.type("/save part\r")
            person.wait_for("saved part")
            prompt(person)
        person.type("\x03")
        person.wait_for("Ctrl-D quits")
        person.type("/quit\r")


def test_a_tool_call_is_one_line_that_ctrl_o_unfolds(vega: Shell) -> None:
    (vega.cwd / "team.vega.yaml").unlink()
    with at_terminal(vega, "repl", "--no-color") as person:
        prompt(person, "[assistant]>")
        person.type("search for Go releases\r")
        person.wait_for('· web_search {"query"')
        person.wait_for("· web_search done in")
        prompt(person, "[assistant]>")
        assert "result:" not in person.all_seen
        person.type("\x0f")
        person.wait_for("tool calls are unfolded")
        person.wait_for("result:")
        person.type("/quit\r")


EDITOR = """\
import sys, termios, tty
path = sys.argv[2]
print("editing", repr(open(path).read()), sys.argv[1])
if sys.argv[1] == "broken;":
    tty.setraw(0)  # and never puts it back
    sys.exit(3)
if sys.argv[1] != "idle":
    open(path, "w").write(sys.argv[1] + "\\n")
"""


def test_a_message_is_written_in_the_editor_of_the_person(vega: Shell) -> None:
    vega.write("editor.py", EDITOR)
    with at_terminal(vega, "repl", "--no-color", EDITOR=f"'{sys.executable}' editor.py 'yes or no'") as person:
        prompt(person)
        person.type("/edit\r")
        person.wait_for("editing '' yes or no")
        person.wait_for("yes")
        prompt(person)
        person.type("/edit\r")
        person.wait_for("editing 'yes or no' yes or no")
        person.wait_for("nothing is sent")
        prompt(person)
        person.type("/edit new\r")
        person.wait_for("editing '' yes or no")
        prompt(person)
        person.type("/quit\r")


def test_an_editor_that_fails_sends_nothing_and_leaves_the_terminal_sane(vega: Shell) -> None:
    vega.write("editor.py", EDITOR)
    with at_terminal(vega, "repl", "--no-color", VISUAL=f"{sys.executable} editor.py broken;", EDITOR="no") as person:
        prompt(person)
        person.type("/edit\r")
        person.wait_for("editing '' broken;")
        person.wait_for("ended with 3; nothing is sent")
        prompt(person)
        person.type("\x04")


def test_alt_enter_is_a_new_line_and_history_is_kept_and_searched(vega: Shell) -> None:
    with at_terminal(vega, "repl", "--no-color") as person:
        prompt(person)
        person.type("yes or no\x1b\rsecond line\r")
        person.wait_for("second line")
        prompt(person)
        person.wait_for("restarts 0")  # the bar below the new prompt: keys are its own again
        person.type("\x04")
    history = vega.cwd / "home" / "history"
    assert stat.S_IMODE(history.stat().st_mode) == 0o600
    assert "+yes or no\n+second line\n" in history.read_text()
    with at_terminal(vega, "repl", "--no-color") as person:
        prompt(person)
        person.type("\x12second")
        person.wait_for("reverse-i-search")
        person.wait_for("second line")
        person.type("\x03")
        prompt(person)
        person.type("\x04")


@pytest.mark.parametrize("busy", [False, True])
def test_sigterm_leaves_the_terminal_sane(vega: Shell, busy: bool) -> None:
    with at_terminal(vega, "repl", "--no-color", code=128 + signal.SIGTERM) as person:
        prompt(person)
        if busy:
            person.type("slow please\r")
            person.wait_for("1 A process")
        os.kill(person.process.pid, signal.SIGTERM)


def test_a_dumb_terminal_gets_plain_lines_and_a_prompt(vega: Shell) -> None:
    with at_terminal(vega, "repl", TERM="dumb") as person:
        prompt(person)
        person.type("yes or no\n")
        prompt(person)
        person.type("/quit\n")
    assert "\x1b" not in person.raw


ASKING = """\
tools:
  publish:
    description: Publishes a page.
    params: {page: {type: string, required: true}}
    implementation: {type: file_write, path: "{{page}}.txt", content: published}
    approval: always
agents:
  clerk: {model: demo, system: You work., tools: [publish]}
workflows:
  go: {inputs: [page], steps: [{clerk: 'Use publish with page="{{page}}"'}]}
"""


def test_a_call_that_needs_approval_waits_for_y_or_n_in_answers_and_in_workflows(vega: Shell) -> None:
    vega.write("team.vega.yaml", ASKING)
    with at_terminal(vega, "repl", "--no-color") as person:
        prompt(person, "[clerk]>")
        person.type('Use publish with page="one"\r')
        asked = person.wait_for("allow it? y or n")
        assert '"page": "one"' in asked
        person.type("y")
        prompt(person, "[clerk]>")
        hidden = "x" * 200 + "END"  # whoever says yes has seen all of it
        person.type(f'Use publish with page="{hidden}"\r')
        assert "END" in person.wait_for("allow it? y or n").replace("\r\n", "").split("asks to call", 1)[1]
        person.type("n")
        prompt(person, "[clerk]>")
        person.type("/run go two\r")
        person.wait_for("y or n")
        person.type("y")
        person.wait_for("go: completed")
        prompt(person, "[clerk]>")
        person.type("/run go three\r")
        person.wait_for("y or n")
        person.type("n")
        person.wait_for("go: completed")
        prompt(person, "[clerk]>")
        person.type("/quit\r")
    made = sorted(path.name for path in (vega.cwd / "workspace").iterdir())
    assert made == ["one.txt", "two.txt"]


def test_a_dumb_terminal_is_asked_for_an_approval_in_a_line(vega: Shell) -> None:
    vega.write("team.vega.yaml", ASKING)
    with at_terminal(vega, "repl", TERM="dumb") as person:
        prompt(person, "[clerk]>")
        person.type('Use publish with page="one"\n')
        person.wait_for("allow it? [y/N]")
        person.type("y\n")
        prompt(person, "[clerk]>")
        person.type("/run go two\n")
        person.wait_for("allow it? [y/N]")
        person.type("n\n")
        prompt(person, "[clerk]>")
        person.type("/quit\n")
    assert [path.name for path in (vega.cwd / "workspace").iterdir()] == ["one.txt"]
