"""The program's log: the loggers `vega_trio.*` on stderr, or where a document's `settings.logging` says."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import attrs

from vega_trio._core.codec import decode_json, encode_json
from vega_trio._core.redact import Redactor, redactor, secrets_of
from vega_trio._core.wire import rfc3339
from vega_trio.app.disk import directory_of
from vega_trio.app.models import with_key
from vega_trio.cli.options import Shared
from vega_trio.cli.terminal import safe
from vega_trio.dsl.document import Document
from vega_trio.errors import ConfigError, did_you_mean

FORMATS = ("text", "json")
LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
PRIVATE = 0o600


class _Output(logging.Handler):
    """Hands each record, made safe for a terminal, to `write`."""

    def __init__(self, write: Callable[[str], None]) -> None:
        super().__init__()
        self._write = write

    def emit(self, record: logging.LogRecord) -> None:
        line = safe(self.format(record)) + "\n"
        try:
            self._write(line)
        except OSError:  # a full disk stops the log, not the work
            self.handleError(record)


@attrs.define
class Log:
    """The log of one command. `level` and `format` are what flags or the environment say; None leaves it to documents.

    `before` is called before a line goes to stderr, for who has left a line of the terminal open.
    """

    level: int | None
    format: str | None
    env: Mapping[str, str]
    before: Callable[[], None]

    def follow(self, document: Document) -> None:
        """From now on as the document's settings say, where neither flag nor variable says otherwise.

        With a file, the document's level and format are the file's. Raises: ConfigError when it cannot be written.
        """
        settings = document.settings
        redact = redactor(secrets_of(with_key(self.env, settings)))
        said = settings.logging
        if said is None:
            self._send(self._stderr(None, None, redact))
            return
        level = LEVELS[said.level]
        if said.file is None:
            self._send(self._stderr(level, said.format, redact))
            return
        write = _appender(directory_of(document.file) / said.file)
        kept = self._output(write, level, said.format, redact, "%Y-%m-%d %H:%M:%S")
        self._send(self._stderr(None, None, redact), kept)

    def start(self) -> None:
        """What is said before a document is known goes to stderr."""
        self._send(self._stderr(None, None, redactor(secrets_of(self.env))))

    def _stderr(self, level: int | None, form: str | None, redact: Redactor) -> logging.Handler:
        return self._output(self._write, level or logging.WARNING, form or "text", redact, "%H:%M:%S")

    def _output(
        self, write: Callable[[str], None], level: int, form: str, redact: Redactor, clock: str
    ) -> logging.Handler:
        handler = _Output(write)
        handler.setLevel(level if self.level is None else self.level)
        text = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s", clock)
        handler.setFormatter(_Json() if (self.format or form) == "json" else text)
        handler.addFilter(_Redacting(redact))
        return handler

    def _send(self, *handlers: logging.Handler) -> None:
        """To these and, of ours, no others."""
        logger = logging.getLogger("vega_trio")
        others = [each for each in logger.handlers if not isinstance(each, _Output)]
        logger.handlers[:] = [*others, *handlers]
        logger.setLevel(min(each.level for each in handlers))
        logger.propagate = False

    def _write(self, line: str) -> None:
        """To whatever `sys.stderr` is now: a live display puts itself in its place and keeps its lines apart."""
        self.before()
        sys.stderr.write(line)
        sys.stderr.flush()


def _appender(path: Path) -> Callable[[str], None]:
    """What adds to a file, which is made for its owner alone. It is opened each time, so that it may be rotated.

    Raises: ConfigError.
    """

    def write(line: str) -> None:
        with open(path, "a", encoding="utf-8", errors="replace", opener=_private) as file:
            file.write(line)

    try:
        write("")
    except OSError as error:
        raise ConfigError(
            f"settings.logging.file: {str(path)!r} cannot be written ({error.strerror}); "
            "name a file in a directory that is there and writable"
        ) from error
    return write


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, PRIVATE)


def level_of(shared: Shared, env: Mapping[str, str]) -> int | None:
    """--debug, -v and -q, else `VEGA_LOG`; None is "not said". Raises: ConfigError."""
    if shared.debug:
        return logging.DEBUG
    if shared.verbose:
        return logging.INFO
    if shared.quiet:
        return logging.ERROR
    name = env.get("VEGA_LOG")
    if not name:
        return None
    if name.lower() not in LEVELS:
        raise ConfigError(f"VEGA_LOG is {name!r}, which is no level{did_you_mean(name.lower(), LEVELS)}")
    return LEVELS[name.lower()]


def format_of(shared: Shared, env: Mapping[str, str]) -> str | None:
    """--log-format, else `VEGA_LOG_FORMAT`; None is "not said". Raises: ConfigError."""
    name = (shared.log_format or env.get("VEGA_LOG_FORMAT") or "").lower()
    if name and name not in FORMATS:
        raise ConfigError(f"VEGA_LOG_FORMAT is {name!r}, which is no format{did_you_mean(name, FORMATS)}")
    return name or None


class _Json(logging.Formatter):
    """A line of JSON for each record: when, how loud, who, what, and the fields that come with it."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": rfc3339(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, "vega", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return encode_json(line).decode("utf-8")


class _Redacting(logging.Filter):
    """Takes the secrets of the environment out of whatever is logged, also by others' mistake."""

    def __init__(self, redact: Redactor) -> None:
        super().__init__()
        self._redact = redact

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = self._redact(record.getMessage()), None
        fields = getattr(record, "vega", None)
        if fields:
            record.vega = decode_json(self._redact(encode_json(fields).decode("utf-8")))
        return True


def start_logging(shared: Shared, env: Mapping[str, str], before: Callable[[], None] = lambda: None) -> Log:
    """Sends what the package logs to stderr; `before` as in `Log`. Raises: ConfigError."""
    log = Log(level_of(shared, env), format_of(shared, env), env, before)
    log.start()
    return log
