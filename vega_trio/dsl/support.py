"""What the language has and the product does not do yet. Such a key is refused (V004), never ignored.

One set of keys per place in a document. Whoever lands a feature deletes its entry here, and nothing else has to
change: the keys are read and checked already.
"""

from __future__ import annotations

from collections.abc import Mapping

Unsupported = Mapping[str, frozenset[str]]

UNSUPPORTED: Unsupported = {
    "agent": frozenset(),
    "settings": frozenset(),
    "memory": frozenset(),
}

NOTHING: Unsupported = {}
