"""Where the lines of the REPL come from: prompt_toolkit on a terminal, plain lines elsewhere."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import attrs
import trio

from vega_trio.cli.repl_words import Names, completions
from vega_trio.cli.terminal import safe
from vega_trio.errors import MissingExtra

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent


class Reader(Protocol):
    """Where the lines of a REPL come from."""

    async def read(self, prompt: str, bar: str, typed: str) -> str | None:
        """The next line, without its end; None when there are no more. `typed` was typed ahead."""
        ...


@attrs.define
class LineReader:
    """Lines of a pipe, or of a terminal that cannot do more; there the prompt goes to stderr."""

    lines: trio.MemoryReceiveChannel[str]
    prompts: bool

    async def read(self, prompt: str, bar: str, typed: str) -> str | None:
        if self.prompts:
            sys.stderr.write(prompt)
            sys.stderr.flush()
        try:
            return await self.lines.receive()
        except trio.EndOfChannel:
            return None


@attrs.define
class PromptReader:
    """Lines that are edited: history, completion, several lines, a bar below. Its loop runs in a thread of its own.

    The thread is never abandoned: only it can put the terminal back. Cancelling ends the prompt and waits for it.
    """

    session: PromptSession[str]
    bar: str = ""
    reading: bool = False
    leaving: bool = False

    async def read(self, prompt: str, bar: str, typed: str) -> str | None:
        self.bar, self.reading = bar, True
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._end_when_cancelled)
            line = await trio.to_thread.run_sync(partial(self._prompt, prompt, typed))
            self.reading = False
            nursery.cancel_scope.cancel()
        return line

    def _prompt(self, prompt: str, typed: str) -> str | None:
        from prompt_toolkit.patch_stdout import patch_stdout

        try:
            with patch_stdout(raw=True):
                return self.session.prompt(
                    prompt,
                    default=typed,
                    bottom_toolbar=(lambda: self.bar) if self.bar else None,
                    handle_sigint=False,
                    pre_run=self._leave_if_asked,
                )
        except EOFError:
            return None

    async def _end_when_cancelled(self) -> None:
        try:
            await trio.sleep_forever()
        finally:
            self.leaving = self.reading
            loop = self.session.app.loop
            if loop is not None:
                with suppress(RuntimeError):  # the prompt has ended by itself meanwhile
                    loop.call_soon_threadsafe(self._leave_if_asked)

    def _leave_if_asked(self) -> None:
        app = self.session.app
        if self.leaving and app.is_running and app.future is not None and not app.future.done():
            app.exit(exception=EOFError)


def open_prompt(history: Path, names: Callable[[], Names], unfold: Callable[[], None]) -> PromptReader:
    """A reader whose history lies in a file for its owner alone. `unfold` is called, beside the prompt, by Ctrl-O.

    Raises: MissingExtra.
    """
    try:
        from prompt_toolkit import PromptSession
        from prompt_toolkit.completion import CompleteEvent, Completer, Completion
        from prompt_toolkit.document import Document
        from prompt_toolkit.history import FileHistory, InMemoryHistory
    except ImportError as error:
        raise MissingExtra("cli", "vega repl") from error

    class ByWords(Completer):
        def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:
            for text, length in completions(document.text_before_cursor, names()):
                yield Completion(safe(text), start_position=-length)

    session: PromptSession[str] = PromptSession(
        history=FileHistory(str(history)) if _private(history) else InMemoryHistory(),
        completer=ByWords(),
        complete_while_typing=False,
        key_bindings=_keys(unfold),
    )
    return PromptReader(session)


def _private(history: Path) -> bool:
    """Makes the file; false when that cannot be: then history ends with the program."""
    try:
        history.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(history, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600))
    except OSError:
        return False
    return True


def _keys(unfold: Callable[[], None]) -> KeyBindings:
    from prompt_toolkit.application import run_in_terminal
    from prompt_toolkit.filters import is_searching
    from prompt_toolkit.key_binding import KeyBindings

    keys = KeyBindings()

    @keys.add("escape", "enter")
    def _new_line(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    @keys.add("c-o")
    def _unfold(event: KeyPressEvent) -> None:
        run_in_terminal(unfold)

    @keys.add("c-c", filter=~is_searching)  # which it only ends
    def _clear(event: KeyPressEvent) -> None:
        if event.current_buffer.text:
            event.current_buffer.reset()
        else:
            run_in_terminal(lambda: sys.stdout.write("(Ctrl-D quits)\n"))

    return keys
