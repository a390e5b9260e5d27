"""The program's log: the loggers `vega_trio.*` on stderr."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping
from typing import Any

from vega_trio._core.codec import decode_json, encode_json
from vega_trio._core.redact import Redactor, redactor, secrets_of
from vega_trio._core.wire import rfc3339
from vega_trio.cli.options import Shared
from vega_trio.cli.terminal import safe
from vega_trio.errors import ConfigError, did_you_mean

FORMATS = ("text", "json")
LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class _Stderr(logging.Handler):
    """Writes to whatever `sys.stderr` is now: a live display puts itself in its place and keeps its lines apart.

    `before` is called first, for who has left a line of the terminal open.
    """

    def __init__(self, before: Callable[[], None]) -> None:
        super().__init__()
        self._before = before

    def emit(self, record: logging.LogRecord) -> None:
        self._before()
        sys.stderr.write(safe(self.format(record)) + "\n")
        sys.stderr.flush()


def level_of(shared: Shared, env: Mapping[str, str]) -> int:
    """--debug, -v and -q, else `VEGA_LOG`, else warning. Raises: ConfigError."""
    if shared.debug:
        return logging.DEBUG
    if shared.verbose:
        return logging.INFO
    if shared.quiet:
        return logging.ERROR
    name = env.get("VEGA_LOG") or "warning"
    if name.lower() not in LEVELS:
        raise ConfigError(f"VEGA_LOG is {name!r}, which is no level{did_you_mean(name.lower(), LEVELS)}")
    return LEVELS[name.lower()]


def format_of(shared: Shared, env: Mapping[str, str]) -> str:
    """--log-format, else `VEGA_LOG_FORMAT`, else text. Raises: ConfigError."""
    name = (shared.log_format or env.get("VEGA_LOG_FORMAT") or "text").lower()
    if name not in FORMATS:
        raise ConfigError(f"VEGA_LOG_FORMAT is {name!r}, which is no format{did_you_mean(name, FORMATS)}")
    return name


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


def start_logging(shared: Shared, env: Mapping[str, str], before: Callable[[], None] = lambda: None) -> None:
    """Sends what the package logs to stderr; `before` as in `_Stderr`. Raises: ConfigError."""
    handler = _Stderr(before)
    text = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s", "%H:%M:%S")
    handler.setFormatter(_Json() if format_of(shared, env) == "json" else text)
    handler.addFilter(_Redacting(redactor(secrets_of(env))))
    logger = logging.getLogger("vega_trio")
    logger.setLevel(level_of(shared, env))
    logger.addHandler(handler)
    logger.propagate = False
