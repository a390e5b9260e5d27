"""The document at work: shown, replaced, and taken up anew while chats and runs go on.

What is taken up at once: agents, workflows, tools, and the settings that these are made with. The rest of the settings,
MCP servers among them, holds from the next start on. Who is at work goes on as it was and has the change from its next
message on; a run goes on with the workflow that it began with.

A document can name programs. Whoever replaces it over the API may name no more than were named, unless the server was
started to allow that.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import attrs

from vega_trio.app.agents import AgentInfo, Agents, Workshop
from vega_trio.app.compose import Composer
from vega_trio.app.disk import replace_file
from vega_trio.app.files import Files
from vega_trio.app.knowledge import resources_of
from vega_trio.app.mcp import Mcp
from vega_trio.app.runs import Runs
from vega_trio.app.sessions import leave_when_idle
from vega_trio.app.skills import open_skills
from vega_trio.app.source import Order, reread
from vega_trio.app.teamwork import Teamwork
from vega_trio.app.tool_values import ToolValues
from vega_trio.app.toolbelt import named_tools_of, sandbox_of
from vega_trio.app.tools import ToolList
from vega_trio.diagnostics import Diagnostic
from vega_trio.dsl.builtin import BUILTIN_NAME, BUILTIN_TEXT
from vega_trio.dsl.document import AgentDefinition, Document, Settings
from vega_trio.dsl.tool import ExecImpl
from vega_trio.errors import AgentProtected, Conflict
from vega_trio.events import AgentCreated, AgentDeleted, AgentUpdated
from vega_trio.protocols import Tool
from vega_trio.tools.files import in_thread

LIVE = frozenset(
    {
        "default_model", "fallback_model", "default_temperature", "sandbox", "supervision", "retry", "circuit_breaker",
        "delegation", "skills_directories", "skills_trust", "http_allow", "commands_sandbox", "values",
    }
)  # fmt: skip
"""The settings that agents and tools are made with."""


@attrs.frozen(kw_only=True)
class Replaced:
    """What came of a new document. `restart` names the settings whose change waits for the next start."""

    document: Document
    warnings: tuple[Diagnostic, ...]
    created: tuple[str, ...]
    updated: tuple[str, ...]
    deleted: tuple[str, ...]
    restart: tuple[str, ...]


@attrs.define(eq=False, kw_only=True)
class Config:
    """`app.config`. Where MCP servers may be any program, a document over the API may name any too."""

    order: Order
    workshop: Workshop
    agents: Agents
    composer: Composer
    runs: Runs
    tool_list: ToolList
    tool_values: ToolValues
    mcp: Mcp
    files: Files
    warnings: tuple[Diagnostic, ...]
    _busy: bool = attrs.field(default=False, init=False)

    @property
    def document(self) -> Document:
        return self.workshop.document

    @property
    def path(self) -> Path | None:
        """The document's file; None where it is no single one."""
        path = Path(self.document.file)
        return path if self.document.file != BUILTIN_NAME and path.is_file() else None

    async def text(self) -> str | None:
        """As it is on the disk; None where it is no single file."""
        if self.document.file == BUILTIN_NAME:
            return BUILTIN_TEXT.decode()
        path = self.path
        return None if path is None else await in_thread(lambda: path.read_bytes().decode("utf-8", "replace"))

    async def replace(self, text: str) -> Replaced:
        """Takes up another text, and writes it into the document's file.

        Raises: DocumentError, with nothing changed; ConfigError; AgentProtected for a program that is not allowed;
            Conflict where there is no file, or it cannot be written.
        """
        path = self.path
        if path is None:
            raise Conflict(f"{self.document.file} is no single file; edit its files, or start with one: vega init")
        return await self._exclusively(text, path)

    async def reload(self) -> Replaced:
        """Takes up what the document's files say now. Raises: as `replace`."""
        return await self._exclusively(None, None)

    async def _exclusively(self, text: str | None, path: Path | None) -> Replaced:
        if self._busy:
            raise Conflict("another edit of the document is just being taken up; send again in a moment")
        self._busy = True
        try:
            document, warnings = await in_thread(lambda: reread(self.order, None if text is None else text.encode()))
            if path is not None:
                self._check_programs(document)
            self._check_names(document)
            taken = await self._made(document)
            if path is not None and text is not None:
                await in_thread(lambda: _write(path, text.encode()))
            return await self._take_up(*taken, warnings)
        finally:
            self._busy = False

    def _check_names(self, document: Document) -> None:
        for name in document.agents:
            if self.composer.keys(name):
                raise Conflict(f"the document defines {name!r}, and there is a composed agent of that name; rename one")

    def _check_programs(self, document: Document) -> None:
        if self.mcp.any_command:
            return
        new = _programs(document) - _programs(self.document)
        if new:
            text = f"the document names programs that it did not name before: {', '.join(sorted(new))[:200]}"
            raise AgentProtected(f"{text}; start the server with --allow-mcp-commands, or edit the file itself")

    async def _made(self, document: Document) -> tuple[Workshop, dict[str, Tool], dict[str, AgentInfo]]:
        """All that the document needs, beside what is at work. Raises: ConfigError."""
        tools = named_tools_of(self.order, document, self.mcp.resource_tool(), self.tool_values.stored)
        teams = Teamwork(self.workshop.teams.agent, self.workshop.teams.group)
        workshop = attrs.evolve(
            self.workshop,
            document=document,
            factory=attrs.evolve(self.workshop.factory, named_tools=tools),
            skills=await in_thread(lambda: open_skills(document, self.order.base, self.order.home)),
            teams=teams,
        )
        teams.know(document)
        known = await self.mcp.resources(resources_of(document.agents.values()))
        return workshop, tools, {each.name: workshop.agent(each, known) for each in document.agents.values()}

    async def _take_up(
        self, made: Workshop, tools: dict[str, Tool], infos: dict[str, AgentInfo], warnings: tuple[Diagnostic, ...]
    ) -> Replaced:
        before, document = self.document, made.document
        changed = _changed(before.agents, document.agents)
        composed = {name: info for name, info in self.agents.by_name.items() if name not in before.agents}
        builtin = {name: info for name, info in composed.items() if info.source == "builtin"}
        # Nothing is awaited from here to the events: nobody sees half of it.
        self.agents.by_name.clear()
        self.agents.by_name.update({**builtin, **infos, **{k: v for k, v in composed.items() if k not in infos}})
        self.workshop.document, self.workshop.skills, self.workshop.teams = document, made.skills, made.teams
        self.workshop.factory.named_tools = tools
        self.tool_list.named, self.tool_list.document, self.runs.document = tools, document, document
        self.tool_values.document = document.settings.values
        self.files.root = sandbox_of(self.order.base, document.settings)
        self.warnings = warnings
        self.composer.remake()
        touched = {name for names in changed for name in names}
        for process in self.runs.orch.processes():
            if process.session is not None and process.agent_name in touched:
                leave_when_idle(process)
        await self._tell(*changed)
        created, updated, deleted = changed
        return Replaced(
            document=document,
            warnings=warnings,
            created=created,
            updated=updated,
            deleted=deleted,
            restart=_waiting(before.settings, document.settings),
        )

    async def _tell(self, created: Iterable[str], updated: Iterable[str], deleted: Iterable[str]) -> None:
        emit = self.runs.orch.bus.emit
        commits = [emit(AgentCreated(agent=name, model=self.agents.get(name).model)) for name in created]
        commits += [emit(AgentUpdated(agent=name)) for name in updated]
        commits += [emit(AgentDeleted(agent=name)) for name in deleted]
        for commit in commits:
            assert commit is not None
            await commit.wait()


Names = tuple[str, ...]


def _changed(before: Mapping[str, AgentDefinition], after: Mapping[str, AgentDefinition]) -> tuple[Names, Names, Names]:
    """The agents that are new, that are others than they were, and that are gone."""
    created = tuple(name for name in after if name not in before)
    moved = ((name, attrs.evolve(before[name], place=new.place)) for name, new in after.items() if name in before)
    updated = tuple(name for name, old in moved if old != after[name])
    return created, updated, tuple(name for name in before if name not in after)


def _waiting(before: Settings, after: Settings) -> tuple[str, ...]:
    fields = (field.name for field in attrs.fields(Settings) if field.name not in LIVE)
    return tuple(name.removesuffix("_s") for name in fields if getattr(before, name) != getattr(after, name))


def _programs(document: Document) -> set[str]:
    """What a document would have run on this machine, as far as it is not the registry's."""
    servers = document.settings.mcp_servers
    found = {f"MCP server {each.name}: {each.command} {each.args} {dict(each.env)}" for each in servers if each.command}
    found |= {f"MCP server {each.name}: {dict(each.env)} {each.args}" for each in servers if each.env or each.args}
    tools = document.tools.values()
    found |= {f"tool {each.name}: {each.implementation}" for each in tools if isinstance(each.implementation, ExecImpl)}
    return found | ({"commands.sandbox: none"} if document.settings.commands_sandbox == "none" else set())


def _write(path: Path, data: bytes) -> None:
    """Raises: Conflict."""
    try:
        replace_file(path, data)
    except OSError as error:
        raise Conflict(f"{path} cannot be written: {error.strerror}; nothing was changed") from error
