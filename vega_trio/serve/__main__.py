"""Prints the API's description, OpenAPI 3.1, without a server: `python -m vega_trio.serve`."""

from __future__ import annotations

import sys

from vega_trio.serve.assets import Bundle
from vega_trio.serve.openapi import openapi
from vega_trio.serve.sse import to_json
from vega_trio.serve.web import all_routes

if __name__ == "__main__":
    sys.stdout.write(to_json(openapi(all_routes(Bundle({}, None)))).decode() + "\n")
