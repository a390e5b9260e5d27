"""What agents remember of their users: items that tools keep, find and forget, and layers; for one user of one agent.

The key of an item's row holds user and agent, so that no id, known or guessed, leads to what is another's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from hashlib import sha256
from typing import Any

import attrs

from vega_trio._core.codec import encode_json
from vega_trio._core.remembering import NAMES
from vega_trio._core.wire import rfc3339
from vega_trio.app.runs import Runs
from vega_trio.app.user_layers import Layering
from vega_trio.changes import Delete, Put, Together
from vega_trio.context import ToolContext
from vega_trio.engine.conversation import Conversation
from vega_trio.engine.drive import run_of
from vega_trio.errors import ToolError, ToolRetry, UnknownProcess
from vega_trio.protocols import Store, Tool
from vega_trio.runtime.orchestrator import Orchestrator
from vega_trio.runtime.process import Process
from vega_trio.session import DEFAULT_USER
from vega_trio.tools.toolbox import as_tool, tool

ITEMS = "memory_item"
LONGEST = 4000  # characters of one item
LONGEST_LABEL = 100  # characters of a topic or a tag
MOST_TAGS = 20
MOST_ITEMS = 1000  # of one user with one agent
MOST_FOUND = 50


@attrs.frozen
class UserMemory:
    """What one agent remembers of one user. Every method raises StoreError."""

    store: Store
    layering: Layering
    agent: str
    user: str

    async def layers(self) -> list[dict[str, Any]]:
        """In the order of `remembering.NAMES`."""
        rows = await self.layering.rows(self.agent, self.user)
        return sorted(rows, key=lambda row: NAMES.index(row["layer"]))

    async def items(self) -> list[dict[str, Any]]:
        """The oldest first."""
        rows = await self.store.records.query(ITEMS, agent=self.agent, user_id=self.user)
        return sorted(rows, key=lambda row: str(row["created_at"]))

    async def keep(self, item_id: str, content: str, topic: str, tags: Sequence[str], seen: Iterable[str] = ()) -> None:
        """`seen` is what the conversation had seen in which this was learnt."""
        row = {
            "id": item_id,
            "agent": self.agent,
            "user_id": self.user,
            "content": content,
            "topic": topic,
            "tags": list(tags),
            "seen": sorted(seen),
            "created_at": rfc3339(time.time()),
        }
        await self.store.submit(Put(ITEMS, _key(self.user, self.agent, item_id), row)).wait()

    async def drop(self, item_id: str) -> bool:
        """Whether there was such an item."""
        key = _key(self.user, self.agent, item_id)
        if await self.store.records.get(ITEMS, key) is None:
            return False
        await self.store.submit(Delete(ITEMS, key)).wait()
        return True

    async def clear(self) -> None:
        """Forgets everything, layers and items, and what is about to become one."""
        items = [Delete(ITEMS, _key(self.user, self.agent, str(row["id"]))) for row in await self.items()]
        layers = await self.layering.forgetting(self.agent, self.user)
        await self.store.submit(Together((*layers, *items))).wait()


def _key(user: str, agent: str, item_id: str) -> str:
    return encode_json([user, agent, item_id]).decode()


@attrs.define(eq=False)
class Memories:
    """The memories of an application. What says for whom a process works is set once that is open."""

    store: Store
    layering: Layering
    user_of: Callable[[Process], str] | None = None

    def of(self, agent: str, user: str) -> UserMemory:
        return UserMemory(self.store, self.layering, agent, user)

    async def rename(self, agent: str, name: str) -> None:
        """The agent has a new name, and remembers under it what it did. Raises: StoreError."""
        changes = await self.layering.renaming(agent, name)
        for row in await self.store.records.query(ITEMS, agent=agent):
            user, item_id = str(row["user_id"]), str(row["id"])
            changes.append(Delete(ITEMS, _key(user, agent, item_id)))
            changes.append(Put(ITEMS, _key(user, name, item_id), {**row, "agent": name}))
        if changes:
            await self.store.submit(Together(tuple(changes))).wait()

    def tools(self) -> tuple[Tool, ...]:
        """`remember`, `recall` and `forget`, over the memory of who calls for whom it works."""
        return (
            as_tool(tool(name="remember", idempotent=True, effects=("write",))(partial(_remember, self._of))),
            as_tool(tool(name="recall", idempotent=True, effects=("read",))(partial(_recall, self._of))),
            as_tool(tool(name="forget", idempotent=True, effects=("write",))(partial(_forget, self._of))),
        )

    def _of(self, context: ToolContext) -> UserMemory:
        process = context.process
        assert isinstance(process, Process)
        assert process.agent_name is not None
        assert self.user_of is not None
        return self.of(process.agent_name, self.user_of(process))


def user_of_process(runs: Runs, orch: Orchestrator, process: Process) -> str:
    """For whom a living process works: its conversation's user, else its run's, else the operator.

    Raises: ToolError when whoever started it is gone, so that nobody can say.
    """
    each = process
    try:
        while each.session is None and each.parent_id is not None:
            each = orch.get(each.parent_id)
    except UnknownProcess:
        raise ToolError(f"process {process.id!r} has lost who started it, so its user's memory is closed") from None
    if each.session is not None:
        return each.session.user
    run_id = run_of(each.spawn_reason)
    if run_id is None:
        return DEFAULT_USER
    run = runs.by_id.get(run_id)
    if run is None:
        raise ToolError(f"run {run_id} is over, so its user's memory is closed")
    return run.user


def _conversation(context: ToolContext) -> Conversation:
    """The caller's, which knows what it has seen: what is remembered is no more to be trusted than that was."""
    assert isinstance(context.process, Process)
    assert isinstance(context.process.conversation, Conversation)
    return context.process.conversation


Opened = Callable[[ToolContext], UserMemory]


async def _remember(
    opened: Opened, context: ToolContext, content: str, topic: str = "", tags: Sequence[str] = ()
) -> str:
    """Remember something about the user you work for, in later conversations too. Returns its id.

    Args:
        content: what to remember, a sentence or two
        topic: what it is about
        tags: words to find it by
    """
    _check(content, topic, tags)
    memory = opened(context)
    # The call's own name, so that one that is made again after a crash remembers nothing twice.
    item_id = sha256(context.idempotency_key.encode()).hexdigest()[:12]
    known = await memory.items()
    if len(known) >= MOST_ITEMS and all(row["id"] != item_id for row in known):
        raise ToolError(f"{MOST_ITEMS} things are remembered already; forget some, such as {known[0]['id']}")
    await memory.keep(item_id, content.strip(), topic.strip(), tags, _conversation(context).seen())
    return f"remembered: {item_id}"


async def _recall(opened: Opened, context: ToolContext, query: str, limit: int = 5) -> str:
    """Find what you remembered about the user you work for, as a JSON list, the best match first.

    Args:
        query: words to look for in content, topic and tags
        limit: how many to give at most, 1 to 50
    """
    if not 1 <= limit <= MOST_FOUND:
        raise ToolRetry(f"limit must be 1 to {MOST_FOUND}, not {limit}")
    found = matching(await opened(context).items(), query)[:limit]
    conversation = _conversation(context)
    conversation.brought |= {mark for row in found for mark in row.get("seen", ())}
    shown = [{key: row[key] for key in ("id", "content", "topic", "tags", "created_at")} for row in found]
    return encode_json(shown).decode() if shown else "nothing that is remembered has any of these words"


async def _forget(opened: Opened, context: ToolContext, id: str) -> str:  # noqa: A002 - the name that models are given
    """Forget one thing that you remembered.

    Args:
        id: its id, as remember and recall give it
    """
    if not await opened(context).drop(id):
        raise ToolError(f"nothing is remembered under the id {id[:100]!r}; recall gives the ids")
    return f"forgotten: {id}"


def matching(items: Sequence[dict[str, Any]], query: str) -> list[dict[str, Any]]:
    """Those with any of the query's words, the most words first, then the newest. `items`: the oldest first."""
    words = set(query.casefold().split())
    scored = [(sum(word in _text(row) for word in words), at, row) for at, row in enumerate(items)]
    ranked = sorted((each for each in scored if each[0]), key=lambda each: (-each[0], -each[1]))
    return [row for _, _, row in ranked]


def _text(row: dict[str, Any]) -> str:
    return "\n".join((row["content"], row["topic"], *row["tags"])).casefold()


def _check(content: str, topic: str, tags: Sequence[str]) -> None:
    """Raises: ToolRetry for what is empty or too long."""
    if not 0 < len(content.strip()) <= LONGEST:
        raise ToolRetry(f"content must have 1 to {LONGEST} characters, not {len(content.strip())}")
    if len(tags) > MOST_TAGS:
        raise ToolRetry(f"there are {len(tags)} tags, and at most {MOST_TAGS} are kept")
    for label in (topic, *tags):
        if len(label) > LONGEST_LABEL:
            raise ToolRetry(f"a topic or tag has {len(label)} characters, and {LONGEST_LABEL} are the most")
