"""Which document and which database a command works on."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from vega_trio.cli.config import Setup
from vega_trio.cli.failure import usage
from vega_trio.errors import DocumentError, UnknownWorkflow, did_you_mean

if TYPE_CHECKING:
    from vega_trio.dsl.document import Document
    from vega_trio.dsl.workflow import WorkflowDefinition

SUFFIX = ".vega.yaml"
_OTHER_DATABASE = "make that directory writable, or name another database with --db or VEGA_DB"


def choose_document(given: str | None, directory: str | Path = ".") -> str | None:
    """The FILE that was given, else the only document in the directory; None when there is none.

    Raises: Failure when there are several to choose from.
    """
    if given is not None:
        return given
    found = sorted(path.name for path in Path(directory).glob("*" + SUFFIX) if path.is_file())
    if len(found) > 1:
        raise usage(f"there are {len(found)} documents here: {', '.join(found[:8])}", "name the one that is meant")
    return found[0] if found else None


def need_document(given: str | None, command: str) -> str:
    """As `choose_document`, for a command that cannot do without. Raises: Failure."""
    found = choose_document(given)
    if found is None:
        raise usage(
            f"there is no *{SUFFIX} in this directory",
            f"name a document: vega {command} FILE; vega init writes a first one",
        )
    return found


def database_or_memory(flag: str | None, setup: Setup) -> str | None:
    """The database that --db or VEGA_DB names; None keeps everything in memory. Raises: Failure."""
    path = flag or setup.env.get("VEGA_DB")
    return need_database(path) if path else None


def need_database(path: str) -> str:
    """The path of a database, when it can be made where it is to be. Raises: Failure."""
    folder = Path(path).parent
    if Path(path).is_dir():
        raise usage(f"the database {path!r} is a directory", "name a file in it, with --db or VEGA_DB")
    if not folder.is_dir():
        raise usage(f"the database {path!r} cannot be made: there is no directory {str(folder)!r}", _OTHER_DATABASE)
    if not os.access(folder, os.W_OK):
        raise usage(f"the database {path!r} cannot be kept in {str(folder)!r}: it is not writable", _OTHER_DATABASE)
    return path


def read_document(source: str, setup: Setup, model: str | None = None) -> Document:
    """The document, checked; `model` is what --model says. Raises: DocumentError."""
    from vega_trio.app.disk import Disk
    from vega_trio.app.models import providers
    from vega_trio.app.plugins import REGISTRY, plugins
    from vega_trio.dsl.parse import parse_document

    env = environment(setup, source, model)
    if model is not None:
        env = {**env, "VEGA_MODEL": model}
    parsed = parse_document(source, Disk(), env=env, providers=providers(), registry=REGISTRY, tools=plugins())
    if parsed.missing_env:
        raise DocumentError(parsed.missing_env)
    return parsed.document


def choose_workflow(document: Document, name: str | None) -> WorkflowDefinition:
    """The named workflow, else the only one. Raises: UnknownWorkflow, Failure."""
    if name is not None:
        found = document.workflows.get(name)
        if found is None:
            raise UnknownWorkflow(f"workflow {name!r} is not defined{did_you_mean(name, document.workflows)}")
        return found
    match list(document.workflows.values()):
        case [only]:
            return only
        case []:
            file = document.file
            raise usage(f"{file} has no workflows", f"talk to its agents: vega chat --file {file}")
        case several:
            names = ", ".join(each.name for each in several)
            raise usage(f"{document.file} has {len(several)} workflows", f"choose one with --workflow: {names}")


def environment(setup: Setup, source: str | None, model: str | None) -> Mapping[str, str]:
    """The environment for opening `source`: with the model of config.yaml where nothing else names one.

    An agent's own model and the document's default come first, so the document has to be looked at.

    Raises: DocumentError.
    """
    from vega_trio.app.disk import Disk
    from vega_trio.dsl.parse import parse_document

    if model is not None or setup.config.model is None or setup.env.get("VEGA_MODEL"):
        return setup.env
    env = {**setup.env, "VEGA_MODEL": setup.config.model}
    if source is not None and parse_document(source, Disk(), env=env).document.settings.default_model is not None:
        return setup.env
    return env
