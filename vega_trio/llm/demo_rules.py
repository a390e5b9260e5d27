"""What the demo model says: a table of rules, read from the top; the first that applies answers.

The rules look for their words in the first line of the user's last message, outside quotations, so that a
text which is only being discussed (code to review, an earlier step's result) sets nothing off.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import attrs

from vega_trio.errors import ModelError
from vega_trio.llm.arguments import synthesise
from vega_trio.llm.demo_guides import hermes, is_hermes, is_lead, is_mother, lead, mother
from vega_trio.llm.demo_memory import is_memory, memory
from vega_trio.llm.demo_texts import EXPLANATION, RECOVERED, code_for, improved, long_answer, review_of, seen, work_on
from vega_trio.llm.demo_turn import DemoCrash, Step, Turn
from vega_trio.messages import ToolCall, ToolResult
from vega_trio.protocols import ToolSpec
from vega_trio.session import ErrorClass

PUBLISH = "publish_note"
"""The tool of the built-in document that a person has to approve; it has it with this model only."""


def answer(turn: Turn) -> tuple[Step, ...]:
    """What the demo model does next in this turn."""
    return next(rule.answer(turn) for rule in RULES if rule.applies(turn))


# -- tools


def _named_tools(turn: Turn) -> list[tuple[int, int, ToolSpec]]:
    """The offered tools that the message names, with the place of the name, in that order.

    `web_search` is named by `web_search` and `web search`, an MCP tool by what follows its server too.
    """
    found = []
    for tool in turn.tools:
        short = tool.name.rpartition("__")[2]
        names = {tool.name, short, short.replace("_", " ")}
        pattern = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True) if name)
        if match := re.search(rf"(?<!\w)(?:{pattern})(?!\w)", turn.question, re.IGNORECASE):
            found.append((match.start(), match.end(), tool))
    return sorted(found, key=lambda each: each[:2])


def _call_tools(turn: Turn) -> tuple[Step, ...]:
    named = _named_tools(turn)
    ends = [start for start, _, _ in named[1:]] + [len(turn.question)]
    calls = []
    for number, ((_, after, tool), end) in enumerate(zip(named, ends, strict=True), turn.calls_before + 1):
        said = turn.question[after:end].strip(" \t\n.,;:!?") or turn.question
        calls.append(ToolCall(f"demo_{number}", tool.name, synthesise(tool.parameters, said)))
    names = " and ".join(f"`{call.name}`" for call in calls)
    return (f"Let me use {names}. ", *calls)


def _search(turn: Turn) -> tuple[Step, ...]:
    about = re.sub(r"^.*?\bsearch\b(?:\s+(?:the|web|internet|for|about|on|and|tell|me))*\W*", "", turn.head, flags=re.I)
    query = about.strip(" .!?") or turn.head
    call = ToolCall(f"demo_{turn.calls_before + 1}", "web_search", {"query": query})
    return ("Let me look that up. ", call)


def _approve(turn: Turn) -> tuple[Step, ...]:
    call = ToolCall(f"demo_{turn.calls_before + 1}", PUBLISH, {"text": "Agents are processes."})
    return ("I would like to publish a note, which nobody should do without asking you. ", call)


def _report(turn: Turn) -> tuple[Step, ...]:
    names = {call.id: call.name for call in turn.calls}
    parts = [_told(names.get(result.tool_call_id, "the tool"), result) for result in turn.results]
    return ("\n\n".join(parts),)


def _told(name: str, result: ToolResult) -> str:
    text = result.content.strip() or "nothing"
    if len(text) > 1500:
        text = text[:1500].rstrip() + " ..."
    if result.is_error:
        return f"`{name}` did not work: {text}"
    if name == "web_search":
        return f"Based on the results:\n\n{text}"
    return f"`{name}` answered: {text}"


# -- what is asked of the demo itself


def _crash(turn: Turn) -> tuple[Step, ...]:
    if turn.crashed:
        return (RECOVERED,)
    return ("Watch the process list: I will end my own process in the middle of this ", DemoCrash("asked to crash"))


def _fail(_: Turn) -> tuple[Step, ...]:
    error = ModelError("the demo model was asked to fail; its process goes on", ErrorClass.INVALID_REQUEST)
    return ("This answer ends with an error of the model. ", error)


# -- answers in a wanted form


def _yes(_: Turn) -> tuple[Step, ...]:
    return ("yes",)


def _json_list(_: Turn) -> tuple[Step, ...]:
    return ('["first", "second", "third"]',)


@attrs.frozen
class Rule:
    """`applies` is asked in the order of the table."""

    applies: Callable[[Turn], bool]
    answer: Callable[[Turn], tuple[Step, ...]]


WRITES_CODE = (
    r"\b(write|implement|create|code|build|fix|refactor|improve)\b.*"
    r"\b(function|code|program|class|script|module)\b"
)
ANSWERS_A_REVIEW = r"\b(reviewer|review)\b.*\b(found|says|said|findings)\b|\b(apply|address)\b.*\b(review|findings)\b"
WORK = (
    r"\b(write|draft|plan|design|propose|outline|research|analy[sz]e|summari[sz]e|combine|merge|translate|describe|"
    r"create|build|implement|test|compare|decide|improve|rewrite|process|prepare|list|estimate|fix|check)\b|^task\b"
)

RULES: tuple[Rule, ...] = (
    Rule(is_memory, memory),
    Rule(is_hermes, hermes),
    Rule(is_mother, mother),
    Rule(is_lead, lead),
    Rule(lambda turn: bool(turn.results), _report),
    Rule(lambda turn: turn.says(r"\bcrash\b"), _crash),
    Rule(lambda turn: turn.says(r"\bfail\b"), _fail),
    Rule(lambda turn: turn.says(r"\bapprove\b") and turn.offers(PUBLISH), _approve),
    Rule(lambda turn: turn.says(r"\bslow(ly)?\b"), lambda turn: (long_answer(turn.question),)),
    Rule(lambda turn: bool(turn.files), lambda turn: (seen(turn.files),)),
    Rule(lambda turn: bool(_named_tools(turn)), _call_tools),
    Rule(lambda turn: turn.says(ANSWERS_A_REVIEW), lambda turn: (improved(turn.question),)),
    Rule(lambda turn: turn.says(WRITES_CODE) and not turn.says(r"^\W*review\b"), lambda t: (code_for(t.question),)),
    Rule(lambda turn: turn.says(r"\bsearch\b") and turn.offers("web_search"), _search),
    Rule(lambda turn: re.search(r"\byes or no\b", turn.question, re.IGNORECASE) is not None, _yes),
    Rule(lambda turn: re.search(r"\bjson (list|array)\b", turn.question, re.IGNORECASE) is not None, _json_list),
    Rule(lambda turn: turn.says(r"\breview\b"), lambda turn: (review_of(turn.question),)),
    Rule(lambda turn: turn.says(WORK), lambda turn: (work_on(turn.question),)),
    Rule(lambda _: True, lambda _: (EXPLANATION,)),
)
