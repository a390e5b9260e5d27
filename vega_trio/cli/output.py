"""A result as text, and where it goes."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import attrs

from vega_trio.cli.failure import Failure, usage
from vega_trio.cli.terminal import put
from vega_trio.dsl.values import plain, print_value

FORMATS = ("text", "json", "yaml")
_BY_SUFFIX = {".json": "json", ".yaml": "yaml", ".yml": "yaml"}


@attrs.frozen
class Output:
    """One of `FORMATS`, on stdout or into a file."""

    format: str
    path: Path | None = None


def parse_output(text: str | None) -> Output:
    """`text`, `json`, `yaml`, or a path, whose suffix decides the format.

    Raises: Failure when the path can be seen not to be writable: better before a run than after it.
    """
    if text is None:
        return Output("text")
    if text in FORMATS:
        return Output(text)
    path = Path(text)
    writable = os.access(path if path.exists() else path.parent, os.W_OK)
    if not text or path.is_dir() or not path.parent.is_dir() or not writable:
        raise usage(f"--output {text!r} cannot be written", f"give one of {', '.join(FORMATS)}, or a writable path")
    return Output(_BY_SUFFIX.get(path.suffix.lower(), "text"), path)


def render(value: object, format_: str) -> str:
    """The value with a newline at its end. `text` prints as a template does, null as nothing.

    Raises: ExpressionError R007.
    """
    match format_:
        case "json":
            text = json.dumps(plain(value), ensure_ascii=False, indent=2)
        case "yaml":
            text = _yaml(plain(value))
        case _:
            text = print_value(value)
    return text if not text or text.endswith("\n") else text + "\n"


def _yaml(value: object) -> str:
    from ruamel.yaml import YAML  # only this format pays for it

    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.allow_unicode = True
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    stream = io.StringIO()
    yaml.dump(value, stream)
    return stream.getvalue().removesuffix("...\n")


def write(value: object, output: Output) -> None:
    """Writes the result. Raises: Failure when the file cannot be written; the result is on stdout then."""
    text = render(value, output.format)
    if output.path is None:
        put(text)
        return
    try:
        output.path.write_text(text, encoding="utf-8", errors="replace")
    except OSError as error:
        put(text)
        raise Failure(f"{output.path} cannot be written: {error.strerror}", "the result is printed above") from error
