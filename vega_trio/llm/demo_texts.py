"""The demo model's prose. Its first lines avoid the words that set off the rules: a workflow may hand a text on."""

from __future__ import annotations

import re
from collections.abc import Sequence

from vega_trio.messages import DocumentPart, ImagePart

EXPLANATION = """\
I am the demo model: scripted, free of charge and without a key, here to show what vega does around a model.

vega runs every agent as a supervised process. When one breaks, its supervisor starts it again with its history, \
and the conversation goes on. Tool calls, cost and every event can be followed live.

Put one of these words into a message:

- **search** shows a tool call, with its arguments and its result
- **crash** ends my process in the middle of an answer, and you see it recover
- **fail** shows a model error that the process survives
- **slow** gives a long answer that you can stop
- **approve** shows a tool call that waits for your yes

Name one of my tools and I call it. For real answers set `ANTHROPIC_API_KEY`, or start with `--model local`."""

RECOVERED = """\
My process ended in the middle of this answer. Its supervisor started it again with the conversation as it was, and \
the same turn went on: nothing you said was lost."""

_BINARY_SEARCH = """\
def binary_search(items, target):
    low, high = 0, len(items) - 1
    while low <= high:
        middle = (low + high) // 2
        if items[middle] == target:
            return middle
        if items[middle] < target:
            low = middle + 1
        else:
            high = middle - 1
    return -1"""

_SORT = """\
def merge_sort(items):
    if len(items) <= 1:
        return list(items)
    middle = len(items) // 2
    left, right = merge_sort(items[:middle]), merge_sort(items[middle:])
    merged = []
    while left and right:
        merged.append(left.pop(0) if left[0] <= right[0] else right.pop(0))
    return merged + left + right"""

_HELLO = """\
def hello(name="world"):
    return f"Hello, {name}!\""""

_PROGRAMS = ((r"binary.?search", _BINARY_SEARCH), (r"\bsort", _SORT), (r"\bhello\b", _HELLO))


def excerpt(text: str, longest: int = 160) -> str:
    """The first line of a text that says something, cut at `longest` characters."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    return line if len(line) <= longest else line[: longest - 3].rstrip() + "..."


def code_for(question: str) -> str:
    """A program for the task: one of three that it knows, or a skeleton."""
    return (
        f"Here is a version for “{excerpt(question)}”:\n\n```python\n{_program(question)}\n```\n\n"
        "It takes plain Python values, has no dependencies, and its edge cases (empty input, a missing value) are "
        "handled where they arise."
    )


def improved(question: str) -> str:
    """The answer to a review of a program that it wrote."""
    return (
        f"With the findings applied:\n\n```python\n{_program(question)}\n```\n\n"
        "The limits were right already; empty input gives the same result as a value that is not there, and both "
        "ends have their test:\n\n"
        "1. **Edge cases**: the result for empty input is now part of the contract.\n"
        "2. **Tests**: one for empty input, one each for the first and the last element."
    )


def _program(question: str) -> str:
    known = (code for pattern, code in _PROGRAMS if re.search(pattern, question, re.IGNORECASE))
    return next(known, None) or _skeleton(question)


def _skeleton(question: str) -> str:
    small = {"write", "implement", "create", "build", "a", "an", "the", "function", "that", "code", "for", "to", "me"}
    words = [word for word in re.findall(r"[a-z]+", excerpt(question).lower()) if word not in small]
    name = "_".join(words[:3]) or "solution"
    return f'def {name}(value):\n    """{excerpt(question).replace(chr(34), chr(39))}"""\n    return value'


def review_of(question: str) -> str:
    """A review that names what it was given."""
    lines = len([line for line in question.splitlines() if line.strip()])
    return (
        f"I read {lines} line{'s' if lines != 1 else ''} for “{excerpt(question)}”.\n\n"
        "1. **Correctness**: the main path does what it says; the limits of its loops are right.\n"
        "2. **Edge cases**: empty input is handled; say in the docstring what a missing value gives.\n"
        "3. **Clarity**: names are good; type hints would help the reader.\n"
        "4. **Tests**: add one for an empty input and one for the first and the last element.\n\n"
        "Verdict: APPROVED, with the small changes above."
    )


def work_on(question: str) -> str:
    """An orderly answer to any task, quoting it."""
    return (
        f"For “{excerpt(question)}” I suggest:\n\n"
        "1. **Goal**: say in one sentence what is different when this is done.\n"
        "2. **First step**: the smallest piece that works from end to end.\n"
        "3. **Risks**: what is unknown, and how to find out early.\n"
        "4. **Done**: the check that shows it works.\n\n"
        "This is the demo model's outline; a real model fills it in."
    )


def seen(files: Sequence[ImagePart | DocumentPart]) -> str:
    """What came with a message, a line each."""
    lines = [f"{number}. {_described(file)}" for number, file in enumerate(files, 1)]
    return "\n".join(["You gave me this to look at:", "", *lines, "", "A real model would read it."])


def _described(file: ImagePart | DocumentPart) -> str:
    match file:
        case ImagePart(media_type, data):
            return f"an image, {media_type}, {len(data):,} bytes"
        case DocumentPart(data, "text/plain", title):
            text = data.decode("utf-8", "replace")
            lines = len(text.splitlines())
            counted = f"{lines:,} line{'s' if lines != 1 else ''}"
            return f"{title or 'a text'}, {counted}, which begins with “{excerpt(text, 60)}”"
        case DocumentPart(data, media_type, title):
            return f"{title or 'a document'}, {media_type}, {len(data):,} bytes"


def long_answer(question: str) -> str:
    """About 1,200 words: twenty seconds at the demo's pace, time enough to stop it."""
    opening = f"You asked for it at leisure: “{excerpt(question, 60)}”. I will count, and you can stop me.\n\n"
    lines = [f"{number}. A process that is stopped here keeps the words it has said so far." for number in range(1, 81)]
    return opening + "\n".join(lines)
