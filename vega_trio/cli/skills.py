"""`vega skills`."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from vega_trio.cli import completing
from vega_trio.cli.options import Shared, shared_options, vega_command

if TYPE_CHECKING:
    from pathlib import Path

    from vega_trio.app.skills import Skill, Skills


def _file_option(function: Callable[..., Any]) -> Callable[..., Any]:
    option = click.option(
        "-f", "--file", metavar="FILE", shell_complete=completing.files, help="A document (default: the only one here)."
    )
    return click.argument("path", required=False, metavar="[FILE|DIRECTORY]", shell_complete=completing.files)(
        option(function)
    )


@vega_command(name="list")
@_file_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line.")
@click.pass_context
def list_command(ctx: click.Context, path: str | None, file: str | None, as_json: bool) -> int:
    """List the skills that the agents of FILE can have, or those of a DIRECTORY of skills."""
    from vega_trio.cli.terminal import put, safe

    skills, _ = _open(ctx, path or file)
    for each in skills.all:
        if as_json:
            put(json.dumps(_described(each), ensure_ascii=False) + "\n")
        else:
            state = "" if each.trusted else "\tnot trusted: look at it, then: vega skills check --trust"
            put(safe(f"{each.name}\t{each.description}\t{each.path}{state}") + "\n")
    return 0


@vega_command(name="check")
@_file_option
@click.option("--trust", is_flag=True, help="Record that you have looked at the skills outside the project.")
@click.option("--json", "as_json", is_flag=True, help="Print the findings as one JSON object.")
@click.pass_context
def check_command(ctx: click.Context, path: str | None, file: str | None, trust: bool, as_json: bool) -> int:
    """Check the skill files that FILE finds, or those of a DIRECTORY of skills; exits 1 when one cannot be used.

    Skills outside the project tell agents what to do, and are not used before you have looked at them. With --trust
    that is recorded for their very content: one that changes has to be looked at again.
    """
    from vega_trio.app.skills import record_trust
    from vega_trio.cli.terminal import put, safe

    skills, home = _open(ctx, path or file)
    waiting = [each for each in skills.all if not each.trusted]
    recorded = record_trust(waiting, home) if trust else 0
    if as_json:
        problems = [{"path": str(each.path), "message": each.message} for each in skills.problems]
        untrusted = [] if trust else [str(each.path) for each in waiting]
        found = {"skills": len(skills.all), "problems": problems, "untrusted": untrusted, "trusted": recorded}
        put(json.dumps(found, ensure_ascii=False) + "\n")
        return 1 if problems else 0
    for problem in skills.problems:
        click.echo(safe(f"error: {problem}"), err=True)
    for each in waiting:
        put(safe(f"{'trusted now' if trust else 'not trusted'}: {each.name} ({each.path})") + "\n")
    count = len(skills.all)
    put(f"{count} skill{'' if count == 1 else 's'}, {len(skills.problems)} that cannot be used\n")
    return 1 if skills.problems else 0


def _open(ctx: click.Context, path: str | None) -> tuple[Skills, Path]:
    """The skills of a document or a directory, and the home. Raises: DocumentError, ConfigError, Failure."""
    from pathlib import Path

    from vega_trio.app.disk import directory_of
    from vega_trio.app.skills import open_skills, skills_in
    from vega_trio.cli.config import open_setup
    from vega_trio.cli.documents import SUFFIX, choose_document, read_document

    shared = Shared(ctx)
    setup = open_setup(shared.home)
    source = choose_document(path)
    if source is None:
        return skills_in(setup.home / "skills", setup.home), setup.home
    if Path(source).is_dir() and not any(Path(source).glob("*" + SUFFIX)):
        return skills_in(Path(source), setup.home), setup.home
    document = read_document(source, setup, None)
    skills = open_skills(document, directory_of(document.file), setup.home)
    for definition in document.agents.values():
        skills.prompt(definition, "")  # finds those of its own directories
    return skills, setup.home


def _described(skill: Skill) -> dict[str, Any]:
    return {
        "name": skill.name,
        "description": skill.description,
        "path": str(skill.path),
        "tags": list(skill.tags),
        "tools": list(skill.tools),
        "triggers": len(skill.triggers),
        "trusted": skill.trusted,
    }


command = click.Group(
    "skills",
    commands=[list_command, check_command],
    params=shared_options(),
    help="List and check skills: pieces of prompts that agents get when a message calls for them.",
)
