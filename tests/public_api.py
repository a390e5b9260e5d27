"""Writes down the public API: a line for each name of `vega_trio` and `vega_trio.testing`, and for each of its members.

python tests/public_api.py > tests/public_api.txt
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Callable, Iterator
from enum import Enum
from types import ModuleType
from typing import Any

import attrs

import vega_trio
import vega_trio.testing


def surface() -> list[str]:
    """All lines, in the order of the names."""
    lines = []
    for module in (vega_trio, vega_trio.testing):
        for name in sorted(module.__all__):
            lines += described(f"{module.__name__.replace('vega_trio', 'vega', 1)}.{name}", getattr(module, name))
    return lines


def described(path: str, value: Any) -> Iterator[str]:
    if isinstance(value, type):
        yield f"class {path}{bases(value)}"
        if attrs.has(value):
            for field in attrs.fields(value):
                if field.init and not field.name.startswith("_"):
                    yield f"    {path}.{field.name}: {field.type}{default(field)}"
        for name, member in sorted(vars(value).items()):
            yield from of_member(f"{path}.{name}", member, getattr(value, name, None), attrs.has(value))
    elif isinstance(value, ModuleType):
        yield f"module {path}"
    elif callable(value) and hasattr(value, "__name__"):
        yield f"{keyword(value)} {path}{signature(value)}"
    else:
        yield f"{path} = {value if not isinstance(value, str) else '...'}"


def bases(kind: type) -> str:
    """Those that a reader knows: of the package's errors, of a Protocol, of an enumeration."""
    names = [base.__name__ for base in kind.__bases__ if base is not object]
    return f"({', '.join(names)})" if names else ""


def default(field: Any) -> str:
    if field.default is attrs.NOTHING:
        return ""
    return " = ..." if isinstance(field.default, type(attrs.Factory(list))) else f" = {shown(field.default)}"


def of_member(path: str, member: Any, value: Any, is_attrs: bool) -> Iterator[str]:
    """A line for what is public and the class's own: methods, properties, constants."""
    name = path.rpartition(".")[2]
    dunder = name in ("__await__", "__aenter__", "__aiter__", "__anext__", "__call__")
    if name.startswith("_") and not dunder:
        return
    if isinstance(member, property):
        yield f"    {path} -> {returned(member.fget)}{' (may be set)' if member.fset else ''}"
    elif isinstance(member, classmethod | staticmethod) or inspect.isfunction(member):
        yield f"    {keyword(value)} {path}{signature(value)}"
    elif isinstance(value, Enum):
        yield f"    {path} = {value.value!r}"
    elif not inspect.ismemberdescriptor(member) and not is_attrs and not callable(member):
        yield f"    {path} = {shown(member)}"


def shown(value: object) -> str:
    """A default, as one would write it."""
    return str(value) if isinstance(value, Enum) else without_address(repr(value))


def without_address(text: str) -> str:
    return re.sub(r"<(?:function |bound method )?([\w.]+)[^<>]* at 0x[0-9a-f]+>", r"\1", text)


def returned(getter: Callable[..., Any] | None) -> str:
    return str(getattr(getter, "__annotations__", {}).get("return", "?"))


def keyword(function: Callable[..., Any]) -> str:
    return "async def" if inspect.iscoroutinefunction(function) else "def"


def signature(function: Callable[..., Any]) -> str:
    """As it is written: annotations are texts, so they do not change with Python's version."""
    try:
        return re.sub(r"(: |-> )'([^']*)'", r"\1\2", without_address(str(inspect.signature(function))))
    except ValueError:
        return "(...)"


if __name__ == "__main__":
    sys.stdout.write("\n".join(surface()) + "\n")
