"""The public API keeps what it has promised: no name of `public_api.txt` is gone, no signature is another.

What is new is compatible, and comes into the file with the next change that is meant:
`python tests/public_api.py > tests/public_api.txt`.
"""

from __future__ import annotations

import ast
import difflib
from importlib import import_module
from pathlib import Path

from public_api import surface

import vega_trio

KEPT = Path(__file__).parent / "public_api.txt"
REMEDY = "if it is meant: python tests/public_api.py > tests/public_api.txt, and a line in docs/changelog.md"


def test_no_public_name_is_gone_and_no_signature_has_changed() -> None:
    agreed, found = KEPT.read_text().splitlines(), surface()
    gone = set(agreed) - set(found)
    changes = list(difflib.unified_diff(agreed, found, "tests/public_api.txt", "the code", lineterm="", n=0))
    assert not gone, "\n".join([*changes, REMEDY])


def test_type_checkers_see_the_names_that_there_are() -> None:
    """They read `__all__` only where it is written out, and what is loaded late only where it is imported for them."""
    assert set(vega_trio.__all__) == {"__version__", "testing", *vega_trio._HOME_OF}
    assert len(vega_trio.__all__) == len(set(vega_trio.__all__))
    tree = ast.parse(Path(vega_trio.__file__).read_text())
    values = {ast.unparse(each.targets[0]): each.value for each in tree.body if isinstance(each, ast.Assign)}
    written = values["__all__"]
    assert isinstance(written, ast.List)
    assert all(isinstance(each, ast.Constant) for each in written.elts)
    imports = [each for each in ast.walk(tree) if isinstance(each, ast.ImportFrom) and each.module is not None]
    told = {alias.name for each in imports for alias in each.names}
    for each in imports:
        if any(alias.name == "*" for alias in each.names):
            told |= set(dir(import_module(each.module or "")))
    assert set(vega_trio.__all__) - told == set()
