"""What `vega mcp add` does: one server more, in a document or at a server that runs."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any, Final

import attrs

from vega_trio.app.mcp_config import make_config
from vega_trio.cli.config import open_setup
from vega_trio.cli.documents import need_document
from vega_trio.cli.failure import Failure, usage
from vega_trio.cli.mcp_document import ServerFile, open_for_servers
from vega_trio.cli.mcp_words import secrets_in
from vega_trio.cli.options import Shared
from vega_trio.cli.remote import open_remote
from vega_trio.cli.terminal import put, safe
from vega_trio.dsl.units import MOST_SECONDS, show_duration

LEAST_SECONDS: Final = 0.001  # as documents have it


@attrs.frozen(kw_only=True)
class Given:
    """What stands on the command line. `what` is a command, an address or, for a server of the registry, nothing.

    In `env` and `headers` None is a name without a value.
    """

    name: str
    what: str | None
    args: tuple[str, ...]
    env: Mapping[str, str | None] = attrs.field(repr=False)
    headers: Mapping[str, str] = attrs.field(repr=False)
    transport: str | None
    timeout_s: float | None

    def described(self, env: Mapping[str, str], timeout: object) -> dict[str, Any]:
        """As documents and the API have it, without what was not said."""
        key = "url" if self.what is not None and self.what.startswith(("http://", "https://")) else "command"
        found = {
            "transport": self.transport,
            key: self.what,
            "args": list(self.args),
            "env": dict(env),
            "headers": dict(self.headers),
            "timeout": timeout,
        }
        return {name: value for name, value in found.items() if value}


def add_server(given: Given, file: str | None, shared: Shared, *, as_json: bool) -> int:
    """Adds it to FILE, or to the server at `--url`. Returns the exit code.

    Raises: Failure, ConfigError, DocumentError; then nothing was added.
    """
    for header, text in given.headers.items():
        if not header or not text:
            raise usage(f"the header {header!r} has no text", "write for example --header 'X-Team: red'")
    if given.timeout_s is not None and not LEAST_SECONDS <= given.timeout_s <= MOST_SECONDS:
        hint = f"give seconds, from {LEAST_SECONDS} to {MOST_SECONDS:.0f}, which is ten years"
        raise usage(f"--timeout {given.timeout_s} is no time that a call may take", hint)
    if shared.url is not None:
        added = _add_there(given, shared)
        said = f"{given.name}: added at {shared.url}, " + ("connected" if added["connected"] else "not connected")
    else:
        document = open_for_servers(need_document(file, "mcp add NAME -f"), shared)
        _add_here(given, document)
        added = {"name": given.name, "file": str(document.path)}
        said = f"{given.name}: added to {document.path}"
    put((json.dumps(added) if as_json else said) + "\n")
    if not as_json and not shared.quiet:
        sys.stderr.write(safe(f"agents have its tools by {given.name}__* among their tools") + "\n")
    return 0


def _add_here(given: Given, document: ServerFile) -> None:
    """A name without a value becomes a variable of the environment, and a secret is refused."""
    if given.name in document.names:
        raise Failure(f"{document.path} has an MCP server {given.name!r} already", "choose another name, or edit it")
    env = {key: f"${{{key}}}" if value is None else value for key, value in given.env.items()}
    timeout = None if given.timeout_s is None else show_duration(given.timeout_s)
    server = given.described(env, timeout)
    for key, name in secrets_in(given.name, server).items():
        hint = f"vega keys set {name}, and write '${{{name}}}' where it stands"
        raise usage(f"the value of {key} looks like a secret, and others may read {document.path}", hint)
    make_config(  # says what is wrong in the words of the command line, before the document's are
        given.name,
        transport=server.get("transport"),
        command=server.get("command"),
        args=given.args,
        env=env,
        url=server.get("url"),
        headers=given.headers,
        host=document.setup.env,
    )
    document.add({given.name: server})


def _add_there(given: Given, shared: Shared) -> dict[str, Any]:
    """The server keeps it in its database; a name without a value has the one of the environment here."""
    setup = open_setup(shared.home)
    missing = [name for name, value in given.env.items() if value is None and not setup.env.get(name)]
    if missing:
        raise usage(f"{missing[0]} is not set here", f"vega keys set {missing[0]}, or give --env {missing[0]}=VALUE")
    env = {name: setup.env[name] if value is None else value for name, value in given.env.items()}
    body = {"name": given.name, **given.described(env, given.timeout_s)}
    answer: dict[str, Any] = open_remote(setup, shared.url).post("/api/mcp/servers", body)
    return answer
