"""`vega chat`: its options. What it does is in `talk.py`."""

from __future__ import annotations

from pathlib import Path

import click

from vega_trio.cli import completing
from vega_trio.cli.options import Shared, vega_command


@vega_command(name="chat")
@click.argument("names", nargs=-1, metavar="[AGENT]", shell_complete=completing.agents_or_files)
@click.option(
    "-f",
    "--file",
    metavar="FILE",
    shell_complete=completing.files,
    help="A .vega.yaml or a directory (default: the only one here).",
)
@click.option("-c", "--continue", "resume", is_flag=True, help="Go on with the newest conversation of the database.")
@click.option("-p", "--print", "prompt", metavar="TEXT", help="Send TEXT, print the reply, leave.")
@click.option(
    "--db",
    metavar="PATH",
    shell_complete=completing.files,
    help="Keep the conversation in this database (default: in memory).",
)
@click.option(
    "--model",
    metavar="M",
    shell_complete=completing.models,
    help="The model for all agents: demo, local, or PROVIDER:NAME.",
)
@click.option("--approve", metavar="TOOL", multiple=True, help="Allow calls of this tool in advance (also TOOL_*).")
@click.option("--json", "as_json", is_flag=True, help="Print each reply as one JSON object on a line.")
@click.pass_context
def command(
    ctx: click.Context,
    names: tuple[str, ...],
    file: str | None,
    resume: bool,
    prompt: str | None,
    db: str | None,
    model: str | None,
    approve: tuple[str, ...],
    as_json: bool,
) -> int:
    """Talk to AGENT, by default the only one of FILE; without a FILE, to the built-in assistant.

    Ctrl-C stops an answer and keeps its text, Ctrl-D quits. Lines that are piped in are sent one by one.
    """
    from vega_trio.cli.talk import Request, talk

    agent, file = _who_and_where(names, file)
    request = Request(
        agent=agent,
        file=file,
        resume=resume,
        prompt=prompt,
        db=db,
        model=model,
        approve=approve,
        as_json=as_json,
    )
    return talk(request, Shared(ctx))


def _who_and_where(names: tuple[str, ...], file: str | None) -> tuple[str | None, str | None]:
    """The agent and the document; a document may stand among the arguments, too."""
    documents = [name for name in names if name.endswith((".yaml", ".yml")) or Path(name).is_dir()]
    agents = [name for name in names if name not in documents]
    if len(agents) > 1 or len(documents) + (file is not None) > 1:
        raise click.UsageError(f"there is one AGENT and one FILE, not {' '.join(names)}")
    return (agents[0] if agents else None), (documents[0] if documents else file)
