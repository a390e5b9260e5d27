"""Writes one variable into the home's env file and leaves everything else in it as it is."""

from __future__ import annotations

import os
import re
import secrets
from pathlib import Path

from vega_trio.cli.config import parse_env
from vega_trio.errors import ConfigError

_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+=,~-]+")


def set_variable(path: Path, name: str, value: str) -> None:
    """Sets `name` in the file `path`, made with its directory if need be; only its owner may read it afterwards.

    Whoever reads the file meanwhile finds the old or the new one whole. Raises: ConfigError; the file is as it was.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        real = path.resolve()  # a link into a store of settings stays a link
        text = real.read_text(encoding="utf-8") if real.exists() else ""
        parse_env(text, str(path))
        _replace(real, changed(text, name, value))
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: this is not UTF-8 text; nothing was written") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be written: {error.strerror}; name another home with --home") from error


def changed(text: str, name: str, value: str) -> str:
    """The file's text with `name` set where it was set last, else at the end."""
    lines = text.split("\n")
    ours = re.compile(rf"[ \t\ufeff]*(export[ \t]+)?{re.escape(name)}[ \t]*=.*", re.DOTALL)
    found = [index for index, line in enumerate(lines) if ours.fullmatch(line)]
    if not found:
        kept = text if not text or text.endswith("\n") else text + "\n"
        return f"{kept}{name}={quoted(value)}\n"
    match = ours.fullmatch(lines[found[-1]])
    export = match[1] if match is not None and match[1] else ""
    lines[found[-1]] = f"{export}{name}={quoted(value)}"
    earlier = set(found[:-1])  # an old value is a secret too, and does not count
    return "\n".join(line for index, line in enumerate(lines) if index not in earlier)


def quoted(value: str) -> str:
    """The value as `config.parse_env` and a shell read it. It has no control characters."""
    if _PLAIN.fullmatch(value):
        return value
    if "'" not in value:
        return f"'{value}'"
    return '"' + re.sub(r'([\\"$`])', r"\\\1", value) + '"'


def _replace(path: Path, text: str) -> None:
    """Puts a new file, 0600 from its first moment, in the place of the old one."""
    new = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with open(descriptor, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        os.replace(new, path)
    except OSError:
        new.unlink(missing_ok=True)
        raise
