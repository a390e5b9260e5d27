"""Names and patterns."""

from __future__ import annotations

import pytest

from vega_trio._core.patterns import fits


@pytest.mark.parametrize(
    ("name", "patterns", "expected"),
    [
        ("read_file", ["read_file"], True),
        ("read_file", ["read"], False),
        ("fs__read", ["fs__*"], True),
        ("fs__read", ["*"], True),
        ("fs__read", ["*__read"], True),
        ("fs__read", ["f*_*d"], True),
        ("git__read", ["fs__*", "x"], False),
        ("fs_", ["fs__*"], False),
        ("a.b", ["a?b", "[a].b"], False),
        ("a?b", ["a?*"], True),
        ("axb", ["a.*"], False),
        ("a", [], False),
    ],
)
def test_only_the_star_stands_for_other_text(name: str, patterns: list[str], expected: bool) -> None:
    assert fits(name, patterns) is expected
