"""The checks of `vega doctor`, each with what to do when it fails."""

from __future__ import annotations

import os
import platform
import shutil
from pathlib import Path

import attrs

from vega_trio.app.disk import directory_of
from vega_trio.app.mcp_config import config_of_definition
from vega_trio.app.models import parse_model_name, with_key
from vega_trio.app.wipe import check_is_ours
from vega_trio.cli.config import Setup
from vega_trio.cli.documents import choose_document, need_database, read_document
from vega_trio.cli.failure import Failure
from vega_trio.cli.keys import VARIABLES
from vega_trio.cli.serving import choose_address, choose_database
from vega_trio.dsl.document import Document, McpServerDefinition, Settings
from vega_trio.errors import ConfigError, DocumentError, StoreError
from vega_trio.serve.assets import INDEX, WEB_FOLDER
from vega_trio.serve.listener import open_listener, parse_address

_SHELL = frozenset({"run_command", "exec"})
KEYS = {provider: VARIABLES[provider] for provider in ("anthropic", "openai")}


@attrs.frozen
class Finding:
    """One check. `fix` is empty where nothing needs fixing."""

    check: str
    detail: str
    fix: str = ""

    @property
    def ok(self) -> bool:
        return not self.fix


def examine(file: str | None, setup: Setup) -> list[Finding]:
    """All checks, in the order in which things are needed. Calls no model and starts no server."""
    document, said = _document(file, setup)
    servers = document.settings.mcp_servers if document is not None else ()
    base = directory_of(document.file) if document is not None else Path()
    return [
        _python(),
        _bundle(WEB_FOLDER / INDEX),
        said,
        *_home(setup.home),
        *_keys(document, setup),
        *_commands(document),
        _database(setup),
        _port(setup),
        *(_mcp(server, Path(base), setup) for server in servers),
    ]


def _python() -> Finding:
    detail = f"{platform.python_version()} on {platform.system()}"
    if platform.system() != "Linux":
        detail += "; run_command needs settings.commands.sandbox: none here"
    return Finding("python", detail)  # an older one could not have come this far


def _bundle(page: Path) -> Finding:
    if page.is_file():
        return Finding("bundle", "the dashboard is built")
    return Finding("bundle", f"{page} is missing", "in a clone: make web; elsewhere install vega-trio from its wheel")


def _document(file: str | None, setup: Setup) -> tuple[Document | None, Finding]:
    try:
        source = choose_document(file)
        if source is None:
            return None, Finding("document", "none here; serve, repl and chat use the built-in one")
        return read_document(source, setup), Finding("document", f"{source} is valid")
    except Failure as error:
        return None, Finding("document", error.message, error.hint)
    except DocumentError as error:
        first = error.diagnostics[0]
        return None, Finding("document", f"{first.message} ({first.file}:{first.line})", "vega validate shows more")


def _home(home: Path) -> list[Finding]:
    """Only what is amiss: a home that is not there is made when it is needed."""
    remedy = "name another with --home or VEGA_HOME"
    if home.exists() and not home.is_dir():
        return [Finding("home", f"{home} is no directory", remedy)]
    if home.is_dir() and not os.access(home, os.R_OK | os.W_OK | os.X_OK):
        return [Finding("home", f"{home} cannot be read and written", f"chmod u+rwx {home}, or {remedy}")]
    return []


def _commands(document: Document | None) -> list[Finding]:
    """Only what is amiss: agents that may run commands, where nothing keeps those from the rest of the machine."""
    if document is None or document.settings.commands_sandbox == "none" or shutil.which("bwrap"):
        return []
    names = [each.name for each in document.agents.values() if each.tools == "all" or _SHELL & set(each.tools)]
    if not names:
        return []
    detail = f"{', '.join(names)} may run commands, and bubblewrap (bwrap), which isolates them, is not installed"
    return [Finding("commands", detail, "apt install bubblewrap, or accept it with settings.commands.sandbox: none")]


def _keys(document: Document | None, setup: Setup) -> list[Finding]:
    """One for each provider whose key the agents need."""
    settings = Settings() if document is None else document.settings
    env = with_key(setup.env, settings)
    default = env.get("VEGA_MODEL") or settings.default_model or setup.config.model or "anthropic:any"
    models = {default} if document is None else {agent.model or default for agent in document.agents.values()}
    needed = sorted({parse_model_name(model).provider for model in models} & set(KEYS))
    return [_key(name, bool(env.get(KEYS[name])), env.get("OPENAI_BASE_URL")) for name in needed] or [
        Finding("key", "none is needed")
    ]


def _key(provider: str, there: bool, elsewhere: str | None) -> Finding:
    if there:
        return Finding("key", f"{KEYS[provider]} is set")
    if provider == "openai" and elsewhere:
        return Finding("key", "OPENAI_BASE_URL names a server, which may need no key")
    return Finding("key", f"{KEYS[provider]} is not set", f"vega keys set {provider}, or use --model demo")


def _database(setup: Setup) -> Finding:
    try:
        path = Path(need_database(choose_database(None, setup)))
        if not path.exists():
            return Finding("database", f"{path} will be made")
        check_is_ours(path)
    except Failure as error:
        return Finding("database", error.message, error.hint)
    except (StoreError, OSError) as error:
        return Finding("database", str(error), "name another with --db or VEGA_DB")
    if not os.access(path, os.W_OK):
        return Finding("database", f"{path} is not writable", f"chmod u+w {path}, or name another with VEGA_DB")
    return Finding("database", f"{path} is usable")


def _port(setup: Setup) -> Finding:
    address = choose_address(None, setup)
    try:
        open_listener(parse_address(address)).close()
    except ConfigError as error:
        return Finding("port", str(error), "stop what listens there, or choose another: vega serve --addr :0")
    return Finding("port", f"{address} is free")


def _mcp(server: McpServerDefinition, base: Path, setup: Setup) -> Finding:
    name = f"mcp {server.name}"
    try:
        config = config_of_definition(server, base, setup.env)
    except ConfigError as error:
        return Finding(name, str(error), "correct settings.mcp.servers in the document")
    if not config.command:
        return Finding(name, f"at {config.url}")
    program = config.command[0]
    if shutil.which(program, path=config.env.get("PATH", setup.env.get("PATH"))) is None:
        return Finding(name, f"the program {program!r} is not found", f"install {program!r}, or correct its command")
    return Finding(name, f"{program} is there")
