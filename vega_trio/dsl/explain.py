"""What each code means: for `vega explain CODE`."""

from __future__ import annotations

from collections.abc import Mapping

from vega_trio.dsl.explain_document import DOCUMENT
from vega_trio.dsl.explain_steps import STEPS
from vega_trio.dsl.explain_warnings import RUN, WARNINGS
from vega_trio.dsl.explanation import Explanation

EXPLANATIONS: Mapping[str, Explanation] = {each.code: each for each in (*DOCUMENT, *STEPS, *WARNINGS, *RUN)}


def explain(code: str) -> str | None:
    """The explanation of a code, in any letter case, as text; None when there is no such code."""
    found = EXPLANATIONS.get(code.strip().upper())
    if found is None:
        return None
    return f"{found.code}: {found.meaning}\n\nwrong:\n{_indented(found.wrong)}\nright:\n{_indented(found.right)}"


def _indented(text: str) -> str:
    return "".join(f"    {line}".rstrip() + "\n" for line in text.strip("\n").split("\n"))
