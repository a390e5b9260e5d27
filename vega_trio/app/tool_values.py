"""Tool values that people set while the program runs: the names in a tool's definition that are none of its parameters.

A document's own (`settings.values`) come before these, a variable `VEGA_VALUE_NAME` behind them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import attrs

from vega_trio._core.redact import SHOWN, Redactor, is_secret_name
from vega_trio.app.admission import refuse_overload
from vega_trio.changes import Delete, Put
from vega_trio.errors import Conflict, InputError, UnknownItem, did_you_mean
from vega_trio.protocols import Store

TABLE = "setting"
KEY_LENGTH = 128
VALUE_BYTES = 64 * 1024
MOST = 1000
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


@attrs.frozen(kw_only=True)
class ToolValue:
    """One value. Of a sensitive one nobody is told what it is."""

    key: str
    value: str = attrs.field(repr=False)
    sensitive: bool

    @property
    def shown(self) -> str:
        return SHOWN if self.sensitive else self.value


@attrs.define(eq=False)
class ToolValues:
    """`app.tool_values`. `stored` is what tools read at each call; `redact` learns what is sensitive."""

    store: Store
    document: Mapping[str, object]
    redact: Redactor
    stored: dict[str, object] = attrs.field(factory=dict, init=False, repr=False)
    _by_key: dict[str, ToolValue] = attrs.field(factory=dict, init=False, repr=False)

    async def load(self) -> None:
        """Raises: StoreError."""
        for row in await self.store.records.query(TABLE):
            if "value" in row:  # what the application has spent is kept there too
                self._take(ToolValue(**row))

    def all(self) -> list[ToolValue]:
        """In the order in which they were first set."""
        return list(self._by_key.values())

    async def put(self, key: str, value: str, sensitive: bool | None = None) -> ToolValue:
        """Sets a value; without `sensitive` its name decides. Durable on return.

        Raises: InputError, Conflict for one that the document sets, StoreError.
        """
        self._check(key, value)
        made = ToolValue(key=key, value=value, sensitive=is_secret_name(key) if sensitive is None else sensitive)
        refuse_overload(self.store)
        await self.store.submit(Put(TABLE, key, attrs.asdict(made))).wait()
        self._take(made)
        return made

    async def delete(self, key: str) -> None:
        """Raises: UnknownItem, StoreError."""
        if key not in self._by_key:
            raise UnknownItem(f"no value is stored under {key[:100]!r}{did_you_mean(key, self._by_key)}")
        await self.store.submit(Delete(TABLE, key)).wait()
        self._by_key.pop(key, None)
        self.stored.pop(key, None)

    def _take(self, value: ToolValue) -> None:
        self._by_key[value.key] = value
        self.stored[value.key] = value.value
        if value.sensitive:
            self.redact.learn([value.value])

    def _check(self, key: str, value: str) -> None:
        if not _KEY.fullmatch(key) or len(key) > KEY_LENGTH:
            text = f"a key has 1 to {KEY_LENGTH} letters, digits and _, and begins with no digit, not {key[:40]!r}"
            raise InputError(text, "bad_value", "key")
        if len(value.encode("utf-8", "replace")) > VALUE_BYTES:
            raise InputError(f"the value has more than {VALUE_BYTES} bytes", "bad_value", "value")
        if value == SHOWN:
            raise InputError(f"{SHOWN!r} is how a sensitive value is shown, not what it is", "bad_value", "value")
        if key in self.document:
            raise Conflict(f"the document sets {key!r} in settings.values; change it there")
        if key not in self._by_key and len(self._by_key) >= MOST:
            raise Conflict(f"{MOST} values are stored, the most there may be; delete one first")
