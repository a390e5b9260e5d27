"""The inputs of a run as they are given on the command line, in every way, the last one winning."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

import attrs

from vega_trio._core.codec import decode_json
from vega_trio.cli.failure import usage
from vega_trio.dsl.workflow import WorkflowDefinition
from vega_trio.suggest import closest

MAX_BYTES = 10 * 1024 * 1024  # as much as a text of the language may hold


@attrs.frozen
class Given:
    """One use of `--task VALUE`, `--input VALUE`, `--set NAME=VALUE` or `--NAME VALUE`."""

    option: Literal["task", "input", "set", "name"]
    value: str
    name: str = ""


def split_arguments(args: Sequence[str], options: Mapping[str, bool]) -> tuple[list[str], list[Given]]:
    """(what click is to parse, inputs in order). `options` says of each known option whether it takes a value.

    Unknown long options are inputs and taken out; `--task`, `--input` and `--set` stay in as well, so that click
    checks and documents them. What follows `--` is left alone. A word that looks like an option is never a value:
    that is written `--NAME=--VALUE`.

    Raises: Failure for an option or input without a value.
    """
    rest: list[str] = []
    given: list[Given] = []
    todo = list(args)
    while todo:
        arg = todo.pop(0)
        if arg == "--":
            return [*rest, arg, *todo], given
        name, equals, value = arg.partition("=")
        if not arg.startswith("--") and arg not in options:
            rest.append(arg)
        elif name in options:
            rest.append(arg)
            if options[name] and not equals:
                value = _value_of(name, todo, options)
                rest.append(value)
            given.extend(_known(name, value))
        else:
            given.append(Given("name", value if equals else _value_of(name, todo, options), name[2:]))
    return rest, given


_LIKE_AN_OPTION = re.compile(r"--[A-Za-z][\w-]*(?:=.*)?", re.DOTALL)


def _value_of(name: str, todo: list[str], options: Mapping[str, bool]) -> str:
    """Takes the next word as the value of the option. Raises: Failure when there is none."""
    if todo and todo[0] not in options and not _LIKE_AN_OPTION.fullmatch(todo[0]):
        return todo.pop(0)
    near = closest(name, [each for each in options if each.startswith("--")]) if name not in options else None
    if near is not None and not options[near]:
        raise usage(f"{name} is neither an option nor an input", f"did you mean {near}?")
    instead = f"; if {todo[0]} is the value, write {name}={todo[0]}" if todo else ""
    meant = f"; or did you mean {near}?" if near is not None else ""
    raise usage(f"{name} needs a value", f"write {name} VALUE{instead}{meant}")


def _known(option: str, value: str) -> list[Given]:
    match option:
        case "--task":
            return [Given("task", value)]
        case "--input":
            return [Given("input", value)]
        case "--set":
            name, equals, text = value.partition("=")
            if not equals or not name.strip():
                raise usage(f"--set {value!r} is no NAME=VALUE", "write for example --set language=python")
            return [Given("set", text, name.strip())]
        case _:
            return []


ReadStdin = Callable[[bool], str | None]
"""Gives what comes on stdin, or None. True: it was asked for by `-`, so a terminal is read as well."""


def bind(
    given: Sequence[Given], workflow: WorkflowDefinition, read_stdin: ReadStdin, options: Sequence[str]
) -> tuple[dict[str, object], str | None]:
    """(inputs by name, text for a primary input that the workflow does not have).

    `read_stdin` is called at most once, when `-` asks for it or when nothing else gives the primary input.
    `options` are those of the command, for a slip of one.

    Raises: Failure.
    """
    binder = _Binder(workflow, read_stdin, options)
    for each in given:
        binder.take(each)
    return binder.finish()


@attrs.define
class _Binder:
    workflow: WorkflowDefinition
    read_stdin: ReadStdin
    options: Sequence[str]
    values: dict[str, object] = attrs.field(factory=dict)
    primary_text: str | None = None
    stdin_is_used: bool = False

    def take(self, given: Given) -> None:
        match given.option:
            case "task":
                self._primary(given.value)
            case "input":
                self._whole(given.value)
            case _:
                self._named(given)

    def finish(self) -> tuple[dict[str, object], str | None]:
        open_ = self.primary_text is None and self.workflow.primary not in self.values
        if open_ and not self.stdin_is_used and self.workflow.inputs:
            text = self._stdin(asked=False)
            if text:
                self._primary(text)
        return self.values, self.primary_text

    def _primary(self, text: str) -> None:
        if self.workflow.primary is None:
            self.primary_text = text
        else:
            self.values[self.workflow.primary] = self._typed(self.workflow.primary, text)

    def _whole(self, value: str) -> None:
        """`--input`: stdin, a file or text; a JSON object holds inputs by name, all else is the primary input."""
        is_json_file = False
        if value == "-":
            text = self._stdin(asked=True) or ""
        elif _is_file(value):
            text, is_json_file = _read_file(value), value.endswith(".json")
        elif _looks_like_a_path(value):
            raise usage(f"--input {value}: there is no such file", near_file(value) or "check the path")
        else:
            text = value
        found = _json_object(text)
        if found is not None and not self._is_primary_object(found):
            for name, each in found.items():
                self.values[self._name(name)] = each
        elif is_json_file and found is None and not _is_json(text):
            raise usage(f"--input {value}: the file holds no JSON")
        elif text:
            self._primary(text)

    def _is_primary_object(self, found: Mapping[str, object]) -> bool:
        """Whether the object is the value of an input of type object, and not a mapping of inputs."""
        inputs = self.workflow.inputs
        primary = inputs.get(self.workflow.primary or "")
        return primary is not None and primary.type == "object" and not any(key in inputs for key in found)

    def _named(self, given: Given) -> None:
        name = self._name(given.name)
        if given.option == "name" and name not in self.workflow.inputs:
            near = closest("--" + given.name, [*self.options, *("--" + each for each in self.workflow.inputs)])
            if near in self.options:
                raise usage(f"--{given.name} is neither an option nor an input", f"did you mean {near}?")
        self.values[name] = self._typed(name, given.value)

    def _name(self, written: str) -> str:
        """The input meant: `-` and `_` alike; `task` and `input`, undeclared, are the primary one."""
        inputs = self.workflow.inputs
        if written in inputs:
            return written
        for name in inputs:
            if name.replace("-", "_") == written.replace("-", "_"):
                return name
        if written in ("task", "input") and self.workflow.primary is not None:
            return self.workflow.primary
        return written

    def _typed(self, name: str, text: str) -> object:
        """For an input of type any, text that is a JSON value becomes it."""
        definition = self.workflow.inputs.get(name)
        if definition is None or definition.type != "any":
            return text
        try:
            return decode_json(text)
        except ValueError:
            return text

    def _stdin(self, *, asked: bool) -> str | None:
        if self.stdin_is_used:
            raise usage("stdin is read twice", "give '-' once")
        self.stdin_is_used = True
        return self.read_stdin(asked)


def _is_file(text: str) -> bool:
    try:
        return Path(text).is_file()
    except (OSError, ValueError):  # too long for a path, or a NUL in it: it is text
        return False


_FILE_NAME = re.compile(r"[^\s{}\[\]\"]+\.(?:json|ya?ml|txt|md|csv)", re.IGNORECASE)


def _looks_like_a_path(text: str) -> bool:
    """Whether the text can hardly be meant as the input itself: one word that ends as files of data do."""
    return _FILE_NAME.fullmatch(text) is not None and "://" not in text


def near_file(path: str) -> str:
    """`did you mean ..?`, when a file of nearly that name is there."""
    folder = Path(path).parent
    try:
        names = sorted(each.name for each in folder.iterdir() if each.is_file())
    except OSError:
        return f"there is no directory {str(folder)!r}"
    near = closest(Path(path).name, names)
    return f"did you mean {str(folder / near)!r}?" if near is not None else ""


def _read_file(path: str) -> str:
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise usage(f"--input {path}: the file cannot be read: {error.strerror}") from error
    return decode_text(data, f"--input {path}")


def decode_text(data: bytes, where: str) -> str:
    """UTF-8 text of a bearable size, without the line end that closes it. Raises: Failure."""
    if len(data) > MAX_BYTES:
        raise usage(f"{where}: {len(data):,} bytes are more than the {MAX_BYTES:,} that an input may have")
    try:
        return data.decode("utf-8-sig").removesuffix("\n").removesuffix("\r")
    except UnicodeDecodeError as error:
        raise usage(f"{where}: this is not UTF-8 text (byte {error.start})") from error


def _json_object(text: str) -> dict[str, object] | None:
    if not text.lstrip().startswith("{"):
        return None
    try:
        value = decode_json(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _is_json(text: str) -> bool:
    try:
        decode_json(text)
    except ValueError:
        return False
    return True
