"""A process: an identity that outlives restarts. Its task, links and monitors belong to one incarnation.

The fields from `kernel` on are the kernel's own; a body uses the methods.
"""

from __future__ import annotations

import contextvars
from collections.abc import Callable, Iterable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

import attrs
import trio

from vega_trio._core.budget import Account
from vega_trio.agent import Agent, Body, Budget, Money, ShutdownTime, Supervision, as_budget
from vega_trio.changes import Change, ProcessRow
from vega_trio.context import Metrics
from vega_trio.errors import NoProcessError, ProcessExit
from vega_trio.events import Event
from vega_trio.exits import Down, ExitReason, ExitSignal, Normal, Shutdown, as_reason
from vega_trio.messages import Compact, Message
from vega_trio.protocols import Commit
from vega_trio.runtime.bodies import Conversation
from vega_trio.runtime.calling import call, new_mail, pending_reply, refuse_itself, start_call, stop_current
from vega_trio.runtime.figures import ProcessStatistics, row_of, statistics_of
from vega_trio.runtime.inbox import Inbox
from vega_trio.runtime.incarnation import Incarnation, running
from vega_trio.runtime.keeper import GONE, Keeper
from vega_trio.runtime.mail import Mail
from vega_trio.runtime.mailbox import Mailbox, PendingReply
from vega_trio.runtime.monitors import open_monitor_of
from vega_trio.runtime.reasons import kind_of
from vega_trio.runtime.signals import signal
from vega_trio.runtime.stream import TextStream, TurnEvents, open_text, open_turn
from vega_trio.runtime.ties import link, unlink
from vega_trio.runtime.voice import emit, stamps_of
from vega_trio.session import Session

if TYPE_CHECKING:
    from vega_trio.runtime.group import Group
    from vega_trio.runtime.health import Vitals
    from vega_trio.runtime.kernel import Kernel
    from vega_trio.runtime.spawning import Spawning
    from vega_trio.runtime.supervisor import Supervisor


@attrs.define(eq=False)
class Process:
    """A supervised task with a mailbox. Made by `spawn` and by supervisors, never directly."""

    id: str
    kernel: Kernel = attrs.field(repr=False)
    body: Any = attrs.field(repr=False)
    agent: Agent | None = attrs.field(default=None, repr=False)
    name: str | None = None
    task: str | None = attrs.field(default=None, repr=False)
    parent_id: str | None = attrs.field(default=None, repr=False)
    parent_agent: str | None = attrs.field(default=None, repr=False)
    spawn_depth: int = attrs.field(default=0, repr=False)
    spawn_reason: str | None = attrs.field(default=None, repr=False)
    root_id: str | None = attrs.field(default=None, repr=False)
    started_at: float = attrs.field(default=0.0, repr=False)
    completed_at: float | None = attrs.field(default=None, repr=False)
    waiting_on: str = attrs.field(default="", repr=False)
    initial_messages: tuple[Message, ...] = attrs.field(default=(), repr=False)
    metrics: Metrics = attrs.field(factory=Metrics, repr=False)
    incarnation: int = 0
    epoch: int = attrs.field(default=1, repr=False)
    recoveries: str = attrs.field(default="", repr=False)
    def_hash: str = attrs.field(default="", repr=False)
    restart_log: tuple[float, ...] = attrs.field(default=(), repr=False)
    restarts: int = attrs.field(default=0, repr=False)
    conversation: Conversation | None = attrs.field(default=None, repr=False)
    budget: Account | None = attrs.field(default=None, repr=False)
    given_budget: Budget | None = attrs.field(default=None, repr=False)
    session: Session | None = attrs.field(default=None, repr=False)
    start_timeout: float | None = attrs.field(default=None, repr=False)
    ready_value: object = attrs.field(default=None, repr=False)
    supervisor: Supervisor | None = attrs.field(default=None, repr=False)
    mailbox: Mailbox = attrs.field(init=False, repr=False)
    keeper: Keeper = attrs.field(init=False, repr=False)
    nursery: trio.Nursery = attrs.field(init=False, repr=False)
    context: contextvars.Context = attrs.field(init=False, repr=False)
    groups: dict[Group, None] | None = attrs.field(default=None, repr=False)
    vitals: Vitals | None = attrs.field(default=None, repr=False)
    live: Incarnation | None = attrs.field(default=None, repr=False)
    deadline_at: float | None = attrs.field(default=None, repr=False)
    last_reason: ExitReason | None = attrs.field(default=None, repr=False)
    declined: bool = attrs.field(default=False, repr=False)
    killed_for_staying: bool = attrs.field(default=False, repr=False)
    final: ExitReason | None = attrs.field(default=None, repr=False)
    _ended: trio.Event | None = attrs.field(default=None, repr=False)
    _on_end: list[Callable[[ExitReason], None]] | None = attrs.field(default=None, repr=False)

    # -- what it is

    @property
    def agent_name(self) -> str | None:
        return self.agent.name if self.agent is not None else None

    @property
    def label(self) -> str:
        """A word for people: name, agent or function."""
        return self.name or self.agent_name or str(getattr(self.body, "__name__", type(self.body).__name__))

    @property
    def alive(self) -> bool:
        """Whether it has not ended for good; it may be between two incarnations."""
        return self.final is None

    @property
    def reason(self) -> ExitReason | None:
        """Why it ended for good; None while alive."""
        return self.final

    @property
    def result(self) -> Any:
        """What its body returned, once it has; else None."""
        return self.final.result if isinstance(self.final, Normal) else None

    @property
    def status(self) -> str:
        """pending, running, completed, failed or timeout; derived, never set."""
        if self.final is None:
            return "running" if self.live is not None and self.live.is_up else "pending"
        if not self.final.abnormal:
            return "completed"
        return "timeout" if kind_of(self.final) == "timeout" else "failed"

    @property
    def must_say_ready(self) -> bool:
        """Whether it has started only when it says `ready()`; a supervisor does once all its children have."""
        return self.start_timeout is not None or self.supervisor is not None

    @property
    def current(self) -> Mail | None:
        """The mail that was taken and is not finished; between two incarnations the interrupted one."""
        if self.live is not None and self.live.current is not None:
            return self.live.current
        first = self.mailbox.first
        return first if first is not None and first.attempt > 1 else None

    @property
    def working_for(self) -> str | None:
        """The root turn that it is at work in: its mail's, else that in which it was spawned."""
        return self.current.root_id if self.current is not None else self.root_id

    @property
    def mailbox_length(self) -> int:
        return len(self.mailbox)

    @property
    def inbox(self) -> Inbox:
        return Inbox(self)

    def messages(self) -> list[Message]:
        """The conversation so far; empty for a process that keeps none."""
        return self.conversation.messages() if self.conversation is not None else []

    def row(self) -> ProcessRow:
        """The process as it is listed and stored."""
        return row_of(self)

    def statistics(self) -> ProcessStatistics:
        """What it holds at the moment: mail, links, monitors, children."""
        return statistics_of(self)

    # -- for its own body

    def ready(self, value: object = None) -> None:
        """Says that it has started, for who spawned it with `start_timeout`; `ready_value` keeps `value`."""
        self.ready_value = value
        self._live("be ready").has_started()

    def cleanup(self, timeout: float = 5.0) -> AbstractAsyncContextManager[None]:
        """Lets a dying body await its last things, for at most `timeout` seconds or until it is killed."""
        return self._live("clean up").cleanup(timeout)

    @property
    def trap_exit(self) -> bool:
        """Whether exit signals arrive in `exit_signals` instead of ending it. Off in every new incarnation."""
        return self.live is not None and self.live.trapping

    @trap_exit.setter
    def trap_exit(self, value: bool) -> None:
        self._live("trap exits").trapping = bool(value)

    @property
    def exit_signals(self) -> trio.MemoryReceiveChannel[ExitSignal]:
        """The exit signals this incarnation has trapped and not read."""
        return self._live("read exit signals").signals()[1]

    def _live(self, what: str) -> Incarnation:
        if self.live is None:
            raise NoProcessError(f"process {self.id} is not running, so it cannot {what}")
        return self.live

    # -- what it says

    def emit(self, event: Event, *changes: Change) -> Commit | None:
        """Puts an event of this process on the bus; `changes` are written in the event's transaction."""
        return emit(self, event, changes)

    def say(self, kind: type[Event], mail: Mail | None, *changes: Change, **fields: Any) -> None:
        """The kernel's `emit`: an event of the turn of `mail`, made in one go."""
        self.kernel.bus.put(kind(**stamps_of(self, mail), **fields), *changes)

    # -- mail

    async def send(
        self, message: Any, *, timeout: float | None = None, turn_id: str | None = None, root_id: str | None = None
    ) -> Any:
        """Sends, waiting for room, and waits for the reply. Cancelled, the process goes on with the message.

        `timeout` in seconds covers both waits.

        Raises: ProcessExited when it ends first (reason NoProcess: had ended before), CallTimeout, WouldDeadlock,
            or what the process failed the message with (an agent: TurnFailed, TurnCancelled).
        """
        refuse_itself(self)
        mail = new_mail(self, message, turn_id=turn_id, root_id=root_id, wants_reply=True)
        return await call(self, mail, timeout)

    def start_send(
        self,
        message: Any,
        *,
        turn_id: str | None = None,
        root_id: str | None = None,
        tools: tuple[str, ...] | None = None,
    ) -> PendingReply:
        """Sends now and returns the reply to come. Needs no task.

        A `turn_id` whose message is waiting or being handled is not sent again: the reply is that one's. `tools`
        narrows what an agent may call for it, by names and `server__*` patterns.

        Raises: MailboxFull; ProcessExited (reason NoProcess) when it has ended.
        """
        return start_call(self, message, turn_id=turn_id, root_id=root_id, tools=tools)

    async def compact(self) -> None:
        """Has an agent replace the older part of its conversation by a summary, when its turn is over.

        Raises: TurnFailed when its model fails; as `send`.
        """
        await self.send(Compact())

    async def post(self, message: Any) -> bool:
        """Sends without a reply, waiting for room and, to an agent, until the message is durable.

        False when the process has ended.
        """
        mail = new_mail(self, message, wants_reply=False)
        put = await self.mailbox.put(mail)
        if mail.kept is not None:
            await mail.kept.wait()
        return put

    def post_nowait(self, message: Any) -> bool:
        """Sends without a reply. False when the process has ended. Raises: MailboxFull."""
        return self.mailbox.put_nowait(new_mail(self, message, wants_reply=False), self.id)

    def drop_waiting(self) -> None:
        """Takes back all mail that waits; its senders get TurnCancelled."""
        for mail in self.mailbox.untouched():
            pending_reply(self, mail).cancel()

    async def stop_turn(self) -> str | None:
        """Stops the turn under way, waits for its end and returns its id; None when there is none."""
        return await stop_current(self)

    def stream(self, message: Any, *, turn_id: str | None = None) -> AbstractAsyncContextManager[TurnEvents]:
        """Sends, and hands out the events of the turn up to its last. Leaving early leaves the turn running.

        Iterating raises ProcessExited when the process ends for good first.
        """
        refuse_itself(self)
        return open_turn(self, new_mail(self, message, turn_id=turn_id, wants_reply=True))

    def stream_text(self, message: Any, *, turn_id: str | None = None) -> AbstractAsyncContextManager[TextStream]:
        """As `stream`, handing out the text as it comes. Iterating raises TurnFailed when the turn failed."""
        return open_text(self.stream(message, turn_id=turn_id))

    # -- links, monitors, exits

    def link(self, other: Process) -> None:
        """Links the two living incarnations: each hears of the other's exit.

        Raises: NoProcessError when `other` is not running and this process does not trap exits, or when this one
            is not running.
        """
        link(self._live("link"), other)

    def unlink(self, other: Process) -> None:
        """Undoes `link`, however often it was called."""
        if self.live is not None and other.live is not None:
            unlink(self.live, other.live)

    def monitor(self, other: Process) -> AbstractAsyncContextManager[trio.MemoryReceiveChannel[Down]]:
        """One Down when `other`'s incarnation ends, at once (NoProcess) when it is not running."""
        return open_monitor_of(other)

    def exit(self, reason: ExitReason | None = None) -> None:
        """Sends an exit signal, Shutdown unless told. On oneself it raises ProcessExit at once.

        Raises: TypeError when `reason` is none.
        """
        reason = Shutdown() if reason is None else as_reason(reason)
        me = running()
        if me is not None and me is self.live:
            raise ProcessExit(reason)
        if self.live is not None:
            signal(self.live, reason, me, linked=False)

    def kill(self) -> None:
        """Ends this incarnation, a supervisor's whole subtree; cannot be trapped, and cuts cleanup blocks short."""
        if self.live is not None:
            self.live.kill()
            if self.supervisor is not None:
                self.supervisor.kill_children()

    def spawn(
        self,
        body: Body,
        /,
        *,
        name: str | None = None,
        task: str | None = None,
        spawn_reason: str | None = None,
        supervision: Supervision | None = None,
        messages: Iterable[Message] | None = None,
        budget: Money | None = None,
        deadline: float | None = None,
        start_timeout: float | None = None,
        shutdown: ShutdownTime = 5.0,
    ) -> Spawning:
        """As `Orchestrator.spawn`, for a child that ends with this incarnation."""
        return self.kernel.spawning(
            self.kernel,
            body,
            owner=self._live("spawn"),
            parent=self,
            name=name,
            task=task,
            spawn_reason=spawn_reason,
            supervision=supervision,
            messages=messages,
            budget=as_budget(budget),
            deadline=deadline,
            start_timeout=start_timeout,
            shutdown=shutdown,
        )

    def spawn_link(self, body: Body, /, **options: Any) -> Spawning:
        """As `spawn`, linked to the child before its first step."""
        spawning = self.spawn(body, **options)
        spawning.linked = True
        return spawning

    # -- its end

    async def wait(self) -> ExitReason:
        """Waits until it has ended for good, and returns why."""
        if self.final is None:
            if self._ended is None:
                self._ended = trio.Event()
            await self._ended.wait()
        else:
            await trio.lowlevel.checkpoint()
        assert self.final is not None
        return self.final

    def on_end(self, callback: Callable[[ExitReason], None]) -> None:
        """Calls back when it has ended for good; at once if it has."""
        if self.final is not None:
            callback(self.final)
        elif self._on_end is None:
            self._on_end = [callback]
        else:
            self._on_end.append(callback)

    def announce_end(self) -> None:
        """The kernel's: wakes who waits for the end."""
        assert self.final is not None
        self.keeper = GONE
        del self.context  # nothing runs in it any more, and it may hold much
        if self._ended is not None:
            self._ended.set()
        callbacks, self._on_end = self._on_end, None
        for callback in callbacks or ():
            callback(self.final)
