"""What the fake model server was asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs


@attrs.frozen
class FakeRequest:
    """A request as it arrived. `headers` have lower-case names; `body` is the decoded JSON of `data`, else empty."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    data: bytes = b""
