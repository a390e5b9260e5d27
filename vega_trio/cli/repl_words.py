"""What a line of the REPL says: pure, so that completion, execution and help have one table of words."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

import attrs

from vega_trio.suggest import remedy

WORDS: Mapping[str, tuple[str, str]] = {
    "agents": ("", "list the agents"),
    "workflows": ("", "list the workflows and their inputs"),
    "ask": ("AGENT [TEXT]", "talk to an agent from now on"),
    "end": ("", "talk to no agent any more"),
    "run": ("WORKFLOW [TASK | NAME=VALUE ..]", "run a workflow"),
    "tools": ("", "list the tools of the agent, or all"),
    "tree": ("", "show the processes"),
    "cost": ("", "show what was spent, by agent"),
    "save": ("NAME", "keep the last answer as a variable"),
    "show": ("NAME", "print a variable"),
    "retry": ("", "send the last message again"),
    "edit": ("[new]", "change the last message in your editor and send it, or write a new one"),
    "export": ("[FILE]", "write the conversation to a file, .md or .json"),
    "model": ("MODEL", "go on with another model"),
    "approve": ("[ID]", "let a tool call go ahead that waits for it"),
    "deny": ("[ID]", "refuse one"),
    "help": ("", "this list"),
    "quit": ("", "leave (also /exit, /q, Ctrl-D)"),
}
"""Word -> (what it takes, what it does)."""

_ALSO = {"exit": "quit", "q": "quit"}
_TAKES_NOTHING = frozenset({"agents", "workflows", "end", "tools", "tree", "cost", "retry", "help", "quit"})
_NAME = r"[^\W\d]\w*"
_TELL = re.compile(r"(?P<agent>.+?)\s*<-\s*(?P<quote>[\"'])(?P<text>.*)(?P=quote)\s*", re.DOTALL)
_PLAIN = re.compile(
    rf"(?P<word>save|show)\s+(?P<name>{_NAME})\s*|list\s+(?P<kind>agents|workflows)\s*|(?P<bare>help|exit)\s*"
)


@attrs.frozen
class Word:
    """A word of the REPL with what follows it."""

    name: str
    rest: str = ""


@attrs.frozen
class Tell:
    """`Agent <- "text"`: the text is a template over the saved variables."""

    agent: str
    text: str


@attrs.frozen
class Say:
    """A message to the agent that is talked to."""

    text: str


@attrs.frozen
class Wrong:
    """No line of the REPL; `hint` is what to write."""

    message: str
    hint: str


Said = Word | Tell | Say | Wrong


def understand(line: str, workflows: Collection[str]) -> Said:
    """What a line that is not blank says. `workflows` tell `run NAME` from a message that begins so."""
    text = line.strip()
    if text.startswith("/"):
        return _slashed(text[1:])
    told = _TELL.fullmatch(text)
    if told is not None:
        return Tell(told["agent"].strip(), told["text"])
    plain = _PLAIN.fullmatch(text)
    if plain is not None:
        name = plain["word"] or plain["kind"] or _ALSO.get(plain["bare"], plain["bare"])
        return Word(name, plain["name"] or "")
    head, _, rest = text.partition(" ")
    if head == "run" and rest.split(" ", 1)[0] in workflows:
        return Word("run", rest.strip())
    return Say(line)


def _slashed(text: str) -> Said:
    found = re.match(r"(\S*)\s*(.*)", text, re.DOTALL)
    assert found is not None
    name = _ALSO.get(found[1], found[1])
    if name not in WORDS:
        return Wrong(f"there is no command /{found[1]}", remedy(found[1], WORDS, "the commands are") or "see /help")
    if found[2] and name in _TAKES_NOTHING:
        return Wrong(f"/{name} takes nothing", f"write /{name}")
    return Word(name, found[2].strip())


def help_lines() -> list[str]:
    """The table for people."""
    usages = {name: f"/{name} {takes}".rstrip() for name, (takes, _) in WORDS.items()}
    width = max(map(len, usages.values()))
    lines = [f"  {usages[name]:{width}}  {does}" for name, (_, does) in WORDS.items()]
    return [
        *lines,
        "",
        '  Agent <- "text with {{variable}}"   ask an agent once; save NAME, show NAME keep and print answers',
        "  run WORKFLOW --task TEXT --name VALUE, list agents, list workflows, help, exit",
        "  Esc or Ctrl-C stops an answer, Ctrl-O unfolds tool calls, Alt-Enter is a new line, Ctrl-R searches history",
    ]


@attrs.frozen(kw_only=True)
class Names:
    """What there is to complete."""

    agents: Sequence[str]
    workflows: Sequence[str]
    variables: Sequence[str]


def completions(before: str, names: Names) -> Iterator[tuple[str, int]]:
    """(text, how many characters before the cursor it takes the place of) for what has been typed."""
    if "\n" in before:
        return
    hole = re.search(rf"\{{\{{\s*({_NAME})?$", before)
    if hole is not None:
        yield from _fitting(hole[1] or "", names.variables)
        return
    spoken = re.fullmatch(r"/?(\S+)\s+(.*)", before)
    if spoken is not None:
        word, rest = spoken[1], spoken[2]
        yield from _fitting(rest, _arguments(word, names, slashed=before.startswith("/")))
    elif before.startswith("/"):
        yield from _fitting(before[1:], WORDS)
    elif before:
        yield from _fitting(before, (*names.agents, "save", "show", "run", "list", "help", "exit"))


def _arguments(word: str, names: Names, *, slashed: bool) -> Sequence[str]:
    match word:
        case "ask" if slashed:
            return names.agents
        case "run":
            return names.workflows
        case "show" | "save":
            return names.variables
        case "edit" if slashed:
            return ("new",)
        case "list" if not slashed:
            return ("agents", "workflows")
        case _:
            return ()


def _fitting(typed: str, words: Collection[str]) -> Iterator[tuple[str, int]]:
    for word in words:
        if word.lower().startswith(typed.lower()) and word != typed:
            yield word, len(typed)
