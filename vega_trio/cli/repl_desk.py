"""The REPL at work: carries out line after line, until there are no more or a signal says so."""

from __future__ import annotations

import shlex
import signal
import sys
from collections.abc import AsyncIterator
from functools import partial

import attrs
import trio

from vega_trio.app.application import App
from vega_trio.cli.documents import choose_workflow
from vega_trio.cli.failure import Failure, exit_code, show, usage
from vega_trio.cli.inputs import Given, bind, split_arguments
from vega_trio.cli.live import closing_line, show_progress
from vega_trio.cli.markdown import MarkdownScreen
from vega_trio.cli.output import render
from vega_trio.cli.progress import cut
from vega_trio.cli.repl_attention import Attention
from vega_trio.cli.repl_editor import edited
from vega_trio.cli.repl_export import save_conversation
from vega_trio.cli.repl_figures import bar_text, cost_lines, tool_lines, tree_lines
from vega_trio.cli.repl_prompt import Reader
from vega_trio.cli.repl_words import Names, Say, Tell, Word, Wrong, help_lines, understand
from vega_trio.cli.summary import listing
from vega_trio.cli.terminal import put, safe
from vega_trio.cli.turns import Screen, show_turn
from vega_trio.dsl.template import compile_template
from vega_trio.dsl.words import bad_variable
from vega_trio.dsl.workflow import WorkflowDefinition
from vega_trio.errors import RunCancelled, VegaError
from vega_trio.session import Session
from vega_trio.suggest import remedy

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@attrs.define(kw_only=True)
class Repl:
    """What the REPL remembers: whom it talks to, the variables, the last message and answer.

    `attended`: a person sits at a terminal. `editor` is the command of theirs, empty if they named none. `code` is the
    exit code.
    """

    app: App
    screen: Screen | MarkdownScreen
    attended: bool
    agent: str | None
    editor: str = ""
    sessions: dict[str, Session] = attrs.field(factory=dict)
    variables: dict[str, object] = attrs.field(factory=dict)
    answer: object = None
    sent: tuple[str, str] | None = None
    code: int = 0
    attention: Attention = attrs.field(init=False)

    @attention.default
    def _idle(self) -> Attention:
        return Attention(app=self.app, screen=self.screen)

    # -- the loop

    async def hold(self, reader: Reader) -> int:
        """Obeys the reader's lines. Returns the exit code."""
        with trio.open_signal_receiver(*SIGNALS) as signals:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._hear_signals, signals, nursery)
                while (line := await self._next_line(reader)) is not None:
                    if line.strip() and not await self._obeyed(line):
                        break
                nursery.cancel_scope.cancel()
        return self.code

    @property
    def prompt(self) -> str:
        return f"[{safe(self.agent)}]> " if self.agent is not None else "vega> "

    async def _bar(self) -> str:
        return await bar_text(self.app, self.agent, self.sessions.get(self.agent or "")) if self.attended else ""

    async def _next_line(self, reader: Reader) -> str | None:
        """A whole line that was typed while an answer came, else what the reader gives."""
        typed, entered, self.attention.typed = self.attention.typed.partition("\n")
        if entered:
            put(self.prompt + safe(typed) + "\n")
            return typed
        if self.attention.ended and not typed:
            return None
        return await reader.read(self.prompt, await self._bar(), typed)

    async def _obeyed(self, line: str) -> bool:
        """Whether there is to be another line. What goes wrong is said; without a person it is the exit code too."""
        try:
            return await self.obey(line)
        except (VegaError, Failure) as error:
            self.screen.end_line()
            show(error, no_color=not self.screen.color)
            if not self.attended:
                self.code = self.code or exit_code(error)
            return True

    async def _hear_signals(self, signals: AsyncIterator[int], nursery: trio.Nursery) -> None:
        """Ctrl-C stops what is under way; without anything to stop, and from another program, it leaves."""
        async for number in signals:
            if number == signal.SIGINT and self.attended and self.attention.busy:
                self.attention.stop(nursery)
            else:
                self.code = 128 + number
                nursery.cancel_scope.cancel()

    # -- one line

    async def obey(self, line: str) -> bool:
        """Raises: Failure, VegaError."""
        match understand(line, [each.name for each in self.app.workflows()]):
            case Wrong(message, hint):
                raise usage(message, hint)
            case Tell(agent, text):
                message = compile_template(text).render_text(self.variables)
                await self.talk(self.app.agent(agent).agent.name, message)
            case Say(text):
                if self.agent is None:
                    names = ", ".join(info.agent.name for info in self.app.agents())
                    raise usage("no agent is chosen", f"choose one with /ask AGENT: {names}")
                await self.talk(self.agent, text)
            case Word("quit"):
                return False
            case Word() as word:
                await self._word(word)
        return True

    async def _word(self, word: Word) -> None:
        match word.name:
            case "agents" | "workflows" | "help":
                self.say(help_lines() if word.name == "help" else self._listed(word.name))
            case "ask":
                await self.choose(word.rest)
            case "end":
                self.agent = None
            case "run":
                await self.run(word.rest)
            case "save" | "show":
                self._variable(word.name, word.rest)
            case "retry":
                if self.sent is None:
                    raise usage("nothing has been said yet", "write a message first")
                await self.talk(*self.sent)
            case "edit":
                await self._edit(word.rest)
            case "export":
                path = await save_conversation(self.app, self.sessions.get(self.agent or ""), word.rest)
                self.say([f"written to {path}"])
            case "model":
                await self.change_model(word.rest)
            case "approve" | "deny":
                await self._decide(word.name, word.rest)
            case _:
                self.say(await self._figures(word.name))

    def say(self, lines: list[str]) -> None:
        put("".join(safe(line) + "\n" for line in lines))

    async def _figures(self, name: str) -> list[str]:
        match name:
            case "tools":
                return tool_lines(self.app, self.agent)
            case "tree":
                return tree_lines(self.app)
            case _:
                return cost_lines(await self.app.processes())

    def _listed(self, kind: str) -> list[str]:
        if kind == "workflows":
            return listing(self.app.document, ["workflows"]).rstrip("\n").split("\n")
        return [f"  {each.agent.name} ({each.model})  {cut(each.agent.description, 80)}" for each in self.app.agents()]

    # -- agents

    async def choose(self, rest: str) -> None:
        """`/ask AGENT`, with a message or without; the longest agent's name that the text begins with."""
        names = [info.agent.name for info in self.app.agents()]
        fitting = [name for name in names if rest == name or rest.startswith(name + " ")]
        name = max(fitting, key=len, default=rest.split(" ", 1)[0])
        if not name:
            raise usage("/ask needs an agent", f"the agents are: {', '.join(names)}")
        self.agent = self.app.agent(name).agent.name
        message = rest[len(name) :].strip()
        if message:
            await self.talk(self.agent, message)

    async def session(self, agent: str) -> Session:
        """The conversation of this REPL with an agent, begun when first used."""
        if agent not in self.sessions:
            self.sessions[agent] = await self.app.new_session(agent)
        return self.sessions[agent]

    async def talk(self, agent: str, message: str) -> None:
        """Raises: TurnFailed; UnknownAgent, MailboxFull, ProcessExited."""
        session = await self.session(agent)
        self.sent = (agent, message)
        if isinstance(self.screen, MarkdownScreen):
            self.screen.results.clear()
        turn = partial(show_turn, self.app, session, message, self.screen, self.attention.hear)
        error = await self.attention.attend(partial(self.app.stop_turn, session), turn)
        self.answer = self.screen.said
        if error is not None:
            raise error

    async def _edit(self, rest: str) -> None:
        """`/edit`: the last message to the agent, else a new one, as it comes out of the person's editor."""
        if self.agent is None or rest not in ("", "new"):
            raise usage("/edit needs an agent, and takes nothing but the word new", "choose one with /ask AGENT")
        if not isinstance(self.screen, MarkdownScreen):
            raise usage("/edit needs a terminal that an editor can have for itself", "write the message here")
        before = self.sent[1] if self.sent is not None and self.sent[0] == self.agent and not rest else ""
        with self.attention.elsewhere():
            message = await edited(self.editor, before)
        if message.strip() in ("", before.strip()):
            self.say(["nothing was changed, and nothing is sent"])
        else:
            await self.talk(self.agent, message)

    async def _decide(self, decision: str, approval_id: str) -> None:
        waiting = await self.app.approvals("pending")
        if not approval_id and len(waiting) != 1:
            names = ", ".join(each.id for each in waiting)
            raise usage(f"{len(waiting)} calls wait for an approval", f"name one: {names}" if names else "")
        found = await self.app.decide(approval_id or waiting[0].id, decision)
        self.say([f"{found.tool_name}: {found.status}"])

    async def change_model(self, model: str) -> None:
        """Goes on with the agent's conversation under another model."""
        if not model or self.agent is None:
            raise usage("/model needs a model and an agent", "choose one with /ask AGENT, then write /model NAME")
        session = self.sessions.get(self.agent)
        living = None if session is None else self.app.chats.sessions.living(session)
        if session is None or living is None:
            session = await self.app.new_session(self.agent)
            await self.app.chats.sessions.begin(session, title="", model=model, system=None)
        else:
            fork = await self.app.fork(living.id, at=await self.app.store.last_event_id(), model=model)
            session = fork.session
            assert session is not None
        self.sessions[self.agent] = session
        self.say([f"{self.agent} goes on with {model}"])

    # -- workflows and variables

    async def run(self, rest: str) -> None:
        """`/run W`, then NAME=VALUE, --NAME VALUE, and words that are the primary input."""
        try:
            name, *words = shlex.split(rest)
        except ValueError as error:
            raise usage(f"/run {rest}: {error}", "write for example /run review 'a sort function'") from error
        workflow = choose_workflow(self.app.document, name)
        inputs, text = bind(_given(words, workflow), workflow, lambda _: None, ())
        async with show_progress(self.app, live=False) as progress, self.attention.hearing():
            run = await self.app.run_workflow(workflow.name, inputs, primary_text=text)
            failure = await self.attention.attend(run.cancel, run.wait)
        sys.stderr.write(closing_line(progress, run.started_at, run.cost_usd) + "\n")
        if isinstance(failure, RunCancelled) and self.attended:
            return
        if failure is not None:
            raise failure
        self.answer = run.result
        put(render(run.result, "text"))

    def _variable(self, word: str, name: str) -> None:
        if not name and word == "show":
            lines = [f"{each}: {cut(render(value, 'text'))}" for each, value in self.variables.items()]
            self.say(lines or ["no variables yet; /save NAME keeps the last answer"])
        elif word == "show":
            if name not in self.variables:
                raise usage(f"there is no variable {name!r}", remedy(name, self.variables, "the variables are"))
            put(render(self.variables[name], "text"))
        elif problem := bad_variable(name):
            raise usage(f"the variable name {name!r} {problem}", "write for example /save code")
        elif self.answer is None:
            raise usage("there is no answer to save yet", "ask an agent first")
        else:
            self.variables[name] = self.answer
            self.say([f"saved {name}"])

    def names(self) -> Names:
        """What can be completed now."""
        return Names(
            agents=[info.agent.name for info in self.app.agents()],
            workflows=[each.name for each in self.app.workflows()],
            variables=list(self.variables),
        )


def _given(words: list[str], workflow: WorkflowDefinition) -> list[Given]:
    """The inputs among the words: `--NAME VALUE` and NAME=VALUE of inputs there are; the rest is the primary one."""
    plain, given = split_arguments(words, {})
    named = [word for word in plain if word.partition("=")[1] and word.partition("=")[0] in workflow.inputs]
    given += [Given("set", word.partition("=")[2], word.partition("=")[0]) for word in named]
    task = " ".join(word for word in plain if word not in named)
    return [*given, Given("task", task)] if task else given
