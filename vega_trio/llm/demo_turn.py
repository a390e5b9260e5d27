"""What the demo model's rules see of a request, and what they answer with."""

from __future__ import annotations

import re

import attrs

from vega_trio.llm.arguments import without_quotes
from vega_trio.messages import DocumentPart, ImagePart, Message, ToolCall, ToolResult
from vega_trio.protocols import ModelRequest, ToolSpec


class DemoCrash(RuntimeError):
    """The demo model was asked to crash: no ModelError, so it ends the process."""


Step = str | ToolCall | Exception
"""A piece of an answer: text, a tool call, or what is raised at that point."""


@attrs.frozen
class Turn:
    """What the rules see of a request: the user's last words, and the tool calls and results since then.

    `calls_before` counts all tool calls of the conversation. `crashed` says that this very turn has crashed already.
    `wanted` are the keys of the object that the answer is to be, `files` what goes with the user's words.
    """

    question: str
    tools: tuple[ToolSpec, ...] = ()
    calls: tuple[ToolCall, ...] = ()
    results: tuple[ToolResult, ...] = ()
    calls_before: int = 0
    crashed: bool = False
    wanted: frozenset[str] = frozenset()
    files: tuple[ImagePart | DocumentPart, ...] = ()

    @property
    def head(self) -> str:
        """The first line that says something, without what it quotes."""
        lines = (line for line in self.question.splitlines() if line.strip())
        return without_quotes(next(lines, "")).strip()

    def says(self, pattern: str) -> bool:
        return re.search(pattern, self.head, re.IGNORECASE) is not None

    def offers(self, name: str) -> bool:
        return any(tool.name == name for tool in self.tools)


def read_turn(request: ModelRequest, *, crashed: bool = False) -> Turn:
    """The turn that `request` asks to continue."""
    said = (i for i, each in enumerate(request.messages) if each.role == "user" and (each.text.strip() or _files(each)))
    asked = list(said)
    since = request.messages[asked[-1] + 1 :] if asked else request.messages
    return Turn(
        question=_task(request.messages[asked[-1]].text) if asked else "",
        tools=request.tools,
        calls=tuple(call for each in since for call in each.tool_calls),
        results=tuple(result for each in since for result in each.tool_results),
        calls_before=sum(len(each.tool_calls) for each in request.messages),
        crashed=crashed,
        wanted=frozenset((request.output_schema or {}).get("properties", ())),
        files=_files(request.messages[asked[-1]]) if asked else (),
    )


def _files(message: Message) -> tuple[ImagePart | DocumentPart, ...]:
    return tuple(part for part in message.content if isinstance(part, ImagePart | DocumentPart))


def _task(text: str) -> str:
    """What a delegate is asked to do, without what came before."""
    found = re.fullmatch(r"<delegation_context>\n.*\n</delegation_context>\n<task>\n(.*)\n</task>", text, re.DOTALL)
    return found[1] if found else text
