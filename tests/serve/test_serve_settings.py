"""Tool values that are set over the API: masked, durable, and read by tools at their next call."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio

pytestmark = pytest.mark.e2e

SECRET = "sk-live-0123456789"


async def put(served: Any, expected: int = 200, **body: Any) -> Any:
    answer = await served.http.put("/api/settings", json=body)
    assert answer.status_code == expected, answer.text
    return answer.json()


async def test_values_are_listed_with_secrets_masked_and_survive_a_restart(serving: Any, tmp_path: Path) -> None:
    store = tmp_path / "v.db"
    with trio.fail_after(30):
        async with serving(store=store) as served:
            assert await put(served, key="city", value="Bern") == {"key": "city", "value": "Bern", "sensitive": False}
            assert (await put(served, key="API_KEY", value=SECRET))["value"] == "***"
            await put(served, key="city", value="Basel", sensitive=True)
            await put(served, key="gone", value="x")
            assert (await served.http.delete("/api/settings/gone")).json() == {"status": "deleted"}
        async with serving(store=store) as served:
            listed = (await served.http.get("/api/settings")).json()
            assert served.app.tool_values.stored == {"city": "Basel", "API_KEY": SECRET}
            assert served.app.tool_values.redact(f"it is {SECRET}") == "it is ***"
    assert listed == [
        {"key": "city", "value": "***", "sensitive": True},
        {"key": "API_KEY", "value": "***", "sensitive": True},
    ]


async def test_a_value_that_cannot_be_is_refused_with_its_field(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving() as served:
            assert (await put(served, 400, key="no key", value="x"))["field"] == "key"
            assert (await put(served, 400, key="k", value="***"))["field"] == "value"
            assert (await put(served, 400, key="k", value="x" * 70_000))["field"] == "value"
            assert (await put(served, 400, key="k", value=3))["field"] == "value"
            assert (await served.http.delete("/api/settings/nope")).status_code == 404


async def test_settings_and_files_are_the_operators(serving: Any) -> None:
    with trio.fail_after(30):
        async with serving(token=True) as served:
            made = await served.http.post("/api/tokens", json={"user": "ada", "role": "owner"}, headers=served.operator)
            ada = {"authorization": f"Bearer {made.json()['token']}"}
            for path in ("/api/settings", "/api/files", "/api/files/read?path=x", "/workspace/x"):
                assert (await served.http.get(path)).status_code == 401
                assert (await served.http.get(path, headers=ada)).status_code == 403
            assert (await served.http.get("/api/settings", headers=served.operator)).json() == []
