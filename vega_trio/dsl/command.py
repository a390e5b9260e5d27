"""Splits the command of an `exec` tool, once, at load: a value can then never become more than it is.

POSIX quoting. A command with an unquoted `|`, `&`, `;`, `<` or `>` is for a shell: its text is fixed and its values
become positional parameters.
"""

from __future__ import annotations

import attrs

from vega_trio.dsl.template import Hole, Part, Template
from vega_trio.dsl.tool import ExecImpl, ShellValue
from vega_trio.dsl.values import ExpressionError

_OPERATORS = frozenset("|&;<>")
_SHELLS = ("sh", "bash", "dash", "zsh", "ksh", "ash", "fish", "su", "ssh", "eval", "xargs")
_LANGUAGES = ("python", "python2", "python3", "perl", "ruby", "node", "php", "lua")
_INTERPRETERS = frozenset((*_SHELLS, *_LANGUAGES))


@attrs.define
class _Word:
    """One argument: literal pieces and values, in order. `offset` is where it begins in the command."""

    offset: int
    parts: list[Part] = attrs.field(factory=list)
    is_operator: bool = False

    def add(self, part: Part) -> None:
        if part == "":
            return  # a pair of quotes makes an argument, and adds nothing to it
        if isinstance(part, str) and self.parts and isinstance(self.parts[-1], str):
            self.parts[-1] += part
        else:
            self.parts.append(part)

    @property
    def literal(self) -> str | None:
        """The text, when no value is in it."""
        if not self.parts:
            return ""
        return self.parts[0] if len(self.parts) == 1 and isinstance(self.parts[0], str) else None

    @property
    def whole_value(self) -> bool:
        return len(self.parts) == 1 and not isinstance(self.parts[0], str)


@attrs.define
class _Splitter:
    """Walks the command's characters and holes; `shell` is the same text with `$1`, `$2` for the holes."""

    words: list[_Word] = attrs.field(factory=list)
    current: _Word | None = None
    quote: str = ""
    escaped: bool = False
    shell: list[str] = attrs.field(factory=list)
    values: list[ShellValue] = attrs.field(factory=list)

    def word(self, offset: int) -> _Word:
        if self.current is None:
            self.current = _Word(offset)
            self.words.append(self.current)
        return self.current

    def value(self, part: Part, offset: int, text: str) -> None:
        word = self.word(offset)
        self.values.append(ShellValue(Template(text, (part,)), opens=not word.parts))
        word.add(part)
        reference = f"${{{len(self.values)}}}"
        self.shell.append({"": f'"{reference}"', '"': reference, "'": f"'\"{reference}\"'"}[self.quote])
        self.escaped = False

    def character(self, char: str, offset: int) -> None:
        self.shell.append(char)
        if self.escaped:
            self.escaped = False
            if char != "\n":
                keeps = self.quote == '"' and char not in '"\\$`'
                self.word(offset).add(f"\\{char}" if keeps else char)
        elif char == "\\" and self.quote != "'":
            self.escaped = True
        elif self.quote:
            if char == self.quote:
                self.quote = ""
            else:
                self.word(offset).add(char)
        elif char in "'\"":
            self.quote = char
            self.word(offset).add("")
        elif char.isspace():
            self.current = None
        elif char in _OPERATORS:
            self._operator(char, offset)
        else:
            self.word(offset).add(char)

    def _operator(self, char: str, offset: int) -> None:
        if self.current is None or not self.current.is_operator:
            self.current = None
            self.word(offset).is_operator = True
        self.word(offset).add(char)


def split_command(template: Template) -> ExecImpl:
    """Raises: ExpressionError V022 (no command, open quote), V023 (a value where it could do harm)."""
    splitter = _Splitter()
    at = 0
    for part in template.parts:
        if isinstance(part, str):
            at = _characters(splitter, template.text, part, at)
        elif isinstance(part, Hole):
            splitter.value(part, part.start, template.text[part.start : part.end])
            at = part.end
        else:
            splitter.value(part, at, template.text)
    if splitter.quote:
        raise ExpressionError("V022", f"the command has an open {splitter.quote}", 0, len(template.text))
    if not splitter.words:
        raise ExpressionError("V022", "the command is empty", 0, max(len(template.text), 1))
    return _command(template, splitter)


def _characters(splitter: _Splitter, text: str, part: str, at: int) -> int:
    for char in part:
        if text.startswith("\\{{", at) and char == "{":  # a literal brace was written with a backslash
            at += 1
        splitter.character(char, at)
        at += 1
    return at


def _command(template: Template, splitter: _Splitter) -> ExecImpl:
    is_shell = any(word.is_operator for word in splitter.words)
    whole = False
    for command in _commands(splitter.words):
        _check_program(template, command)
        whole = _check_scripts(template, command) or whole
    if is_shell:
        return ExecImpl(shell="".join(splitter.shell), values=tuple(splitter.values), whole_command=whole)
    argv = tuple(Template(template.text, tuple(word.parts) or ("",)) for word in splitter.words)
    literals = [word.literal for word in splitter.words]
    after = literals.index("--") + 1 if "--" in literals else None
    return ExecImpl(argv=argv, after_dashes=after, whole_command=whole)


def _commands(words: list[_Word]) -> list[list[_Word]]:
    """The words between operators; what follows a redirection is no command."""
    commands: list[list[_Word]] = [[]]
    for word in words:
        if word.is_operator and set(word.literal or "") & {"|", "&", ";"}:
            commands.append([])
        else:
            commands[-1].append(word)
    return [command for command in commands if command]


def _check_program(template: Template, words: list[_Word]) -> None:
    if words[0].literal is None:
        raise _unsafe(template, words[0], "a value cannot choose the program to run", "write the program's name")


def _check_scripts(template: Template, words: list[_Word]) -> bool:
    """Whether a value is the whole text of a `-c` argument. Raises: ExpressionError V023 for a part of one."""
    interpreted, whole = False, False
    for word, following in zip(words, [*words[1:], None], strict=True):
        literal = word.literal or ""
        interpreted = interpreted or literal.rsplit("/", 1)[-1] in _INTERPRETERS
        is_script = interpreted and len(literal) > 1 and literal[0] == "-" and literal[1] != "-" and literal[-1] in "ce"
        if not is_script or following is None or following.literal is not None:
            continue
        if not following.whole_value:
            hint = 'give the values as arguments after the text, and use "$1" in it'
            raise _unsafe(template, following, "a value inside the text of '-c' could run anything", hint)
        whole = True
    return whole


def _unsafe(template: Template, word: _Word, message: str, hint: str) -> ExpressionError:
    holes = [part for part in word.parts if isinstance(part, Hole)]
    start, end = (holes[0].start, holes[0].end) if holes else (word.offset, len(template.text))
    return ExpressionError("V023", message, start, end, hint)
