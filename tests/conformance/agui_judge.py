"""Who judges AG-UI streams: the validator, and the protocol's own models and client, all by others and pinned."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import AsyncIterator, Iterable, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

import trio
from kits import open_kits, peers

open_kits()
from ag_ui.core import Event  # noqa: E402
from ag_ui_validate import ValidatorOptions, create_validator  # noqa: E402
from ag_ui_validate.transport import validate_body  # noqa: E402
from pydantic import BaseModel, TypeAdapter, ValidationError  # noqa: E402

CLIENT = "@ag-ui/client@1.0.0"
BAD_STREAMS = 41  # of its rules, five more are about connections, and have no stream
BUFFERED = "AGUI507"  # a hint that all came in one piece, as a short answer does

_EVENTS: TypeAdapter[BaseModel] = TypeAdapter(Event)


def findings(chunks: Sequence[bytes], content_type: str) -> tuple[list[dict[str, Any]], list[str]]:
    """The events of a stream, and what any judge says against it: errors, warnings and hints."""

    async def body() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    report = trio.run(validate_body, body(), content_type).report
    said = [f"{each.rule} {each.message}" for each in report.diagnostics if each.rule != BUFFERED]
    blocks = b"".join(chunks).decode().split("\n\n")
    events = [json.loads(block.removeprefix("data: ")) for block in blocks if block]
    if report.event_count != len(events):
        said.append(f"the validator has seen {report.event_count} events of {len(events)}")
    return events, [*said, *report.internal_errors, *(each for event in events for each in _misfits(event))]


def _misfits(event: dict[str, Any]) -> Iterable[str]:
    """What the protocol's own model of an event does not know or take."""
    try:
        read = _EVENTS.validate_python(event)
    except ValidationError as error:
        yield f"{event.get('type')}: {error}"
        return
    for name in read.model_extra or {}:
        yield f"{event['type']}: the protocol has no field {name!r}"


def refused_bad_streams() -> tuple[int, int]:
    """How many of the validator's own bad streams it finds to be so, by the rule that each breaks; and of how many."""
    folders = (resources.files("ag_ui_validate") / "spec" / "fixtures" / "invalid").iterdir()
    streams = [each for each in folders if (each / "stream.jsonl").is_file()]
    return sum(_is_refused(Path(str(each))) for each in streams), len(streams)


def _is_refused(folder: Path) -> bool:
    options = folder / "options.json"
    judge = create_validator(ValidatorOptions(**json.loads(options.read_text())) if options.exists() else None)
    for line in (folder / "stream.jsonl").read_text().splitlines():
        if line:
            judge.feed(line)
    judge.finalize()
    return folder.name.partition("-")[0] in {each.rule for each in judge.report().diagnostics}


def client_folder() -> Path:
    """Where the protocol's own client is installed, which it is on first use."""
    home = peers.folder() / "ag-ui"
    mark = home / "installed"
    if not (mark.is_file() and mark.read_text() == CLIENT):
        home.mkdir(parents=True, exist_ok=True)
        node = peers.node()
        env = {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ['PATH']}"}
        options = ("--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", "--prefix", str(home))
        command = [str(node), peers.npm_script("npm"), "install", *options, CLIENT]
        subprocess.run(command, check=True, env=env, cwd=home, stdout=subprocess.DEVNULL)
        mark.write_text(CLIENT)
    return home


def client_runs(url: str, cases: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What the client has after each run: its messages, our CUSTOM events, and the error, if there was one."""
    script = Path(__file__).parent / "agui_client.mjs"
    command = [str(peers.node()), str(script), str(client_folder()), url, json.dumps(cases)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=120)
    runs: list[dict[str, Any]] = json.loads(done.stdout)
    return runs
