"""`vega schema`."""

from __future__ import annotations

import json

from vega_trio.cli.options import vega_command


@vega_command(name="schema")
def command() -> int:
    """Print the JSON Schema of documents, for editors.

    With the YAML extension of VS Code: write it to vega.schema.json, and begin a document with
    "# yaml-language-server: $schema=vega.schema.json".
    """
    from vega_trio.cli.terminal import put
    from vega_trio.dsl.editor_schema import json_schema

    put(json.dumps(json_schema(), indent=2) + "\n")
    return 0
