"""What `vega chat` does: one reply, or a conversation line by line.

The terminal stays in its normal mode all the time, so that it is sane however the program ends.
"""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import AsyncIterator
from functools import partial

import attrs
import trio

from vega_trio.app.application import App
from vega_trio.cli.asking import asking, nobody, tell
from vega_trio.cli.config import Setup, open_setup
from vega_trio.cli.documents import choose_document, database_or_memory
from vega_trio.cli.failure import show, usage
from vega_trio.cli.log_output import Log, start_logging
from vega_trio.cli.opened import open_here, tell_model
from vega_trio.cli.options import Shared
from vega_trio.cli.reading import read_lines
from vega_trio.cli.signals import INTERRUPTS
from vega_trio.cli.terminal import is_terminal, put
from vega_trio.cli.turns import Screen, open_screen, show_turn
from vega_trio.errors import VegaError
from vega_trio.session import Reply, Session

LEAVE = ("/quit", "/exit", "/q")


@attrs.frozen(kw_only=True)
class Request:
    """One call of `vega chat`, as given."""

    agent: str | None
    file: str | None
    resume: bool
    prompt: str | None
    db: str | None
    model: str | None
    approve: tuple[str, ...] = ()
    as_json: bool = False


def talk(request: Request, shared: Shared) -> int:
    """Talks and returns the exit code. Raises: whatever stops it; `failure.py` knows what that means."""
    setup = open_setup(shared.home)
    screen = open_screen(quiet=shared.quiet, no_color=shared.no_color)
    log = start_logging(shared, setup.env, before=screen.end_line)
    return trio.run(partial(_main, request, shared, setup, screen, log))


async def _main(request: Request, shared: Shared, setup: Setup, screen: Screen, log: Log) -> int:
    source = choose_document(request.file)
    store = database_or_memory(request.db, setup)
    if request.resume and store is None:
        raise usage("there is no conversation to continue without a database", "give it with --db PATH or VEGA_DB")
    opening = open_here(
        source, setup, log, model=request.model, store=store, approve=request.approve, unattended=nobody()
    )
    async with opening as app:
        tell_model(app, shared)
        agent = choose_agent(app, request.agent)
        session = Session(agent) if request.resume or store is None else await app.new_session(agent)
        interactive = request.prompt is None and is_terminal(sys.stdin)
        conversation = Conversation(
            app=app, session=session, screen=screen, interactive=interactive, as_json=request.as_json
        )
        return await conversation.hold(request.prompt)


def choose_agent(app: App, name: str | None) -> str:
    """The named agent, else the only one. Raises: UnknownAgent, Failure."""
    if name is not None:
        return app.agent(name).agent.name
    names = [info.agent.name for info in app.agents()]
    if len(names) != 1:
        hint = f"choose one, as vega chat {names[0]}: {', '.join(names)}"
        raise usage(f"{app.document.file} has {len(names)} agents", hint)
    return names[0]


@attrs.define(kw_only=True)
class Conversation:
    """Messages one after the other until they end or a signal says so. `code` is the exit code.

    `as_json`: each reply is an object on a line of its own, for programs.
    """

    app: App
    session: Session
    screen: Screen
    interactive: bool
    as_json: bool = False
    in_turn: bool = False
    interrupts: int = 0
    code: int = 0

    async def hold(self, message: str | None) -> int:
        """Sends the message, or else the lines of stdin. Returns the exit code."""
        with trio.open_signal_receiver(*INTERRUPTS) as signals:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._listen, signals, nursery)
                send, lines = trio.open_memory_channel[str](0)
                if message is None:
                    nursery.start_soon(read_lines, send)
                async with asking(self.app, lines if message is None else None, say=self._ask):
                    await (self._send_all(lines) if message is None else self._turn(message))
                nursery.cancel_scope.cancel()
        return self.code

    async def _send_all(self, lines: trio.MemoryReceiveChannel[str]) -> None:
        self._prompt()
        async for line in lines:
            if line.strip() in LEAVE:
                return
            if line.strip():
                await self._turn(line)
            if self.code:
                return
            self._prompt()
        if self.interactive:
            sys.stderr.write("\n")  # the line that Ctrl-D left open

    async def _turn(self, message: str) -> None:
        self.in_turn, self.interrupts = True, 0
        try:
            if self.as_json:
                self._put(await self.app.ask(self.session, message))
            else:
                await show_turn(self.app, self.session, message, self.screen)
        except VegaError as error:
            if not self.interactive:
                raise
            show(error, no_color=not self.screen.color)
        finally:
            self.in_turn = False

    def _put(self, reply: Reply) -> None:
        told = {"agent": self.session.agent, "text": reply.text, "cost_usd": reply.cost_usd}
        put(json.dumps(told, ensure_ascii=False) + "\n")

    async def _listen(self, signals: AsyncIterator[int], nursery: trio.Nursery) -> None:
        """Ctrl-C stops the turn; a second one, SIGTERM, or any signal to a program without a terminal leaves too.

        Stopping has its own task: a turn that does not obey must not keep the second signal waiting.
        """
        async for number in signals:
            leaving = number != signal.SIGINT or not self.interactive
            self.interrupts += 1
            if leaving:
                self.code = 128 + number
            if self.in_turn and self.interrupts == 1:
                nursery.start_soon(self.app.stop_turn, self.session)
            elif leaving or self.in_turn:
                self.code = 128 + number
                nursery.cancel_scope.cancel()
            else:
                sys.stderr.write("\n(Ctrl-D quits)\n")
                self._prompt()

    def _ask(self, text: str) -> None:
        """A question about a tool call, beside the answer that waits for it."""
        self.screen.end_line()
        tell(text)

    def _prompt(self) -> None:
        if self.interactive:
            sys.stderr.write(f"[{self.session.agent}]> ")
            sys.stderr.flush()
