"""What the tests of the language share: a document in memory, and a driver without any runtime."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs
import pytest

from vega_trio.dsl.effects import Ask, AskReply, Fork, Note, Read, Recall, Remember, StepFailed, StepTimeout, Within
from vega_trio.dsl.inputs import bind
from vega_trio.dsl.interpret import interpret
from vega_trio.dsl.parse import Parsed, parse_document, parse_text
from vega_trio.dsl.values import UNDEFINED
from vega_trio.errors import DocumentError

AGENTS = """\
agents:
  Writer: {system: You write.}
  Reader: {system: You read.}
"""
ENV = {"VEGA_MODEL": "demo"}


@attrs.frozen
class MemoryFiles:
    """A file system of a mapping from paths to texts."""

    texts: Mapping[str, str | bytes] = attrs.field(factory=dict)

    def read(self, path: str) -> bytes:
        if path not in self.texts:
            raise FileNotFoundError(2, "No such file or directory")
        found = self.texts[path]
        return found if isinstance(found, bytes) else found.encode()

    def list(self, path: str) -> list[str]:
        prefix = "" if path in ("", ".") else path.rstrip("/") + "/"
        return sorted({name[len(prefix) :].split("/")[0] for name in self.texts if name.startswith(prefix)})

    def is_file(self, path: str) -> bool:
        return path in self.texts

    def is_dir(self, path: str) -> bool:
        return path in ("", ".") or any(name.startswith(path.rstrip("/") + "/") for name in self.texts)


def load(
    text: str | bytes,
    *,
    env: Mapping[str, str] = ENV,
    files: Mapping[str, str] | None = None,
    providers: Iterable[str] = (),
    registry: Iterable[str] = (),
    isolated: bool = True,
) -> Parsed:
    """A document that was read, with no file but `files`; `isolated`: whether there is bubblewrap."""
    data = text if isinstance(text, bytes) else text.encode()
    memory = MemoryFiles(files or {})
    return parse_text(
        data, "team.vega.yaml", memory, env=env, providers=providers, registry=registry, isolated=isolated
    )


def load_files(files: Mapping[str, str | bytes], path: str, *, env: Mapping[str, str] = ENV) -> Parsed:
    return parse_document(path, MemoryFiles(files), env=env)


def refusal(text: str | bytes, **options: Any) -> DocumentError:
    """The error that a document gives."""
    with pytest.raises(DocumentError) as caught:
        load(text, **options)
    return caught.value


def codes(text: str | bytes, **options: Any) -> list[str]:
    """The codes of everything found in a document, errors or else warnings, in file order."""
    try:
        return [each.code for each in load(text, **options).warnings]
    except DocumentError as error:
        return [each.code for each in error.diagnostics]


def workflow(steps: str, *, inputs: str = "", output: str = "", more: str = "") -> str:
    """A document with two agents and the workflow `main`."""
    lines = ["workflows:", "  main:"]
    if inputs:
        lines.append(f"    inputs: {inputs}")
    lines.append("    steps:")
    lines.extend(f"      {line}" for line in steps.strip("\n").splitlines())
    if output:
        lines.append(f"    output: {output}")
    return AGENTS + "\n".join(lines) + "\n" + more


Answer = Callable[[Ask], str]


@attrs.define
class Ran:
    """What a run did: the messages asked, every effect's path by kind, its result."""

    asks: list[Ask] = attrs.field(factory=list)
    notes: list[Note] = attrs.field(factory=list)
    forks: list[Fork] = attrs.field(factory=list)
    limits: list[Within] = attrs.field(factory=list)
    value: Any = None
    memory: dict[str, object] = attrs.field(factory=dict)
    time_out: frozenset[str] = frozenset()
    cost_usd: float | None = 0.25

    @property
    def messages(self) -> list[str]:
        return [ask.message for ask in self.asks]

    @property
    def paths(self) -> list[str]:
        return [ask.path for ask in self.asks]

    def drive(self, steps: Any, answer: Answer) -> Any:
        try:
            effect = next(steps)
            while True:
                try:
                    reply = self._reply(effect, answer)
                except StepFailed as failure:
                    effect = steps.throw(failure)
                else:
                    effect = steps.send(reply)
        except StopIteration as end:
            return end.value
        finally:
            steps.close()

    def _reply(self, effect: Any, answer: Answer) -> object:
        match effect:
            case Ask():
                self.asks.append(effect)
                if effect.path in self.time_out:
                    raise StepTimeout(effect.timeout_s or 0)
                return AskReply(answer(effect), self.cost_usd, 10)
            case Fork():
                self.forks.append(effect)
                return [self.drive(branch.body, answer) for branch in effect.branches]
            case Within():
                self.limits.append(effect)
                if effect.path in self.time_out:
                    effect.body.close()
                    raise StepTimeout(effect.timeout_s)
                return self.drive(effect.body, answer)
            case Read():
                answers = {"now": "2026-11-22T10:15:30+01:00", "random": "uuid-1", "run_id": "run-1"}
                return answers.get(effect.what, f"<{effect.name}>" if effect.name != "UNSET" else None)
            case Remember():
                self.memory[effect.key] = effect.value
                return None
            case Recall():
                return self.memory.get(effect.key, UNDEFINED)
            case Note():
                self.notes.append(effect)
                return None
        raise AssertionError(effect)


def echo(ask: Ask) -> str:
    return f"<{ask.message}>"


def run(
    text: str,
    given: Mapping[str, object] | None = None,
    answer: Answer = echo,
    *,
    name: str = "main",
    time_out: frozenset[str] = frozenset(),
    memory: dict[str, object] | None = None,
) -> Ran:
    """Runs a workflow of a document with canned answers. Raises: StepFailed."""
    document = load(text).document
    ran = Ran(time_out=time_out, memory={} if memory is None else memory)
    inputs = bind(document.workflows[name], given or {})
    ran.value = ran.drive(interpret(document, name, inputs), answer).value
    return ran


def result(steps: str, output: str = "", answer: Answer = echo, **given: object) -> Any:
    """What a workflow of these steps gives; its inputs are `given`."""
    inputs = "[" + ", ".join(given) + "]" if given else ""
    return run(workflow(steps, inputs=inputs, output=output), given, answer).value
