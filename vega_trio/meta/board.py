"""A team's blackboard: JSON values under keys, for its leader and members, kept as long as the store keeps them.

What the writer's conversation had seen is kept beside each value, on a board of its own, and goes to who reads it: a
text from outside is no more to be trusted for having lain here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from vega_trio._core.codec import encode_json
from vega_trio.context import ToolContext
from vega_trio.engine.conversation import Conversation
from vega_trio.errors import ToolError, did_you_mean
from vega_trio.events import BlackboardChanged
from vega_trio.protocols import Tool
from vega_trio.runtime.group import Group
from vega_trio.runtime.process import Process
from vega_trio.tools.toolbox import as_tool, tool

LARGEST_VALUE = 64 * 1024
MOST_KEYS = 1000


def group_name(leader: str) -> str:
    return f"team:{leader}"


def _seen_beside(board: Group, group: Callable[[str], Group]) -> Group:
    return group(f"{board.name}:seen")


def board_tools(leaders: Sequence[str], group: Callable[[str], Group]) -> tuple[Tool, ...]:
    """bb_read, bb_write and bb_list over the boards of these teams; the first is meant where none is named.

    `group` gives a group by its name.
    """
    boards = partial(_board, tuple(leaders), group)
    return (
        as_tool(tool(name="bb_read", idempotent=True)(partial(_read, boards, group))),
        as_tool(tool(name="bb_write", idempotent=True)(partial(_write, boards, group))),
        as_tool(tool(name="bb_list", idempotent=True)(partial(_list, boards))),
    )


def _board(leaders: tuple[str, ...], group: Callable[[str], Group], team: str | None) -> Group:
    if team is None:
        if len(leaders) > 1:
            raise ToolError(f"you are in several teams; say which with team: {', '.join(leaders)}")
        team = leaders[0]
    if team not in leaders:
        hint = did_you_mean(team, leaders)
        raise ToolError(f"you are not in a team of {team!r} with a blackboard{hint}; there is {', '.join(leaders)}")
    return group(group_name(team))


Boards = Callable[[str | None], Group]


async def _read(
    boards: Boards, group: Callable[[str], Group], context: ToolContext, key: str, team: str | None = None
) -> str:
    """Read a value from the team's blackboard, as JSON.

    Args:
        key: the value's key
        team: the team's leader, where you are in several teams
    """
    board = boards(team)
    if key not in board.bb_keys():
        raise ToolError(f"the blackboard has no key {key!r}{did_you_mean(key, board.bb_keys())}; bb_list lists them")
    _conversation(context).brought |= frozenset(_seen_beside(board, group).bb_get(key, ()))
    return encode_json(board.bb_get(key)).decode()


async def _write(
    boards: Boards,
    group: Callable[[str], Group],
    context: ToolContext,
    key: str,
    value: Any,
    team: str | None = None,
) -> str:
    """Write a JSON value to the team's blackboard, where the whole team can read it.

    Args:
        key: the value's key; what is there is replaced
        value: any JSON value
        team: the team's leader, where you are in several teams
    """
    board = boards(team)
    size = len(encode_json(value))
    if size > LARGEST_VALUE:
        raise ToolError(f"the value has {size} bytes, and a blackboard takes {LARGEST_VALUE} at a time; write less")
    keys = board.bb_keys()
    if key not in keys and len(keys) >= MOST_KEYS:
        raise ToolError(f"the blackboard has {MOST_KEYS} keys already; write over one of them")
    seen, beside = _conversation(context).seen(), _seen_beside(board, group)
    known = frozenset(beside.bb_get(key, ()))
    if not seen <= known:  # before the value, so that a kill leaves none without it
        await beside.bb_set(key, sorted(seen | known))
    version = await board.bb_set(key, value)
    assert isinstance(context.process, Process)
    context.process.emit(BlackboardChanged(group=board.name, key=key, version=version))
    return f"written: {key}"


def _conversation(context: ToolContext) -> Conversation:
    assert isinstance(context.process, Process)
    assert isinstance(context.process.conversation, Conversation)
    return context.process.conversation


async def _list(boards: Boards, team: str | None = None) -> str:
    """List the keys on the team's blackboard, one on each line.

    Args:
        team: the team's leader, where you are in several teams
    """
    return "\n".join(boards(team).bb_keys()) or "the blackboard is empty"
