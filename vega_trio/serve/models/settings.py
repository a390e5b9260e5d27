"""Tool values that are set over the API."""

from __future__ import annotations

import attrs


@attrs.frozen
class NewSetting:
    """Without `sensitive` the key's name decides: KEY, TOKEN, SECRET, PASSWORD or CREDENTIAL in it is."""

    key: str
    value: str = attrs.field(repr=False)
    sensitive: bool | None = None


@attrs.frozen(kw_only=True)
class SettingEntry:
    """A tool value; a sensitive one is shown as `***`."""

    key: str
    value: str
    sensitive: bool
