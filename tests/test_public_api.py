"""The public API keeps what it has promised: no name of `public_api.txt` is gone, no signature is another.

What is new is compatible, and comes into the file with the next change that is meant:
`python tests/public_api.py > tests/public_api.txt`.
"""

from __future__ import annotations

import difflib
from pathlib import Path

from public_api import surface

KEPT = Path(__file__).parent / "public_api.txt"
REMEDY = "if it is meant: python tests/public_api.py > tests/public_api.txt, and a line in docs/changelog.md"


def test_no_public_name_is_gone_and_no_signature_has_changed() -> None:
    agreed, found = KEPT.read_text().splitlines(), surface()
    gone = set(agreed) - set(found)
    changes = list(difflib.unified_diff(agreed, found, "tests/public_api.txt", "the code", lineterm="", n=0))
    assert not gone, "\n".join([*changes, REMEDY])
