"""Reads skill files: front matter in YAML between `---` lines, and below it the prompt, in Markdown.

A file is hostile until somebody has looked at it: the front matter has the limits of documents (`dsl/yaml_text.py`),
patterns are RE2's, and whatever is wrong is one `BadSkill` that names the file.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from vega_trio.dsl.yaml_nodes import YamlError
from vega_trio.dsl.yaml_text import load_data
from vega_trio.skills.skill import Always, Keywords, Pattern, Skill, Trigger

MAX_BYTES: Final = 256 * 1024
MAX_NAME: Final = 64
MAX_DESCRIPTION: Final = 1024
MAX_PATTERN_MEMORY: Final = 1 << 20
KEYS: Final = ("name", "description", "tags", "tools", "mcp", "triggers")
_FRONT: Final = re.compile(r"\ufeff?---[ \t]*\r?\n(.*?)^---[ \t]*(?:\r?\n|\Z)", re.DOTALL | re.MULTILINE)
_NAME: Final = re.compile(r"[^\W_](?:[\w .-]*\w)?")


class BadSkill(Exception):
    """A file is no skill; the message says why, and what to do."""


def parse_skill(data: bytes, path: Path, *, trusted: bool = True) -> Skill:
    """The skill of a file. Without a name it is called after the file, or the directory. Raises: BadSkill."""
    if len(data) > MAX_BYTES:
        raise BadSkill(f"it has {len(data):,} bytes; {MAX_BYTES:,} is the most")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadSkill(f"it is not UTF-8 text (byte {error.start})") from error
    front = _FRONT.match(text)
    if front is None:
        raise BadSkill("it has no front matter; begin it with --- on a line of its own, and description: ...")
    fields = _fields(front[1])
    return Skill(
        name=_name(fields, path),
        description=_description(fields),
        body=text[front.end() :].strip(),
        path=path,
        triggers=_triggers(fields.get("triggers")),
        tags=_texts(fields, "tags"),
        tools=_texts(fields, "tools"),
        mcp=_texts(fields, "mcp"),
        digest=sha256(data).hexdigest(),
        trusted=trusted,
    )


def _fields(text: str) -> Mapping[str, Any]:
    """Keys of other programs are left alone: the format is an open one."""
    try:
        fields = load_data(text)
    except YamlError as error:
        raise BadSkill(f"its front matter: {error.finding.message}") from error
    if not isinstance(fields, dict):
        raise BadSkill("its front matter is no mapping; write for example description: What it is for")
    return fields


def _name(fields: Mapping[str, Any], path: Path) -> str:
    stem = path.name.removesuffix(".skill.md")
    fallback = path.parent.name if path.name.lower() == "skill.md" else stem
    name = fields.get("name", fallback)
    if not isinstance(name, str) or len(name) > MAX_NAME or not _NAME.fullmatch(name):
        shown = str(name)[: MAX_NAME + 1]
        raise BadSkill(f"the name {shown!r} must be 1 to {MAX_NAME} letters, digits, blanks, '.', '_' or '-'")
    return name


def _description(fields: Mapping[str, Any]) -> str:
    description = fields.get("description")
    if not isinstance(description, str) or not description.strip():
        raise BadSkill("it has no 'description'; say in a line what it is for")
    if len(description) > MAX_DESCRIPTION:
        raise BadSkill(f"its description has {len(description):,} characters; {MAX_DESCRIPTION:,} is the most")
    return " ".join(description.split())


def _texts(fields: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """A list of texts, or one text with commas."""
    given = fields.get(key)
    if given is None:
        return ()
    members = given.split(",") if isinstance(given, str) else given
    if not isinstance(members, list) or not all(isinstance(each, str | int | float) for each in members):
        raise BadSkill(f"{key!r} must be a list of texts")
    return tuple(text for each in members if (text := str(each).strip()))


# -- triggers


def _triggers(given: object) -> tuple[Trigger, ...]:
    if given is None:
        return ()
    if not isinstance(given, list):
        raise BadSkill("'triggers' must be a list, of such as {type: keyword, keywords: [review]}")
    return tuple(_trigger(each) for each in given)


def _trigger(given: object) -> Trigger:
    if given == "always":
        return Always()
    fields = given if isinstance(given, dict) else {}
    match fields.get("type"):
        case "always":
            return Always()
        case "keyword":
            words = _texts(fields, "keywords")
            if not words:
                raise BadSkill("a keyword trigger needs 'keywords', a list of words and phrases")
            return Keywords(words)
        case "pattern":
            return _pattern(fields.get("pattern"))
        case other:
            raise BadSkill(f"a trigger's type is keyword, pattern or always, not {other!r}")


def _pattern(text: object) -> Pattern:
    if not isinstance(text, str) or not text:
        raise BadSkill("a pattern trigger needs a 'pattern'")
    try:
        import re2  # only who has patterns needs the extra
    except ModuleNotFoundError as error:
        raise BadSkill("its pattern needs the extra 'skills': pip install 'vega-trio[skills]'") from error
    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = MAX_PATTERN_MEMORY
    try:
        return Pattern(text, re2.compile(text, options))
    except re2.error as error:
        why = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
        raise BadSkill(f"its pattern {text[:60]!r} cannot be used: {why} (lookaround is not supported)") from error
