"""Feeds the language whatever comes: a document or template is refused with our own errors, or works, and ends soon.

    python tests/fuzz/fuzz_dsl.py [-max_total_time=60] [-runs=1000000] [CORPUS]

An atheris target, guided by the coverage of `vega_trio.dsl`. The first byte chooses what the rest is: a document, a
template, or a condition.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["vega_trio.dsl"]):
    from vega_trio.dsl.parse import parse_text
    from vega_trio.dsl.template import compile_condition, compile_template
    from vega_trio.dsl.values import ExpressionError

from vega_trio.errors import DocumentError

SCOPE = {"a": 1, "b": "text, more", "c": [1, 2, {"d": None}], "e": {"f": [True]}, "n": None}
EXAMPLES = Path(__file__).parents[2] / "examples"


class NoFiles:
    """A file system with nothing in it."""

    def read(self, path: str) -> bytes:
        raise FileNotFoundError(2, "No such file or directory")

    def list(self, path: str) -> list[str]:
        return []

    def is_file(self, path: str) -> bool:
        return False

    def is_dir(self, path: str) -> bool:
        return False


def one(data: bytes) -> None:
    """Raises: what is a bug."""
    kind, rest = data[:1], data[1:]
    try:
        if kind < b"\x40":
            parse_text(rest, "f.vega.yaml", NoFiles(), env={"VEGA_MODEL": "demo"})
        elif kind < b"\xa0":
            compile_template(rest.decode("utf-8", "replace"), tool=kind < b"\x60").render(SCOPE)
        else:
            compile_condition(rest.decode("utf-8", "replace")).test(SCOPE)
    except (DocumentError, ExpressionError):
        pass


def seeds(folder: Path) -> None:
    """Writes the examples as a corpus to begin with, whole and each hole of theirs."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in EXAMPLES.glob("*.vega.yaml"):
        text = path.read_bytes()
        (folder / path.name).write_bytes(b"\x00" + text)
        for number, line in enumerate(each for each in text.splitlines() if b"{{" in each):
            (folder / f"{path.name}.{number}").write_bytes(b"\x80" + line.strip())


if __name__ == "__main__":
    for word in sys.argv[1:]:
        if not word.startswith("-"):
            seeds(Path(word))
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
