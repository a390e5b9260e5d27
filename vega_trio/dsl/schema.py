"""JSON Schemas, of replies and of tools' arguments: patterns take linear time, and nothing is ever fetched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn


def _refuse(uri: str) -> NoReturn:
    raise ValueError(f"a schema may not refer to another document ({uri})")


def validator(schema: Mapping[str, object]) -> Any:
    """jsonschema_rs's. Raises: ValueError for a schema that is none, that holds a lookaround or refers elsewhere."""
    import jsonschema_rs  # 25 ms, and only who has a schema needs it

    options = jsonschema_rs.RegexOptions()
    return jsonschema_rs.validator_for(dict(schema), pattern_options=options, retriever=_refuse)


def check_schema(schema: Mapping[str, object]) -> str:
    """What is wrong with a schema, or nothing."""
    import jsonschema_rs

    try:
        validator(schema)
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        return str(error).splitlines()[0]
    return ""


def schema_problem(schema: Mapping[str, object], value: object) -> str:
    """Where and how a value does not fit, or nothing."""
    error = next(iter(validator(schema).iter_errors(value)), None)
    if error is None:
        return ""
    where = "".join(f"[{each}]" if isinstance(each, int) else f".{each}" for each in error.instance_path)
    return f"{where.lstrip('.') or 'the value'}: {error.message}"
