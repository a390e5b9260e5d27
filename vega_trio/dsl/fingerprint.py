"""What a definition says, as a short text: equal for definitions that do the same, wherever in a file they stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Any

import attrs

from vega_trio.dsl.document import Document
from vega_trio.dsl.policy import Place
from vega_trio.dsl.workflow import WorkflowAction

_FOR_PEOPLE = frozenset({"description", "title"})


def workflow_fingerprint(document: Document, name: str) -> str:
    """That of a workflow, and of all that it runs."""
    found: dict[str, object] = {}
    waiting = [name]
    while waiting:
        each = waiting.pop()
        if each not in found and each in document.workflows:
            found[each] = document.workflows[each]
            waiting += _called(document.workflows[each])
    return fingerprint([found[each] for each in sorted(found)])


def fingerprint(definition: object) -> str:
    """64 bits of the SHA-256 of all that it says; places, titles and descriptions aside."""
    return sha256("\0".join(_said(definition)).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _said(value: object) -> Iterator[str]:
    if isinstance(value, Place):
        return
    kind: type[Any] = type(value)
    if attrs.has(kind):
        yield f"({kind.__name__}"
        for field in attrs.fields(kind):
            if field.repr and field.name not in _FOR_PEOPLE:  # what is compiled from the text is not shown either
                yield field.name
                yield from _said(getattr(value, field.name))
        yield ")"
    elif isinstance(value, Mapping):
        yield "{"
        for key, each in value.items():
            yield repr(key)
            yield from _said(each)
        yield "}"
    elif isinstance(value, list | tuple | frozenset):
        yield "["
        for each in sorted(value, key=repr) if isinstance(value, frozenset) else value:
            yield from _said(each)
        yield "]"
    else:
        yield repr(value)


def _called(value: object) -> Iterator[str]:
    """The workflows that steps anywhere within run."""
    if isinstance(value, WorkflowAction):
        yield value.workflow
    kind: type[Any] = type(value)
    if attrs.has(kind):
        for field in attrs.fields(kind):
            yield from _called(getattr(value, field.name))
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _called(each)
