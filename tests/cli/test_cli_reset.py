"""`vega reset` deletes one database and nothing else; `vega completion` prints a shell's script."""

from __future__ import annotations

from pathlib import Path

import pytest
from cli_shell import Call, Done, Program, call, make_calls

from vega_trio.app.tokens import open_tokens
from vega_trio.app.wipe import wipe
from vega_trio.errors import StoreBusy, StoreError

pytestmark = pytest.mark.e2e

CALLS: dict[str, Call] = {
    "no yes": call("reset", files={".vega-serve.db": ""}),
    "yes": call("reset", "--yes", files={".vega-serve.db": "", ".vega-serve.db-wal": "x"}),
    "none": call("reset", "--yes", "--json"),
    "foreign": call("reset", "--yes", "--db", "notes.txt", files={"notes.txt": "mine"}),
    **{shell: call("completion", shell) for shell in ("bash", "zsh", "fish")},
    "no shell": call("completion", "basch"),
    "words": call(_VEGA_COMPLETE="bash_complete", COMP_WORDS="vega vali", COMP_CWORD="1"),
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, program: Program) -> tuple[dict[str, Done], Path]:
    folder = tmp_path_factory.mktemp("calls")
    return make_calls(CALLS, folder, program), folder


def test_reset_wants_a_yes(made: tuple[dict[str, Done], Path]) -> None:
    done, folder = made
    assert (done["no yes"].code, "--yes" in done["no yes"].err) == (2, True)
    assert (folder / "no-yes/.vega-serve.db").exists()
    assert (done["yes"].code, done["yes"].out) == (0, ".vega-serve.db: deleted\n")
    assert list((folder / "yes").glob(".vega-serve.db*")) == [folder / "yes/.vega-serve.db.lock"]


def test_reset_leaves_what_is_not_its_own(made: tuple[dict[str, Done], Path]) -> None:
    done, folder = made
    assert (done["none"].code, done["none"].out) == (0, '{"database": ".vega-serve.db", "deleted": false}\n')
    assert (done["foreign"].code, (folder / "foreign/notes.txt").read_text()) == (1, "mine")


async def test_a_database_that_is_open_is_not_deleted(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    async with open_tokens(str(path)):
        with pytest.raises(StoreBusy):
            wipe(str(path))
    assert wipe(str(path))
    assert not path.exists()
    path.write_text("SQLite format 3")
    with pytest.raises(StoreError, match="no database of vega's"):
        wipe(str(path))


def test_each_shell_gets_its_script(made: tuple[dict[str, Done], Path]) -> None:
    for shell in ("bash", "zsh", "fish"):
        assert (made[0][shell].code, made[0][shell].err) == (0, "")
        assert f"_VEGA_COMPLETE={shell}_complete" in made[0][shell].out
    assert made[0]["no shell"].code == 2
    assert (made[0]["words"].code, made[0]["words"].out) == (0, "plain,validate\n")
