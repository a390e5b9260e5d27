"""What other languages call our filters, for the hint that a wrong name gets."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from vega_trio.suggest import remedy

_FAMILIAR: Mapping[str, str] = {
    "concat": "join",
    "count": "length",
    "fallback": "default",
    "fromjson": "json",
    "head": "first",
    "len": "length",
    "lowercase": "lower",
    "number": "float",
    "parsejson": "json",
    "reversed": "reverse",
    "size": "length",
    "sorted": "sort",
    "str": "string",
    "strip": "trim",
    "substring": "slice",
    "tail": "last",
    "text": "string",
    "tolower": "lower",
    "tostring": "string",
    "toupper": "upper",
    "uniq": "unique",
    "uppercase": "upper",
}


def filter_hint(name: str, filters: Collection[str]) -> str:
    """`did you mean 'upper'?`, for a slip as for another language's word; else the filters there are."""
    known = _FAMILIAR.get(name.lower().replace("_", ""), "")
    return f"did you mean '{known}'?" if known in filters else remedy(name, filters)


def call_hint(name: str, filters: Collection[str]) -> str:
    """What to write instead of a call of `name`."""
    known = name if name in filters else _FAMILIAR.get(name.lower().replace("_", ""), "")
    if known in filters:
        return f"write a filter: value | {known}"
    return "there are filters instead: value | filter"
