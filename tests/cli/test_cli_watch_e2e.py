"""`vega watch` at a terminal."""

from __future__ import annotations

import pytest
from cli_shell import DOCUMENT, Shell
from person import at_terminal

pytestmark = pytest.mark.e2e


def test_it_runs_again_when_the_document_changes_and_says_what_is_wrong(vega: Shell) -> None:
    with at_terminal(vega, "watch", "--workflow", "echo", "--value", "x", "--no-color", code=130) as person:
        person.wait_for('"value":"x"')
        person.wait_for("save a file to run again")
        vega.write("team.vega.yaml", DOCUMENT.replace("{{value}}", "{{vlaue}}"))
        person.wait_for("did you mean 'value'?")
        person.wait_for("save a file to run again")
        vega.write("team.vega.yaml", DOCUMENT.replace("{{value}}", "{{value | upper}}"))
        person.wait_for('"value":"X"')
        person.wait_for("save a file to run again")
        person.type("\x03")
