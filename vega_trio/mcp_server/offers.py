"""What an application offers to MCP clients: a tool per agent, which takes a message, and one per workflow."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Final

import attrs
import trio

from vega_trio.app.application import App
from vega_trio.app.ids import new_id
from vega_trio.dsl.inputs import bind
from vega_trio.dsl.values import plain, print_value
from vega_trio.dsl.workflow import InputDefinition, WorkflowDefinition
from vega_trio.errors import InputError, SlowSubscriber, VegaError, did_you_mean
from vega_trio.events import StepFinished, WorkflowCancelled, WorkflowCompleted, WorkflowFailed
from vega_trio.session import Session

_UNFIT = re.compile(r"[^A-Za-z0-9_.-]")
MAX_MESSAGE: Final = 256 * 1024
RUN_ENDS: Final = (WorkflowCompleted, WorkflowFailed, WorkflowCancelled)

Progress = Callable[[float, float | None, str], Awaitable[None]]


@attrs.frozen(kw_only=True)
class Offer:
    """A tool. One of `agent` and `workflow` says what is behind it."""

    name: str
    description: str
    schema: Mapping[str, Any]
    agent: str | None = None
    workflow: str | None = None


@attrs.frozen(kw_only=True)
class Given:
    """What a call gave: text, and the value where it is an object."""

    text: str
    value: Mapping[str, Any] | None = None


class Refusal(Exception):
    """A call that failed; the client's model is told why."""


def offers(app: App) -> list[Offer]:
    """Agents first. A workflow that has an agent's name is called NAME-workflow."""
    found: dict[str, Offer] = {}
    for info in app.agents():
        name = fit(info.agent.name)
        found.setdefault(
            name,
            Offer(name=name, description=info.agent.description, schema=_MESSAGE, agent=info.agent.name),
        )
    for workflow in app.workflows():
        name = fit(workflow.name)
        name = f"{name}-workflow" if name in found else name
        about = workflow.description or f"Runs the workflow {workflow.name}."
        found.setdefault(name, Offer(name=name, description=about, schema=_inputs(workflow), workflow=workflow.name))
    return list(found.values())


def fit(name: str) -> str:
    """A name in the characters that the protocol recommends for tools (2025-11-25, SEP-986)."""
    return _UNFIT.sub("_", name)[:128]


_MESSAGE: Final[Mapping[str, Any]] = {
    "type": "object",
    "properties": {"message": {"type": "string", "description": "What to say to the agent."}},
    "required": ["message"],
    "additionalProperties": False,
}


def _inputs(workflow: WorkflowDefinition) -> dict[str, Any]:
    inputs = workflow.inputs.values()
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {each.name: _input(each) for each in inputs},
        "additionalProperties": False,
    }
    required = [each.name for each in inputs if each.required]
    return schema | ({"required": required} if required else {})


def _input(definition: InputDefinition) -> dict[str, Any]:
    schema: dict[str, Any] = {} if definition.type == "any" else {"type": definition.type}
    if definition.description:
        schema["description"] = definition.description
    if definition.has_default:
        schema["default"] = plain(definition.default)
    if definition.enum is not None:
        schema["enum"] = [plain(each) for each in definition.enum]
    bounds = zip(_BOUNDS.get(definition.type, ()), (definition.min, definition.max), strict=False)
    return schema | {key: value for key, value in bounds if value is not None}


_BOUNDS: Final = {
    "number": ("minimum", "maximum"),
    "integer": ("minimum", "maximum"),
    "string": ("minLength", "maxLength"),
    "array": ("minItems", "maxItems"),
}


@attrs.define
class Guest:
    """One MCP session with the application: with each agent it has a conversation of its own."""

    app: App
    _sessions: dict[tuple[str, str], Session] = attrs.field(factory=dict)

    async def call(self, user: str, name: str, arguments: Mapping[str, Any], progress: Progress) -> Given:
        """Raises: Refusal. Cancelling stops the turn or the run."""
        offered = {offer.name: offer for offer in offers(self.app)}
        offer = offered.get(name)
        if offer is None:
            raise Refusal(f"there is no tool {name!r}{did_you_mean(name, offered)}")
        try:
            if offer.agent is not None:
                return await self._ask(user, offer.agent, arguments)
            assert offer.workflow is not None
            return await self._run(user, offer.workflow, arguments, progress)
        except VegaError as error:
            raise Refusal(str(error)) from error

    async def leave(self) -> None:
        """Ends the guest's conversations and forgets them."""
        with trio.CancelScope(shield=True):
            for session in self._sessions.values():
                assert session.id is not None
                await self.app.delete_session(session.user, session.id)

    async def _ask(self, user: str, agent: str, arguments: Mapping[str, Any]) -> Given:
        message = arguments.get("message")
        if not isinstance(message, str) or not message.strip() or set(arguments) != {"message"}:
            raise Refusal('the arguments are {"message": "..."}, with a text that is not empty')
        if len(message.encode("utf-8", "replace")) > MAX_MESSAGE:
            raise Refusal(f"the message has more than {MAX_MESSAGE} bytes")
        session = await self._session(agent, user)
        try:
            reply = await self.app.ask(session, message)
        except trio.Cancelled:
            with trio.CancelScope(shield=True):
                await self.app.stop_turn(session)
            raise
        return Given(text=str(reply))

    async def _session(self, agent: str, user: str) -> Session:
        """Put away from the start, so that it is nobody's newest conversation with the agent."""
        key = (agent, user)
        if key not in self._sessions:
            session = Session(agent, user, new_id())
            assert session.id is not None
            await self.app.chats.sessions.begin(session, title="MCP", model=None, system=None)
            await self.app.archive.change(user, session.id, archived=True)
            self._sessions.setdefault(key, session)
        return self._sessions[key]

    async def _run(self, user: str, name: str, arguments: Mapping[str, Any], progress: Progress) -> Given:
        workflow = self.app.workflow(name)
        try:
            inputs = bind(workflow, arguments)
        except InputError as error:
            raise Refusal(str(error)) from error
        async with self.app.subscribe(types=[StepFinished, *RUN_ENDS], buffer=1000) as events:
            run = await self.app.run_workflow(name, inputs, user=user)
            try:
                await _report(events, run.id, len(workflow.steps), progress)
            except SlowSubscriber:
                await run.ended.wait()  # steps too quick to be told one by one
            except trio.Cancelled:
                with trio.CancelScope(shield=True):
                    await run.cancel()
                raise
        result = await run.wait()
        value = plain(result)
        return Given(text=print_value(result), value=value if isinstance(value, dict) else None)


async def _report(events: AsyncIterator[Any], run_id: str, total: int, progress: Progress) -> None:
    """Tells the client of the steps at the top of the workflow, whose number is known, until the run has ended.

    Raises: SlowSubscriber.
    """
    done = 0
    async for event in events:
        if event.run_id != run_id:
            continue
        if isinstance(event, RUN_ENDS):
            return
        if event.path.partition("/")[2].isdigit():
            done += 1
            await progress(done, total, f"{event.path}: {event.status}")
