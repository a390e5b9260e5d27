"""Configuration: the home, its env file and config.yaml.

A flag beats the environment, that beats the document, and that beats config.yaml.

    HOME/env           KEY=VALUE lines for the environment; a non-empty value of the shell wins
    HOME/config.yaml   addr, db (both for `vega serve`) and model, where nothing else says them
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path

import attrs

from vega_trio.cli.failure import warn
from vega_trio.errors import ConfigError, did_you_mean

KEYS = ("addr", "db", "model")


@attrs.frozen(kw_only=True)
class Config:
    """What config.yaml says; None is "not said"."""

    addr: str | None = None
    db: str | None = None
    model: str | None = None


@attrs.frozen(kw_only=True)
class Setup:
    """The surroundings of one command. `env` is the environment with the home's env file below it."""

    home: Path
    env: Mapping[str, str]
    config: Config

    @property
    def memory(self) -> Path:
        """What workflows remember where a command has no database."""
        return self.home / "memory.db"


def open_setup(home: str | None = None, env: Mapping[str, str] = os.environ) -> Setup:
    """Reads the home; it need not exist. Raises: ConfigError."""
    where = home_folder(home, env)
    merged = merge_env(read_env_file(where / "env"), env)
    return Setup(home=where, env={**merged, "VEGA_HOME": str(where)}, config=read_config(where / "config.yaml"))


def home_folder(home: str | None = None, env: Mapping[str, str] = os.environ) -> Path:
    """What the flag, else `VEGA_HOME` names, else `.vega` in the user's home directory."""
    return Path(home or env.get("VEGA_HOME") or Path.home() / ".vega").expanduser()


def merge_env(file: Mapping[str, str], shell: Mapping[str, str]) -> dict[str, str]:
    """The shell's variables; the file's where the shell has none or an empty one."""
    return {**shell, **{name: value for name, value in file.items() if not shell.get(name)}}


# -- the env file

_LINE = re.compile(r"(?:export[ \t]+)?([A-Za-z_][A-Za-z0-9_]*)[ \t]*=[ \t]*(.*)", re.DOTALL)
_QUOTED = re.compile(r"""(?:'([^']*)'|"((?:[^"\\]|\\.)*)")[ \t]*(?:\#.*)?""", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


def read_env_file(path: Path) -> dict[str, str]:
    """The variables of an env file; none when there is no file. Warns when others can read it.

    Raises: ConfigError.
    """
    text = _read(path)
    if text is None:
        return {}
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077 and os.name == "posix":
        warn(f"{path} has mode {mode:04o}, so that others may read your keys; run: chmod 600 {path}")
    return parse_env(text, str(path))


def parse_env(text: str, where: str) -> dict[str, str]:
    """`KEY=VALUE` lines with `#` comments, optional quotes and `export`; the last of a name wins.

    Single quotes keep everything, double quotes know `\\n \\t \\r` and take any other escaped character as it is.
    Messages name the line and never its text, which may hold a key.

    Raises: ConfigError.
    """
    values = {}
    for number, line in enumerate(text.split("\n"), 1):
        line = line.strip(" \t\r\ufeff")
        if not line or line.startswith("#"):
            continue
        found = _LINE.fullmatch(line)
        if found is None:
            raise ConfigError(f"{where}:{number}: this is no KEY=VALUE; write one variable a line, or # for a comment")
        value = _value(found[2])
        if value is None or "\0" in value:
            raise ConfigError(f"{where}:{number}: the value of {found[1]} has an open quote or text after it")
        values[found[1]] = value
    return values


def _value(raw: str) -> str | None:
    """The value behind `=`, or None when its quotes do not fit."""
    if raw[:1] in ("'", '"'):
        quoted = _QUOTED.fullmatch(raw)
        if quoted is None:
            return None
        if quoted[1] is not None:
            return quoted[1]
        return re.sub(r"\\(.)", lambda escape: _ESCAPES.get(escape[1], escape[1]), quoted[2], flags=re.DOTALL)
    return re.split(r"(?:^|[ \t])#", raw, maxsplit=1)[0].rstrip()


# -- config.yaml


def read_config(path: Path) -> Config:
    """Raises: ConfigError for anything but a mapping of the known keys to texts."""
    text = _read(path)
    if text is None:
        return Config()
    data = _yaml(text, path)
    if data is None:
        return Config()
    if not isinstance(data, dict):
        raise ConfigError(f"{path}: this must be a mapping with the keys {', '.join(KEYS)}")
    for key, value in data.items():
        if key not in KEYS:
            raise ConfigError(f"{path}: unknown key {key!r}{did_you_mean(str(key), KEYS)}")
        if not isinstance(value, str) or not value:
            raise ConfigError(f"{path}: {key} must be a text in quotes, not {value!r}")
    return Config(**data)


def _yaml(text: str, path: Path) -> object:
    from ruamel.yaml import YAML  # only who has such a file pays for the parser
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        return YAML(typ="safe", pure=True).load(text)
    except MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark is not None else ""
        raise ConfigError(f"{path}{line}: {error.problem}") from error
    except (YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: this is no YAML: {error}") from error


def _read(path: Path) -> str | None:
    """The text of a file of the home; None when it is not there."""
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: this is not UTF-8 text") from error
    except OSError as error:
        remedy = (
            f"let yourself read it, as with chmod u+rwx {path.parent}, or name another home with --home or VEGA_HOME"
        )
        raise ConfigError(f"{path} cannot be read: {error.strerror}; {remedy}") from error
