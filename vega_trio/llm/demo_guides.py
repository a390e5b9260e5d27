"""What the demo model says as Mother and as Hermes: one small team, made and put to work."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from vega_trio.llm.arguments import quoted_texts
from vega_trio.llm.demo_turn import Step, Turn
from vega_trio.messages import ToolCall, ToolResult

RESEARCHER = "researcher"
WRITER = "writer"
LEAD = "lead"
WANTS_NO_AGENT = r"\b(delete|remove|dismiss)\b.*\bagent\b"
WANTS_AGENTS = r"\b(create|make|need|build|design|add|want)\b.*\b(agents?|team|researcher|writer|lead)\b"
WANTS_TEAM = r"\b(your team|delegate)\b"
WANTS_WORK = r"\b(compet\w+|analy[sz]\w+|research\w*|report|goal|team|find out|write[- ]?up|investigate)\b"
Wanted = tuple[str, Mapping[str, object]]
"""A tool and its arguments."""
_NAMED = re.compile(r"\b(?:named|called)\s+[`'\"]?([\w-]{1,64})", re.IGNORECASE)
_AGENT = re.compile(r"\bagent\s+[`'\"]?([\w-]{1,64})", re.IGNORECASE)
_RIVALS = re.compile(r"\btop\s+(\d)\b", re.IGNORECASE)
_MOST_RIVALS = 5


def is_mother(turn: Turn) -> bool:
    return turn.offers("create_agent") and (turn.says(WANTS_AGENTS) or turn.says(WANTS_NO_AGENT))


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
    """Looks at what there is, makes who was asked for, and says so; or lets somebody go."""
    done = [call.name for call in turn.calls]
    if turn.says(WANTS_NO_AGENT):
        return _goodbye(turn)
    if not done:
        return ("Let me see who is there and what they could be given. ", *_calls(turn, *_LOOKS))
    if "create_agent" not in done:
        births = _births(turn)
        return (f"I'll create {_listed(births)}. ", *_calls(turn, *births))
    if turn.calls[-1].name == "create_agent" and turn.calls[-1].arguments.get("name") == LEAD:
        team = {"name": LEAD, "team": [RESEARCHER]}
        return (f"Now the {RESEARCHER} joins the {LEAD}'s team. ", *_calls(turn, ("update_agent", team)))
    return (_announced(turn),)


def _goodbye(turn: Turn) -> tuple[Step, ...]:
    named = _AGENT.findall(turn.question) + quoted_texts(turn.question)
    if turn.calls or not named:
        return ("\n\n".join(["So it is:", *(each.content for each in turn.results)]) if turn.calls else "Whom?",)
    return (f"Then {named[0]} goes. ", *_calls(turn, ("delete_agent", {"name": named[0]})))


def _listed(births: list[Wanted]) -> str:
    """`a researcher with web_search and a lead`."""
    made = [f"a {keys['name']}{' with web tools' if keys.get('tools') else ''}" for _, keys in births]
    return " and ".join(made)


_LOOKS: tuple[Wanted, ...] = (("list_agents", {}), ("list_available_tools", {}))


def _births(turn: Turn) -> list[Wanted]:
    tools = ["web_search"] if any("web_search" in result.content for result in turn.results) else []
    names = _NAMED.findall(turn.question) or quoted_texts(turn.question)[:1]
    if names:
        return [("create_agent", _agent(name, _SYSTEMS.get(name) or _work_of(name), tools)) for name in names]
    researcher = _agent(RESEARCHER, _SYSTEMS[RESEARCHER], tools)
    lead = _agent(LEAD, "You lead a team, and put together what it finds.", [])
    return [("create_agent", researcher), ("create_agent", lead)]


_SYSTEMS: Mapping[str, str] = {
    RESEARCHER: "You research on the web, and hand back facts and where they come from.",
    WRITER: "You write up what others have found, and hand back one clear text.",
}


def _work_of(name: str) -> str:
    return f"You do the work of a {name}, and hand back the result."


def _agent(name: str, system: str, tools: list[str]) -> dict[str, object]:
    keys: dict[str, object] = {"name": name, "system": system, "description": system.split(",")[0].removeprefix("You ")}
    return {**keys, "tools": tools} if tools and name != WRITER else keys


def _announced(turn: Turn) -> str:
    made = [result.content.removeprefix("created ") for result in turn.results if result.content.startswith("created ")]
    refused = [result.content for result in turn.results if result.is_error]
    said = [f"There is a new agent now: **{name}**." for name in made] + [f"I was refused: {each}" for each in refused]
    return "\n\n".join(said) + ("\n\nTalk to them in the sidebar, or have Hermes send them work." if made else "")


# -- Hermes


def hermes(turn: Turn) -> tuple[Step, ...]:
    """Surveys who is there, has Mother make who is missing, sends the work out, and hands over what comes of it."""
    sent = [call.arguments.get("agent") for call in turn.calls if call.name == "send_to_agent"]
    if not turn.calls:
        return ("Let me see who is there. ", *_calls(turn, _LOOKS[0]))
    missing = [name for name in (RESEARCHER, WRITER) if not _known(turn, name)]
    if not sent and missing:
        ask = "Create " + " and ".join(f"an agent named `{name}` that {_PURPOSES[name]}" for name in missing) + "."
        return ("Somebody is missing for this, so I ask Mother. ", *_calls(turn, _message("mother", ask)))
    if RESEARCHER not in sent:
        sends = [_message(RESEARCHER, f"Search the web for {each}.\n{_goal(turn)}") for each in _parts(turn)]
        return ("Now the research, side by side. ", *_calls(turn, *sends))
    found = [result.content.strip()[:400] for call, result in _answered(turn) if _is_to(call, RESEARCHER)]
    if WRITER not in sent:
        write = "\n".join(["Write up the analysis.", _goal(turn), "What was found:", *found])
        return ("All of it is back. The write-up comes next. ", *_calls(turn, _message(WRITER, write)))
    return (_synthesis(turn, found),)


_PURPOSES: Mapping[str, str] = {RESEARCHER: "researches on the web", WRITER: "writes up what was found"}


def _goal(turn: Turn) -> str:
    return f"The goal: {turn.question}"


def _parts(turn: Turn) -> list[str]:
    """What there is to find out: a part for each competitor, where they are counted."""
    counted = _RIVALS.search(turn.head)
    if turn.says(r"\bcompetitors?\b") and counted and 0 < int(counted[1]) <= _MOST_RIVALS:
        return [f"competitor {letter}" for letter in "ABCDE"[: int(counted[1])]]
    return ["what others offer", "what it costs"]


def _is_to(call: ToolCall, agent: str) -> bool:
    return call.name == "send_to_agent" and call.arguments.get("agent") == agent


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


def _synthesis(turn: Turn, found: list[str]) -> str:
    written = [result.content.strip() for call, result in _answered(turn) if _is_to(call, WRITER)]
    lines = [f"{number}. {' '.join(each.split())[:200]}" for number, each in enumerate(found, 1)]
    who = f"Researched in {len(found)} parts by {RESEARCHER}, written by {WRITER}, asked by me, Hermes."
    return "\n\n".join(["\n\nHere is what came back, put together:", *written, "What it rests on:", *lines, who])


def _calls(turn: Turn, *wanted: Wanted) -> list[ToolCall]:
    first = turn.calls_before + 1
    return [ToolCall(f"demo_{number}", name, arguments) for number, (name, arguments) in enumerate(wanted, first)]
