"""Ending and restarting processes from the command line: what follows is said first, and a person says yes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from vega_trio.cli.asking import tell, visible
from vega_trio.cli.confirming import confirm
from vega_trio.cli.remote import path_of
from vega_trio.cli.terminal import put

if TYPE_CHECKING:
    from vega_trio.cli.remote import Remote

WORDS = {"dies": "ends", "restarts": "restarts", "notified": "is told"}


def intervene(
    remote: Remote,
    process_id: str,
    action: Literal["kill", "restart"],
    act: Callable[[], Any],
    *,
    subtree: bool = False,
    yes: bool,
    as_json: bool,
) -> int:
    """Says who is concerned, asks unless told not to, and acts. Raises: Failure."""
    path = path_of("processes", process_id, "impact")
    impact = remote.get(path, action=action, subtree=subtree)
    others = said(remote, process_id, impact)
    if others and not as_json:
        tell(others)
    if not yes:
        confirm(f"{action} {process_id}?")
    answer = act()
    if as_json:
        put(json.dumps({**answer, "id": process_id, **impact}) + "\n")
    else:
        put(f"{process_id}: {answer['status']}\n")
    return 0


def said(remote: Remote, process_id: str, impact: dict[str, list[str]]) -> str:
    """Who else is concerned, a line each."""
    others = [(kind, each) for kind in WORDS for each in impact[kind] if each != process_id]
    if not others:
        return ""
    agents = {row["id"]: row["agent"] or row.get("task", "") for row in remote.pages("/api/processes", "id")}
    return "".join(f"{each} ({visible(agents.get(each, ''))}) {WORDS[kind]}\n" for kind, each in others)
