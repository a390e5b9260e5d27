"""Settings: the tool values that are set while the server runs. They are the operator's."""

from __future__ import annotations

from quart import Request, Response

from vega_trio.app.tool_values import ToolValue
from vega_trio.serve.desk import Desk, Route, body_of, json_answer, operators_only
from vega_trio.serve.models.common import Status
from vega_trio.serve.models.settings import NewSetting, SettingEntry


async def every(desk: Desk, request: Request) -> Response:
    """The tool values, sensitive ones masked."""
    operators_only(request, "see the settings")
    return json_answer(desk, [_entry(each) for each in desk.app.tool_values.all()])


async def put(desk: Desk, request: Request) -> Response:
    """Sets a tool value, for the next call of a tool."""
    operators_only(request, "change the settings")
    body = await body_of(desk, request, NewSetting)
    return json_answer(desk, _entry(await desk.app.tool_values.put(body.key, body.value, body.sensitive)))


async def delete(desk: Desk, request: Request, key: str) -> Response:
    """Forgets a tool value."""
    operators_only(request, "change the settings")
    await desk.app.tool_values.delete(key)
    return json_answer(desk, Status(status="deleted"))


def _entry(value: ToolValue) -> SettingEntry:
    return SettingEntry(key=value.key, value=value.shown, sensitive=value.sensitive)


ROUTES = (
    Route("GET", "/api/settings", every, answer=list[SettingEntry]),
    Route("PUT", "/api/settings", put, body=NewSetting, answer=SettingEntry),
    Route("DELETE", "/api/settings/<key>", delete, answer=Status),
)
