"""What the demo model says as Mother and as Hermes: one small team, made and put to work."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from vega_trio.llm.arguments import quoted_texts
from vega_trio.llm.demo_turn import Step, Turn
from vega_trio.messages import ToolCall, ToolResult

RESEARCHER = "researcher"
LEAD = "lead"
WANTS_AGENTS = r"\b(create|make|need|build|design|add|want)\b.*\b(agents?|team|researcher|writer|lead)\b"
WANTS_TEAM = r"\b(your team|delegate)\b"
WANTS_WORK = r"\b(compet\w+|analy[sz]\w+|research\w*|report|goal|team|find out|write[- ]?up|investigate)\b"
Wanted = tuple[str, Mapping[str, object]]
"""A tool and its arguments."""
_NAMED = re.compile(r"\b(?:named|called)\s+[`'\"]?([\w-]{1,64})", re.IGNORECASE)


def is_mother(turn: Turn) -> bool:
    return turn.offers("create_agent") and turn.says(WANTS_AGENTS)


def is_hermes(turn: Turn) -> bool:
    return turn.offers("send_to_agent") and turn.says(WANTS_WORK)


def is_lead(turn: Turn) -> bool:
    return turn.offers("delegate") and turn.says(WANTS_TEAM)


def lead(turn: Turn) -> tuple[Step, ...]:
    """Hands the work to every member side by side, and puts together what comes back."""
    if not turn.calls:
        tasks = [("delegate", {"agent": name, "message": f"Your part of this: {turn.head}"}) for name in _members(turn)]
        return ("I hand this to my team. ", *_calls(turn, *tasks))
    parts = [f"**{call.arguments.get('agent')}**: {result.content.strip()[:600]}" for call, result in _answered(turn)]
    return ("\n\n".join(["My team has worked on it:", *parts]),)


def _members(turn: Turn) -> list[str]:
    """The names in the description of `delegate`'s parameter."""
    spec = next(each for each in turn.tools if each.name == "delegate")
    told = str(spec.parameters["properties"]["agent"].get("description", ""))
    return [name.strip() for name in told.rpartition(":")[2].split(",") if name.strip()]


def _answered(turn: Turn) -> list[tuple[ToolCall, ToolResult]]:
    by_id = {call.id: call for call in turn.calls}
    return [(by_id[each.tool_call_id], each) for each in turn.results]


# -- Mother


def mother(turn: Turn) -> tuple[Step, ...]:
    """Looks at what there is, makes who was asked for, and says so."""
    match len(turn.calls):
        case 0:
            return ("Let me see who is there and what they could be given. ", *_calls(turn, *_LOOKS))
        case 2:
            births = _births(turn)
            names = " and a ".join(str(keys["name"]) for _, keys in births)
            return (f"I'll create a {names}. ", *_calls(turn, *births))
        case 4 if turn.calls[-1].arguments.get("name") == LEAD:
            team = {"name": LEAD, "team": [RESEARCHER]}
            return (f"Now the {RESEARCHER} joins the {LEAD}'s team. ", *_calls(turn, ("update_agent", team)))
        case _:
            return (_announced(turn),)


_LOOKS: tuple[Wanted, ...] = (("list_agents", {}), ("list_available_tools", {}))


def _births(turn: Turn) -> list[Wanted]:
    tools = ["web_search"] if any("web_search" in result.content for result in turn.results) else []
    names = _NAMED.findall(turn.question) or quoted_texts(turn.question)[:1]
    if names:
        system = f"You do the work of a {names[0]}, and hand back the result."
        return [("create_agent", _agent(names[0], system, tools))]
    researcher = _agent(RESEARCHER, "You research on the web, and hand back facts and where they come from.", tools)
    lead = _agent(LEAD, "You lead a team, and put together what it finds.", [])
    return [("create_agent", researcher), ("create_agent", lead)]


def _agent(name: str, system: str, tools: list[str]) -> dict[str, object]:
    keys: dict[str, object] = {"name": name, "system": system, "description": system.split(",")[0].removeprefix("You ")}
    return {**keys, "tools": tools} if tools else keys


def _announced(turn: Turn) -> str:
    made = [result.content.removeprefix("created ") for result in turn.results if result.content.startswith("created ")]
    refused = [result.content for result in turn.results if result.is_error]
    said = [f"There is a new agent now: **{name}**." for name in made] + [f"I was refused: {each}" for each in refused]
    return "\n\n".join(said) + ("\n\nTalk to it in the sidebar, or have Hermes send it work." if made else "")


# -- Hermes


def hermes(turn: Turn) -> tuple[Step, ...]:
    """Surveys who is there, has Mother make a researcher where there is none, sends the work out, puts it together."""
    sent = [call for call in turn.calls if call.name == "send_to_agent"]
    if not turn.calls:
        return ("Let me see who is there. ", *_calls(turn, _LOOKS[0]))
    if not sent and not _known(turn, RESEARCHER):
        ask = f"Create an agent named `{RESEARCHER}` that researches on the web."
        return ("Nobody here does research, so I ask Mother for somebody. ", *_calls(turn, _message("mother", ask)))
    if not any(call.arguments.get("agent") == RESEARCHER for call in sent):
        parts = [f"Research {part} for this goal: {turn.question}" for part in ("what others offer", "what it costs")]
        sends = [_message(RESEARCHER, part) for part in parts]
        return ("Now the work itself, in two parts side by side. ", *_calls(turn, *sends))
    return (_synthesis(turn),)


def _known(turn: Turn, name: str) -> bool:
    for result in turn.results:
        try:
            agents = json.loads(result.content)
        except ValueError:
            continue
        if isinstance(agents, list):
            return any(isinstance(each, dict) and each.get("name") == name for each in agents)
    return False


def _message(agent: str, message: str) -> Wanted:
    return "send_to_agent", {"agent": agent, "message": message}


def _synthesis(turn: Turn) -> str:
    brought = [result for call, result in _answered(turn) if call.arguments.get("agent") == RESEARCHER]
    found = [f"{number}. {result.content.strip()[:400]}" for number, result in enumerate(brought, 1)]
    return "\n\n".join(["Here is what came back, put together:", *found, f"Done by {RESEARCHER}, asked by me, Hermes."])


def _calls(turn: Turn, *wanted: Wanted) -> list[ToolCall]:
    first = turn.calls_before + 1
    return [ToolCall(f"demo_{number}", name, arguments) for number, (name, arguments) in enumerate(wanted, first)]
