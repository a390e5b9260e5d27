"""The application: a document at work. Each noun has its module; this is the front desk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any, Literal

import attrs
import trio

from vega_trio.app.admission import refuse_overload
from vega_trio.app.agents import AgentInfo, Agents
from vega_trio.app.approvals import Approval, ApprovalDesk
from vega_trio.app.archive import Archive
from vega_trio.app.chat import Chat, ChatMessage, ChatStatus, ChatStream, OpenTurn, open_turns
from vega_trio.app.compose import Composer
from vega_trio.app.config import Config
from vega_trio.app.costs import By, Costs, Spending, costs
from vega_trio.app.drill import Drill
from vega_trio.app.figures import figures_of
from vega_trio.app.files import Files
from vega_trio.app.fork import fork
from vega_trio.app.mcp import Mcp
from vega_trio.app.overview import Overview, ProcessDetail, Stats
from vega_trio.app.ownership import Hearing, Owners, owner_of, owners_of
from vega_trio.app.population import Population
from vega_trio.app.recovery import Recovery
from vega_trio.app.rewind import branch, rewind
from vega_trio.app.run import Run
from vega_trio.app.runbook import Runbook
from vega_trio.app.runs import Runs
from vega_trio.app.schedules import Schedules
from vega_trio.app.skills import Skills
from vega_trio.app.supervisors import SupervisorNode, supervisor_tree
from vega_trio.app.tool_values import ToolValues
from vega_trio.app.tools import ToolInfo, ToolList
from vega_trio.app.user_memory import Memories
from vega_trio.changes import ProcessRow, Promptly, Together
from vega_trio.diagnostics import Diagnostic
from vega_trio.dsl.document import Document
from vega_trio.dsl.workflow import WorkflowDefinition
from vega_trio.errors import StoreError, UnknownProcess
from vega_trio.events import Event
from vega_trio.messages import Message
from vega_trio.protocols import Figures, Store
from vega_trio.runtime.bus import Subscription
from vega_trio.runtime.impact import Impact
from vega_trio.runtime.orchestrator import Orchestrator, SpawnTreeNode
from vega_trio.runtime.process import Process
from vega_trio.session import DEFAULT_USER, Reply, Session
from vega_trio.skills.prompt import SkillsPrompt
from vega_trio.tools.threads import AbandonedThread, Threads


@attrs.frozen(kw_only=True)
class App:
    """What the fronts see: agents, chat, processes, workflows, over one orchestrator and one store.

    `model_note` is one line for people when the built-in document fell back to another model, else empty.
    `started_at` is Unix seconds.
    """

    config: Config
    orch: Orchestrator
    store: Store
    model_note: str
    started_at: float
    catalogue: Agents
    chats: Chat
    composer: Composer
    spending: Spending
    overview: Overview
    runs: Runs
    recovery: Recovery
    desk: ApprovalDesk
    tool_list: ToolList
    threads: Threads
    mcp: Mcp
    memories: Memories
    tool_values: ToolValues
    files: Files
    schedules: Schedules
    drill: Drill

    @property
    def document(self) -> Document:
        """The document as it is now."""
        return self.config.document

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        """Of the document."""
        return self.config.warnings

    @property
    def skills(self) -> Skills:
        """What was found for the document."""
        return self.config.workshop.skills

    def figures(self) -> Figures:
        """Processes, restarts, mailboxes and budgets at the moment."""
        return figures_of(self.orch, self.spending.account)

    def zombie_threads(self) -> tuple[AbandonedThread, ...]:
        """Threads of tools whose calls were cancelled and which still run, the oldest first: nothing can stop one."""
        return self.threads.abandoned()

    def tools(self) -> list[ToolInfo]:
        """Every tool that agents may name, with who has it."""
        return self.tool_list.all(self.agents())

    def skill_holders(self) -> dict[str, list[str]]:
        """The agents that can have each skill, by its name."""
        found: dict[str, list[str]] = {}
        for info in self.agents():
            system = info.agent.system
            for skill in system.skills if isinstance(system, SkillsPrompt) else ():
                found.setdefault(skill.name, []).append(info.agent.name)
        return found

    async def resume(self) -> None:
        """Takes up what an earlier program left behind, unless that has been done."""
        await self.recovery.run()

    async def resume_run(self, run_id: str) -> Run | None:
        """Takes up one run that an earlier program left behind, and nothing else; None when it is not running."""
        return await self.recovery.take_up_run(run_id)

    def agents(self) -> list[AgentInfo]:
        return self.catalogue.all()

    def agent(self, name: str) -> AgentInfo:
        """Raises: UnknownAgent."""
        return self.catalogue.get(name)

    @property
    def population(self) -> Population:
        """The local catalogue."""
        return Population(self.config.workshop, self.composer)

    async def new_session(self, agent: str, user: str = DEFAULT_USER, title: str = "") -> Session:
        """A fresh conversation, which is from now on the one that messages without a session id belong to.

        Raises: UnknownAgent.
        """
        return await self.chats.sessions.start(agent, user, title)

    @property
    def archive(self) -> Archive:
        """The stored conversations."""
        return Archive(self.chats.sessions)

    async def delete_session(self, user: str, session_id: str) -> None:
        """Stops what goes on in a conversation and forgets it. Raises: UnknownSession."""
        info = await self.archive.get(user, session_id)
        process = self.chats.sessions.living(info.session)
        if process is not None:
            process.drop_waiting()
            await self.orch.stop(process.id)
        await self.clear(info.session)
        await self.archive.delete(user, session_id)

    async def rewind(self, user: str, session_id: str, message_id: str | None = None) -> tuple[Session, Message]:
        """Forgets a turn and what came after it; the conversation, and what had been asked. Raises: as `rewind`."""
        session = (await self.archive.get(user, session_id)).session
        return session, await rewind(self.chats.sessions, session, message_id)

    async def branch(self, user: str, session_id: str, message_id: str | None, title: str) -> Session:
        """A new conversation that begins as another did. Raises: UnknownSession; as `branch`."""
        info = await self.archive.get(user, session_id)
        return await branch(self.chats.sessions, info.session, message_id, title or info.title)

    async def resolve(self, session: Session) -> Session:
        """The session with its id: the one it names, else the newest of (agent, user), else one not begun yet.

        Raises: UnknownAgent; UnknownProcess when there is no session with that id for that agent and user.
        """
        return await self.chats.sessions.resolve(session)

    async def thread(self, session: Session, name: str) -> Session:
        """The conversation of the session's agent and user that a client has a name of its own for; a new one at first.

        Raises: UnknownAgent.
        """
        return await self.chats.sessions.thread(session.agent, session.user, name)

    def chat(
        self, session: Session, text: str | Message, *, turn_id: str | None = None
    ) -> AbstractAsyncContextManager[ChatStream]:
        """Sends a message and hands out its turn's events, the last being one of `events.TURN_ENDS`. What is more than
        text, as images, is sent as a `Message`.

        Leaving early leaves the turn running.

        Raises: UnknownAgent, MailboxFull, TooManyProcesses, OrchestratorClosed; in the iteration ProcessExited,
            SlowSubscriber.
        """
        return self.chats.open(session, text, turn_id=turn_id)

    async def ask(self, session: Session, text: str | Message) -> Reply:
        """Sends a message and waits for the reply. Raises as `chat`, and TurnFailed, TurnCancelled."""
        return await self.chats.ask(session, text)

    async def transcript(self, session: Session) -> list[ChatMessage]:
        return await self.chats.transcript(session)

    async def clear(self, session: Session) -> None:
        await self.chats.clear(session)

    async def stop_turn(self, session: Session) -> str | None:
        return await self.chats.stop(session)

    async def chat_status(self, session: Session) -> ChatStatus:
        return await self.chats.status(session)

    def turn_is_open(self, session: Session, turn_id: str) -> bool:
        """Whether a turn of a session waits or goes on. The session has its id, as `resolve` gives it."""
        return self.chats.awaits(session, turn_id)

    async def turn(self, turn_id: str) -> dict[str, Any] | None:
        """The record of a turn that has ended: status (finished, failed, cancelled), session, user, cost and so on."""
        return await self.store.records.get("turn", turn_id)

    def open_turns(self) -> list[OpenTurn]:
        return open_turns(self.orch)

    async def processes(self, *, status: str | None = None, agent: str | None = None) -> list[ProcessRow]:
        return await self.overview.processes(status=status, agent=agent)

    async def owner_of(self, process_id: str) -> str:
        """Whose a process is, living or past; nobody's are the operator's."""
        return await owner_of(self.store, self.overview.row, process_id)

    async def owners(self) -> Owners:
        """Whose each process is, living or past."""
        return await owners_of(self.store, await self.overview.processes())

    async def hearing(self, user: str) -> Hearing:
        """Which events are the user's to hear."""
        return Hearing(user, await self.owners(), self.chats.sessions, self.runs, self.orch)

    async def process(self, process_id: str) -> ProcessDetail:
        """Raises: UnknownProcess."""
        return await self.overview.process(process_id)

    async def kill(self, process_id: str, *, subtree: bool = False) -> None:
        """Ends a process for good, with `subtree` also all that it and its children have spawned. Durable on return.

        Raises: UnknownProcess; StoreError, when they have ended all the same, and that is not on the disk. One that an
            earlier program left behind is on the disk alone: where nothing can be written it stays as it is.
        """
        if self.orch.recovered.get(process_id) is not None:
            refuse_overload(self.store)
        failures: list[UnknownProcess | StoreError] = []

        async def end(each: str) -> None:
            try:
                await self.orch.kill(each)
            except UnknownProcess as error:
                if each == process_id:  # one below it may have ended, and been forgotten, by itself
                    failures.append(error)
            except StoreError as error:
                failures.append(error)

        async with trio.open_nursery() as nursery:
            for each in (process_id, *(self.overview.descendants(process_id) if subtree else ())):
                nursery.start_soon(end, each)
        if failures:
            raise failures[0]
        await self.store.submit(Promptly(Together(()))).wait()

    def impact(self, process_id: str, action: Literal["kill", "restart"], *, subtree: bool = False) -> Impact:
        """Who dies, restarts and is told when a process is killed (with `subtree`: and all below it) or restarted.

        Raises: UnknownProcess.
        """
        return self.overview.impact(process_id, action, subtree=subtree)

    def restart(self, process_id: str) -> bool:
        """Begins to restart a process by its supervisor's strategy, not counted; its open turn goes on.

        False when it has ended, or nobody starts it again. Raises: UnknownProcess.
        """
        return self.orch.restart(process_id)

    async def stop_process(self, process_id: str) -> str | None:
        """Stops the turn that a living process has under way, and returns its id. Raises: UnknownProcess."""
        return await self.orch.get(process_id).stop_turn()

    async def costs(self, by: By, *, since: float = float("-inf"), user: str | None = None) -> Costs:
        """What the turns that ended at `since` (Unix seconds) or later have cost; with `user` that user's alone."""
        return await costs(self.store.records, by, since=since, user=user)

    def supervisors(self) -> SupervisorNode:
        """The supervision tree, the orchestrator being its root."""
        return supervisor_tree(self.orch)

    async def fork(self, process_id: str, *, at: int, model: str | None = None, system: str | None = None) -> Process:
        """A new process with a session of its own, as things stood after event `at`; it may have another model.

        Raises: UnknownProcess, UnknownAgent, InputError when there is no such event.
        """
        return await fork(self.chats.sessions, process_id, at, model=model, system=system)

    def spawn_tree(self) -> list[SpawnTreeNode]:
        return self.orch.spawn_tree()

    @property
    def uptime_s(self) -> float:
        """Seconds since it was opened."""
        return self.overview.uptime_s

    async def stats(self) -> Stats:
        return await self.overview.stats()

    def subscribe(
        self,
        *,
        types: Iterable[str | type] | None = None,
        match: Callable[[Event], bool] | None = None,
        buffer: int = 100,
    ) -> AbstractAsyncContextManager[Subscription]:
        return self.orch.bus.subscribe(types=types, match=match, buffer=buffer)

    async def approvals(self, status: str | None = None, *, user: str | None = None) -> list[Approval]:
        """Requests for a person's yes, newest first: pending, approved, denied, expired, cancelled."""
        return await self.desk.all(status, await self._is_of(user))

    async def approvals_page(
        self, limit: int, *, before: str | None = None, status: str | None = None, user: str | None = None
    ) -> list[Approval]:
        """As `approvals`, so many, from the one behind the request `before` on."""
        return await self.desk.page(limit, before=before, status=status, mine=await self._is_of(user))

    async def decide(
        self,
        approval_id: str,
        decision: str,
        *,
        arguments: Mapping[str, Any] | None = None,
        note: str = "",
        user: str | None = None,
    ) -> Approval:
        """Answers a request, "approve" or "deny"; durable on return. `arguments` take the place of those asked for.

        `note` is told to the model with a denial; `user`: only that user's requests are known.

        Raises: UnknownApproval, ApprovalDecided, ApprovalExpired; ValueError for another word; StoreError.
        """
        mine = await self._is_of(user)
        return await self.desk.decide(approval_id, decision, mine=mine, arguments=arguments, note=note)

    async def _is_of(self, user: str | None) -> Callable[[str], bool]:
        """Whether a process is the user's; None: every process is."""
        if user is None:
            return lambda process_id: True
        owners = await self.owners()
        return lambda process_id: owners.of(process_id) == user

    def workflows(self) -> list[WorkflowDefinition]:
        return self.runs.workflows()

    def workflow(self, name: str) -> WorkflowDefinition:
        """Raises: UnknownWorkflow."""
        return self.runs.workflow(name)

    @property
    def runbook(self) -> Runbook:
        """The runs under way and those that have ended."""
        return Runbook(self.runs)

    async def run(self, run_id: str) -> dict[str, Any]:
        """A run on record, with its steps, as its row. Raises: UnknownRun."""
        return await self.runbook.get(run_id)

    async def run_workflow(
        self,
        name: str,
        inputs: Mapping[str, object],
        *,
        primary_text: str | None = None,
        timeout: float | None = None,
        user: str = DEFAULT_USER,
    ) -> Run:
        """Starts a run and returns at once; `await run.wait()` gives its result.

        `primary_text` binds to the primary input; `timeout`, in seconds, replaces the workflow's own. What the run
        remembers is the `user`'s.

        Raises: UnknownWorkflow, InputError, before anything starts.
        """
        return await self.runs.start(name, inputs, primary_text=primary_text, timeout=timeout, user=user)
